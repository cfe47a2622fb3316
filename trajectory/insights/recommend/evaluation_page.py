"""How far lists held, as the page shows it: beside those of other methods, and what diversity costs."""

from __future__ import annotations

from typing import Any

import polars as pl

from trajectory.insights.recommend.evaluate import GIVEN_UP
from trajectory.insights.recommend.lists import SIZE
from trajectory.insights.recommend.relevance import Relevance
from trajectory.insights.report_model import Picture, Table
from trajectory.reports import charts
from trajectory.reports.pictures import svg
from trajectory.reports.words import steps
from trajectory.schema import Histories

MISSED = "What users had before is on no list (evaluation.seen=filter): where they took it again, it is not found."
NAMES = {
    Relevance.name: "this list: forecast and counts, pooled",
    "next item": "the model's next step alone",
    "ease": "what like users have (EASE)",
}


def holdout_accuracy(
    held: dict[str, Any], kept: str, curve: list[dict[str, float]], share: float
) -> list[Table | Picture]:
    """Lists compared with those of baselines, on what was `kept` back of each user; what diversity costs, where items
    have interests.
    """
    return [against_baselines(held, kept), *([trade_off(curve, share)] if curve else [])]


def against_baselines(held: dict[str, Any], kept: str) -> Table:
    """Lists compared with those of baselines, on what was `kept` back of each user."""
    words = {"all": "found", "again": "found, had before", "new": "found, new"}
    groups = [group for group in words if group in held["rows"][Relevance.name]]
    rows = [
        {"list": list_name(name)}
        | {words[group]: row[group]["recall"] for group in groups}
        | {"NDCG": row["all"]["ndcg"], "of the catalogue": row["coverage"], "novelty (bits)": row["novelty"]}
        | ({} if row["diversity"] is None else {"different interests": row["diversity"]})
        for name, row in held["rows"].items()
    ]
    formats = {words[group]: "{:.1%}" for group in groups} | {"NDCG": "{:.4f}", "novelty (bits)": "{:.1f}"}
    return Table(
        f"How such lists held: {kept}, {held['users']:,} users",
        pl.DataFrame(rows),
        formats | {"of the catalogue": "{:.1%}", "different interests": "{:.1%}"},
        note=f"found: share of what was taken that was on a list of {SIZE}"
        + ("; had before, new: of such items, on lists of such items alone. " if groups[1:] else f". {MISSED} ")
        + "Novelty: mean surprise of the items; different interests: of the pairs of a list.",
    )


def kept_back(held: dict[str, Any], histories: Histories) -> str:
    """What was kept back of each user, as the split asks for it (`compare_lists`)."""
    if held["steps"] == 1:
        return f"one {steps(histories, 1)} of each that was kept back"
    many = f"{held['steps_mean']:.1f} on average; {held['users_of_most']:,} users have so many"
    return f"up to {steps(histories, held['steps'])} of each that were kept back ({many})"


def trade_off(curve: list[dict[str, float]], share: float) -> Picture:
    """What diversity costs (`evaluate.trade_off`), and the share that is taken."""
    x, y = [point["diversity"] for point in curve], [point["ndcg"] for point in curve]
    told = (curve[0]["share"], share, curve[-1]["share"])
    labels = [percent(point["share"]) if point["share"] in told else "" for point in curve]
    frame = pl.DataFrame({"diversity": x, "ndcg": y, "share": [point["share"] for point in curve], "label": labels})
    across = "pairs of a list that are of different interests"
    chart = charts.trade_off(frame, "diversity", "ndcg", across, f"relevance (NDCG@{SIZE})")
    return Picture(
        "What diversity costs",
        svg(chart),
        f"Relevance goes from {y[0]:.3f} to {y[-1]:.3f} while the share of pairs of different interests goes from "
        f"{x[0]:.1%} to {x[-1]:.1%}.",
        "On the validation window; labels: how much the mix of interests counts. Taken is the most that costs up to "
        f"{GIVEN_UP:.0%} of the relevance: {percent(share)}.",
    )


def percent(share: float) -> str:
    """A share with the digits that tell it from none."""
    return f"{100 * share:.2g}%"


def list_name(name: str) -> str:
    """What the page calls a list of `compare_lists`."""
    return NAMES.get(name, name.replace("_", " "))
