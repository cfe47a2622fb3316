"""The budget curve: how many answers to expect of an audience of each size, beside what came and the rivals."""

from __future__ import annotations

import numpy as np
import polars as pl

from trajectory.insights.audiences.ranking import expected_hits
from trajectory.insights.report_model import Picture
from trajectory.reports import charts
from trajectory.reports.pictures import svg

POINTS = 40  # sizes in the table


def curve(probability: np.ndarray, outcome: np.ndarray, scores: dict[str, np.ndarray]) -> pl.DataFrame:
    """Audience sizes 0 to n against answers: `expected` by the first score's probabilities [n], and what came by each.

    `scores` [n] by name, ours first; the users most likely to answer come first.
    """
    n = len(outcome)
    sizes = np.unique(np.linspace(0, n, POINTS + 1).round().astype(int))
    ours = next(iter(scores.values()))
    summed = np.concatenate([[0.0], np.cumsum(probability[np.argsort(-ours, kind="stable")])])
    columns = {"audience": sizes, "expected": summed[sizes]}
    columns |= {name: expected_hits(outcome, score)[sizes] for name, score in scores.items()}
    return pl.DataFrame(columns).with_columns((pl.col("audience") / n * outcome.sum()).alias("at random"))


def draw(rows: pl.DataFrame, title: str, answers: str) -> Picture:
    """The curve as a picture; `answers` names what is counted."""
    size = rows["audience"]
    long = rows.unpivot(index="audience", variable_name="by", value_name="answers")
    chart = charts.budget(long, "audience", "answers", "by", "audience (users, most likely first)", answers)
    ours, tenth = rows.columns[2], rows[int(POINTS * 0.1)]
    words = (
        f"Of {size[-1]:,} users, the first {tenth['audience'][0]:,} by {ours} hold {tenth[ours][0]:.0f} of "
        f"{rows[ours][-1]:.0f} {answers} ({tenth['expected'][0]:.0f} expected); at random {tenth['at random'][0]:.0f}."
    )
    return Picture(title, svg(chart), words, "The broken line was forecast; the others were observed.")
