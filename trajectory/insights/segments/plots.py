"""Pictures of segments: what a user buys a week, so far and to come, and which shares change."""

from __future__ import annotations

import numpy as np
import polars as pl

from trajectory.insights.segments.segmentation import Segmentation
from trajectory.migrations.step_windows import shares
from trajectory.names import plain
from trajectory.reports import charts
from trajectory.reports.pictures import svg

FIELDS = 8  # of the second picture
LETTERS, LINES = 34, 3  # of a name


def weekly(segmentation: Segmentation, profiles: pl.DataFrame) -> str:
    """One line for each segment, from its users' volume so far to that expected; SVG."""
    frame = profiles.select(pl.Series("segment", _labels(profiles)), so_far="value_a_week", expected="expected_a_week")
    unit = f"{segmentation.trajectories.words.unit} of a user a week"
    return svg(charts.changes(frame, "segment", "so_far", "expected", unit))


def changes(segmentation: Segmentation, profiles: pl.DataFrame) -> str:
    """Segments by the fields whose shares change most: percentage points from past to expected; SVG."""
    t = segmentation.trajectories
    inside = np.arange(len(segmentation.names))[:, None] == segmentation.label
    past, ahead = (shares((inside @ volumes) @ t.field_shares) for volumes in (t.past, t.ahead))
    change = 100 * (ahead - past)
    chosen = np.sort(np.argsort(-np.abs(change).max(0), kind="stable")[:FIELDS])
    limit = max(np.abs(change[:, chosen]).max(), 1.0)
    fields = charts.distinct(pl.Series([_plain(t.fields[field], 18) for field in chosen]))
    named = charts.distinct(pl.Series(_labels(profiles)))
    cells = [
        (segment, field, float(value), f"{value:+.0f}" if abs(value) >= 0.5 else "")
        for segment, row in zip(named, change[:, chosen], strict=True)
        for field, value in zip(fields, row, strict=True)
    ]
    frame = pl.DataFrame(cells, schema=["down", "across", "change", "label"], orient="row")
    chart = charts.matrix(frame, "change", float(limit))
    return svg(chart.properties(width=charts.NARROW, height={"step": 40}))


def _labels(profiles: pl.DataFrame) -> list[str]:
    named = (f"{number}. {_plain(name)}" for number, name in enumerate(profiles["segment"], 1))
    return [charts.wrapped(name, LETTERS, LINES) for name in named]


def _plain(name: str, most: int = 0) -> str:
    return plain(name, most)
