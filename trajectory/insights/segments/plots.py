"""Pictures of segments: what a user buys a week, so far and to come, and which shares change."""

from __future__ import annotations

from textwrap import shorten, wrap

import numpy as np
import polars as pl

from trajectory.insights.segments.names import plain_name
from trajectory.insights.segments.segmentation import Segmentation
from trajectory.migrations.step_windows import shares
from trajectory.names import plain
from trajectory.reports.pictures import new_figure, svg

FIELDS = 8  # of the second picture
LETTERS, LINES = 34, 3  # of a name
INK, GAIN, LOSS = "#1f4e79", "#1f6fb4", "#b4451f"


def weekly(found: Segmentation, profiles: pl.DataFrame) -> str:
    """One line for each segment, from its users' volume so far to that expected; SVG."""
    figure = new_figure(5.6, 1.2 + 0.36 * profiles.height)
    axes = figure.subplots()
    so_far, to_come = profiles["value_a_week"].to_numpy(), profiles["expected_a_week"].to_numpy()
    row = np.arange(profiles.height)
    axes.hlines(row, so_far, to_come, color=np.where(to_come >= so_far, GAIN, LOSS), linewidth=2.5)
    axes.scatter(so_far, row, facecolor="white", edgecolor=INK, zorder=3, s=30)
    axes.scatter(to_come, row, color=INK, zorder=3, s=30)
    axes.set_yticks(row, _labels(profiles), fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.set_xlabel(f"{found.trajectories.words.unit} of a user a week")
    axes.grid(axis="x", color="#dddddd")
    axes.set_axisbelow(True)
    return svg(figure)


def changes(found: Segmentation, profiles: pl.DataFrame) -> str:
    """Segments by the fields whose shares change most: percentage points from past to expected; SVG."""
    t = found.trajectories
    inside = np.arange(len(found.names))[:, None] == found.label
    past, ahead = (shares((inside @ volumes) @ t.field_shares) for volumes in (t.past, t.ahead))
    change = 100 * (ahead - past)
    chosen = np.sort(np.argsort(-np.abs(change).max(0), kind="stable")[:FIELDS])
    figure = new_figure(5.6, 2.0 + 0.36 * profiles.height)
    axes = figure.subplots()
    limit = max(np.abs(change[:, chosen]).max(), 1.0)
    axes.imshow(change[:, chosen], cmap="RdBu", vmin=-limit, vmax=limit, aspect="auto")
    for (row, column), value in np.ndenumerate(change[:, chosen]):
        if abs(value) >= 0.5:
            ink = "white" if abs(value) > 0.6 * limit else "black"
            axes.text(column, row, f"{value:+.0f}", ha="center", va="center", color=ink, fontsize=8)
    axes.set_yticks(np.arange(len(change)), _labels(profiles), fontsize=8)
    kinds = [shorten(_plain(t.fields[field]), 18, placeholder="…") for field in chosen]
    axes.set_xticks(np.arange(len(chosen)), kinds, rotation=40, ha="right")
    return svg(figure)


def _labels(profiles: pl.DataFrame) -> list[str]:
    named = (f"{number}. {name}" for number, name in enumerate(profiles["segment"], 1))
    return ["\n".join(wrap(_plain(name), LETTERS, max_lines=LINES, placeholder="…")) for name in named]


def _plain(name: str) -> str:
    return plain(plain_name(name))
