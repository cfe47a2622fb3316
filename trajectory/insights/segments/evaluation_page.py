"""How far segments held, as the page shows it: beside other ways to segment, and with what is known of households."""

from __future__ import annotations

from typing import Any

import polars as pl

from trajectory.insights.report_model import Table, Text
from trajectory.insights.segments.evaluate import NONE, OURS
from trajectory.insights.segments.predictive_value import WEEKS
from trajectory.reports.words import Words


def holdout_accuracy(measured: dict[str, Any], cut: int | None, counted: Words) -> list[Text | Table]:
    """Tables of what `measure` found of the segments as of the cut (unix seconds; None: of those that are shown)."""
    names = [OURS, *(name for name in measured["stability"] if name != OURS)]
    rows = {
        "segmentation": names,
        "agreement, other seed": [measured["stability"][name]["seeds"] for name in names],
        "agreement, other users": [measured["stability"][name]["bootstrap"] for name in names],
        "silhouette": [measured["separation"][name] for name in names],
    }
    made = ""
    note = "Each with as many groups. Agreement: adjusted Rand index. Silhouette: in each one's own space, 1 is best."
    if cut is not None:
        moment = pl.from_epoch(pl.Series([cut]))[0]
        made = f"Of {measured['segments']} segments made as of {moment:%d %B %Y} by what was known then. "
        note = f"{made}{note}"
    if spend := measured["spend"]:
        buying = counted.verb == "buy"
        explained = "spend explained" if buying else f"{counted.unit} explained"
        rows[explained] = [spend[name]["r2"] for name in names]
        rows["error a week"] = [spend[name]["absolute"] for name in names]
        note += (
            f" {'Spend' if buying else counted.unit.capitalize()} of the {WEEKS} weeks after by kind of goods, from "
            f"the segment's mean of other users; with no segments the error is {spend[NONE]['absolute']:.2f} a week."
        )
    if redemption := measured["redemption"]:
        rows["redemption AUC"] = [redemption["auc"][name]["auc"] for name in names]
        note += f" Redemption: {redemption['asked']:,} times that a user got a campaign, 0.5 is chance."
    formats = {name: "{:.1%}" if name.endswith("explained") else "{:.2f}" for name in rows} | {"segmentation": ""}
    blocks: list[Text | Table] = [Table("How far segments hold", pl.DataFrame(rows), formats, note=note)]
    if measured["association"]:
        blocks.append(_households(measured["association"], names, made))
    return blocks


def _households(association: dict[str, list[dict[str, Any]]], names: list[str], made: str) -> Table:
    table = pl.DataFrame(
        {
            "household": [row["column"].replace("_", " ") for row in association[OURS]],
            "users": [row["users"] for row in association[OURS]],
            **{name: [row["strength"] for row in association[name]] for name in names},
            "p": [row["p_value"] for row in association[OURS]],
        }
    )
    return Table(
        "Segments and households",
        table,
        {name: "{:.2f}" for name in names} | {"p": "{:.3f}"},
        note=f"{made}Cramer's V, corrected for chance: 0 none, 1 complete. p of the segments, adjusted for all rows.",
    )
