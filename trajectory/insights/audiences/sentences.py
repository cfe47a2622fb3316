"""What matters of audiences: whom to address for what, and how much better than chance the ranking was."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from trajectory.insights.audiences.audience import Audience
from trajectory.insights.audiences.evaluate import OURS, counting_ahead
from trajectory.insights.audiences.page import WEEKS
from trajectory.insights.customers.sums import Money
from trajectory.insights.report_model import Statement


def sentences(
    measured: dict[str, Any], audience: Audience, rows: pl.DataFrame, money: Money, cut: datetime
) -> list[Statement]:
    """What a merchant does with it: the largest audience, and how much better than chance the ranking was from the cut
    on. `money`: what users are expected to spend. Where counting ranked better beyond chance, or the ranking no better
    than chance, nobody is addressed by it, but by counting (`counted_table`) where that is better than chance.
    """
    mine = rows.filter(pl.col("kind") == audience.goods.kind)
    best = mine.group_by("target").agg(pl.len(), pl.col("probability").sum(), pl.col("days").median())
    top = best.sort("probability", "target", descending=[True, False]).row(0, named=True)
    arriving, rival = measured["arriving"], counting_ahead(measured)
    column = [audience.goods.names[group] for group in audience.model.chosen].index(top["target"])
    usual = float(np.mean(audience.probability[audience.lapsed[:, column], column]))
    again = "" if top["days"] is None else f"; half of them come again within {top['days']:.0f} days"
    address = (
        f"Address {top['len']} users for {top['target']}: none bought of it in the last {WEEKS} weeks, and "
        f"{top['probability']:.0f} of them are expected to within {audience.days} days "
        f"({top['probability'] / top['len']:.0%} on average, {usual:.0%} of all such users){again}."
        f"{money.said(money.rows(mine.filter(pl.col('target') == top['target'])['user']))}"
    )
    ranked = (
        f"The most likely tenth of users who had not bought in {WEEKS} weeks bought "
        f"{arriving['methods'][OURS]['lift']:.1f} times as often as such users in general, over {arriving['groups']} "
        f"{audience.goods.kind}s in the {audience.days} days from {cut:%d %B %Y} on."
    )
    if better := [name for name, lead in arriving["leads"].items() if lead["high"] < 0]:
        address = f"Address nobody by these audiences: ranked by {' or by '.join(better)} more buyers came first."
    elif arriving["methods"][OURS]["low"] <= 0.5:
        address = "Address nobody by these audiences: their ranking was no better than chance."
    else:
        return [Statement(address, "do", "audiences"), Statement(ranked, "sure", "audiences")]
    counted = [Statement(_counted(arriving, rival), "do", "audiences_by_counting")] if rival else []
    return [*counted, Statement(address, "sure"), Statement(ranked, "sure", "audiences")]


def _counted(arriving: dict[str, Any], rival: str) -> str:
    return (
        f"Address those whom {rival} ranks first: its most likely tenth bought "
        f"{arriving['methods'][rival]['lift']:.1f} times as often as all who had not bought in {WEEKS} weeks."
    )
