"""The budget curve: how many answers to expect of an audience of each size, beside what came and the rivals."""

from __future__ import annotations

import numpy as np
import polars as pl

from trajectory.insights.audiences.ranking import expected_hits
from trajectory.insights.report_model import Picture
from trajectory.names import plain
from trajectory.reports.pictures import LETTERS, new_figure, svg

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
    figure = new_figure()
    axes = figure.subplots()
    size = rows["audience"].to_numpy()
    styles = {"expected": ("k", "--"), "at random": ("0.6", ":")}
    for number, name in enumerate(rows.columns[1:]):
        colour, line = styles.get(name, (f"C{number - 1}", "-"))
        axes.plot(size, rows[name].to_numpy(), color=colour, linestyle=line, label=name, linewidth=1.6)
    axes.set(
        xlabel="audience (users, most likely first)", ylabel=plain(answers, LETTERS), xlim=(0, size[-1]), ylim=(0, None)
    )
    axes.legend(fontsize=8, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    ours, tenth = rows.columns[2], rows[int(POINTS * 0.1)]
    words = (
        f"Of {size[-1]:,} users, the first {tenth['audience'][0]:,} by {ours} hold {tenth[ours][0]:.0f} of "
        f"{rows[ours][-1]:.0f} {answers} ({tenth['expected'][0]:.0f} expected); at random {tenth['at random'][0]:.0f}."
    )
    return Picture(title, svg(figure), words, "The broken line was forecast; the others were observed.")
