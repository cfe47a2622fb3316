"""How well attributions find planted causes, as a table and a picture of where each method fails."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from trajectory.reports import pictures

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
    names = table["varied"].unique(maintain_order=True).to_list()
    figure = pictures.new_figure(4.2 * len(names), 4, layout="tight")
    panels = figure.subplots(1, len(names), sharey=True, squeeze=False)
    for panel, name in zip(panels[0], names, strict=True):
        for ranking in table["ranking"].unique(maintain_order=True):
            line = table.filter(pl.col("varied") == name, pl.col("ranking") == ranking).sort("value")
            panel.plot(line["value"], line["first"], marker="o", label=ranking.replace("_", " "))
        panel.set_xlabel(name)
        panel.set_xticks(sorted(table.filter(pl.col("varied") == name)["value"].unique()))
        panel.set_ylim(0, 1.03)
        panel.grid(alpha=0.3)
    panels[0][0].set_ylabel("share of forecasts\nwhose highest attribution is the planted cause")
    panels[0][-1].legend(fontsize=8)
    pictures.save(figure, path)
