"""How well attributions find planted causes, as a table and a picture of where each method fails."""

from __future__ import annotations

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


def markdown(table: pl.DataFrame) -> str:
    """A row for each log and ranking; shares, mean nats, and the target's median probability."""
    names = [*COLUMNS.values(), *NATS.values(), "target's probability"]
    lines = [f"| log | ranking | {' | '.join(names)} |", "|---|---|" + "--:|" * len(names)]
    for row in table.iter_rows(named=True):
        cells = [f"{row[name]:.3f}" for name in COLUMNS]
        cells += ["" if row[name] is None else f"{row[name]:+.2f}" for name in NATS]
        cells.append(f"{row['probability']:.3f}")
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
