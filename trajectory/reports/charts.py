"""The pictures of results as altair charts, which notebooks show and files keep (`chart.save("picture.html")`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import polars as pl

MOST = 20  # rows of a chart whose rows have names
WIDTH = 420


def bars(frame: pl.DataFrame, name: str, value: str, title: str, *, unit: str = "", percent: bool = False) -> alt.Chart:
    """A bar for each row, in the order of the frame, the first MOST at most; `unit` names the horizontal axis."""
    shown = frame.head(MOST)
    axis = alt.Axis(format="%") if percent else alt.Axis()
    return (
        alt.Chart(shown, title=title, width=WIDTH)
        .mark_bar()
        .encode(
            x=alt.X(f"{value}:Q", title=unit or _words(value), axis=axis),
            y=alt.Y(f"{name}:N", sort=None, title=None, axis=alt.Axis(labelLimit=240)),
            color=alt.condition(alt.datum[value] < 0, alt.value("#b4473a"), alt.value("#1b7f5c")),
            tooltip=list(shown.columns),
        )
    )


def heat(frame: pl.DataFrame, across: str, down: str, value: str, title: str, unit: str = "") -> alt.Chart:
    """A cell for each row, the darker the greater its value."""
    return (
        alt.Chart(frame, title=title)
        .mark_rect()
        .encode(
            x=alt.X(f"{across}:O", title=_words(across)),
            y=alt.Y(f"{down}:N", sort=None, title=_words(down), axis=alt.Axis(labelLimit=240)),
            color=alt.Color(f"{value}:Q", title=unit or _words(value), scale=alt.Scale(scheme="greens")),
            tooltip=list(frame.columns),
        )
    )


def band(frame: pl.DataFrame, x: str, value: str, low: str, high: str, title: str, unit: str = "") -> alt.LayerChart:
    """A line over time with the interval around it."""
    base = alt.Chart(frame, title=title, width=WIDTH).encode(x=alt.X(x, title=_words(x)))
    area = base.mark_area(opacity=0.25).encode(y=alt.Y(f"{low}:Q", title=unit or _words(value)), y2=f"{high}:Q")
    return area + base.mark_line(point=True).encode(y=f"{value}:Q", tooltip=list(frame.columns))


def lines(frame: pl.DataFrame, x: str, value: str, colour: str, title: str) -> alt.Chart:
    """A line over time for each value of `colour`."""
    return (
        alt.Chart(frame, title=title, width=WIDTH)
        .mark_line(point=True)
        .encode(
            x=alt.X(x, title=_words(x)),
            y=alt.Y(f"{value}:Q", title=_words(value)),
            color=alt.Color(f"{colour}:N", title=_words(colour)),
            tooltip=list(frame.columns),
        )
    )


def intervals(frame: pl.DataFrame, name: str, value: str, error: str, title: str, unit: str = "") -> alt.LayerChart:
    """A point for each row with two standard errors to both sides."""
    both = frame.with_columns(
        low=pl.col(value) - 2 * pl.col(error).fill_null(0), high=pl.col(value) + 2 * pl.col(error).fill_null(0)
    )
    base = alt.Chart(both, title=title, width=WIDTH).encode(y=alt.Y(f"{name}:N", sort=None, title=None))
    rule = base.mark_rule().encode(x=alt.X("low:Q", title=unit or _words(value)), x2="high:Q")
    return rule + base.mark_point(filled=True, size=60).encode(x=f"{value}:Q", tooltip=list(frame.columns))


def scatter(vectors: np.ndarray, labels: Sequence[Any], title: str) -> alt.Chart:
    """Vectors [n, D] along the two directions in which they differ most (principal components)."""
    centred = vectors - vectors.mean(axis=0)
    place = centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T
    place = np.pad(place, ((0, 0), (0, 2 - place.shape[1])))
    frame = pl.DataFrame({"first": place[:, 0], "second": place[:, 1], "name": [str(label) for label in labels]})
    return (
        alt.Chart(frame, title=title, width=WIDTH, height=WIDTH)
        .mark_circle()
        .encode(
            x=alt.X("first:Q", title="first principal component"),
            y=alt.Y("second:Q", title="second principal component"),
            tooltip=["name"],
        )
    )


def _words(column: str) -> str:
    return column.partition(":")[0].replace("_", " ")
