"""How well attributions find planted causes, as a table and a picture of where each method fails."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from trajectory.reports import charts, pictures

COLUMNS = {
    "first": "cause is first",
    "distractor_first": "a distractor is first",
    "distractor": "distractor above its basket",
    "distractor_size": "the same by size",
}
NATS = {
    "nats_cause": "nats of the cause",
    "nats_distractor": "of a distractor",
    "nats_same_interest": "of others of the target's interest",
    "nats_others": "of other interests",
}


PROBABILITIES = {"probability": "target's probability"}
# The same of a shop: no baskets of distractors, but a control.
SHOP_COLUMNS = {"first": "a view of the trigger is first", "control_first": "a view of the control is first"}
SHOP_NATS = {"nats_cause": "nats of the trigger", "nats_control": "of the control", "nats_others": "of others"}
SHOP_PROBABILITIES = PROBABILITIES | {"probability_without": "without the trigger"}


def markdown(
    table: pl.DataFrame,
    shares: Mapping[str, str] = COLUMNS,
    nats: Mapping[str, str] = NATS,
    probabilities: Mapping[str, str] = PROBABILITIES,
) -> str:
    """A row for each log and ranking; shares, mean nats, and median probabilities: columns and their headings."""
    names = [*shares.values(), *nats.values(), *probabilities.values()]
    lines = [f"| log | ranking | {' | '.join(names)} |", "|---|---|" + "--:|" * len(names)]
    for row in table.iter_rows(named=True):
        cells = [f"{row[name]:.3f}" for name in shares]
        cells += ["" if row[name] is None else f"{row[name]:+.2f}" for name in nats]
        cells += [f"{row[name]:.3f}" for name in probabilities]
        lines.append(f"| {row['log']} | {row['ranking'].replace('_', ' ')} | {' | '.join(cells)} |")
    return "\n".join(lines)


def draw(table: pl.DataFrame, path: Path) -> None:
    """A panel for each quantity that was varied (column `varied`, `value` on its axis), a line for each ranking."""
    panels = [
        charts.lines(
            part.select(pl.col("value").alias(name), "first", pl.col("ranking").str.replace_all("_", " ")),
            f"{name}:Q",
            "first",
            "ranking",
            "",
            unit="highest attribution is the planted cause (share)",
        ).properties(width=260)
        for (name,), part in table.group_by("varied", maintain_order=True)
    ]
    pictures.save(charts.panels(panels, len(panels)), path)
