"""What the page shows of recommendations."""

from __future__ import annotations

from typing import Any

import polars as pl

from trajectory.insights.recommend.evaluate import GIVEN_UP, OWN
from trajectory.insights.recommend.lists import NEW, SIZE
from trajectory.insights.recommend.relevance import FEWEST, Relevance
from trajectory.insights.report_model import Picture, Table, Text
from trajectory.reports import charts
from trajectory.reports.pictures import svg
from trajectory.reports.words import Words, steps
from trajectory.schema import Histories

WINNERS = 10  # items
MISSED = "What users had before is on no list (evaluation.seen=filter): where they took it again, it is not found."
BUT = " nor had any other event of it"
OF = {False: "items that are new to a user", True: "items that a user has had"}
NAMES = {
    Relevance.name: "this list: forecast and counts, pooled",
    "next item": "the model's next step alone",
    "ease": "what like users have (EASE)",
}


def sentences(
    table: pl.DataFrame,
    winners: pl.DataFrame,
    held: dict[str, Any],
    ahead: str,
    asked: str,
    counted: Words,
    but: str = "",
) -> tuple[str, ...]:
    """What matters of lists, of new buyers, and of how lists held (`compare_lists`), most important first; `asked`:
    what was kept back of each user; `but`: see `acquisition_potential`.
    """
    found = []
    for top in winners.filter(pl.col("expected") >= 0.5).head(1).iter_rows(named=True):
        found.append(
            f"{top['title']} has the most users to win: of the {top['users']:,} who never {counted.past} it{but}, "
            f"{top['expected']:,.0f} are expected to {counted.verb} it within {ahead}."
        )
    best, others = held["rows"][Relevance.name], {k: v["all"] for k, v in held["rows"].items() if k not in OWN}
    rival = max(others, key=lambda name: others[name]["recall"])
    found.append(
        f"Lists of {SIZE} items held {best['all']['recall']:.1%} of what {held['users']:,} users took in "
        f"{asked}; the best other list ({_name(rival)}) "
        f"{others[rival]['recall']:.1%}."
    )
    if NEW in table["list"] and best["again"]["users"] and best["new"]["users"]:
        again, new = best["again"]["recall"], best["new"]["recall"]
        found.append(
            f"Of what users took again, a list of what they had before held {again:.1%}; of what they took for the "
            f"first time, a list of new items {new:.1%}."
        )
    return tuple(found)


def order_description(share: float, ahead: str) -> str:
    """What a list holds in which order, where the mix of interests counts `share`."""
    told = "as far as the forecast, the user's own past and what like users have tell together"
    if not share:
        return f"Each list holds the {SIZE} items that are most likely within {ahead}, {told}, most likely first."
    return (
        f"Each list takes {SIZE} of the items that are most likely within {ahead}, {told}, in an order by which the "
        f"mix of the user's interests counts {percent(share)}: an item may be more likely than one above it, where the "
        "one above brings an interest nearer to its share."
    )


def window(relevance: Relevance) -> str:
    """Within which steps chances are: with how many of them the validation window has on average, if not all."""
    said = f"the next {steps(relevance.histories, relevance.steps)}"
    if relevance.fits and relevance.steps_had < relevance.steps - 0.05:
        return f"{said} ({relevance.steps_had:.1f} on average)"
    return said


def percent(share: float) -> str:
    """A share with the digits that tell it from none."""
    return f"{100 * share:.2g}%"


def of_users(explained: pl.DataFrame, histories: Histories, ahead: str, length: int) -> Table:
    """Single users' lists, with reasons from the last `length` events; chances where there are any."""
    chance, because = f"chance within {ahead}", "because (nats towards the next step)"
    columns = {"user": "user", "list": "list", "rank": "rank", "title": "item"}
    columns |= {"interest": "interest"} if histories.interests else {}
    known = explained["probability"].count() > 0
    columns |= ({"probability": chance} if known else {}) | {"because": because}
    formats = {chance: "{:.0%}"} if known else {}
    done = "baskets with it" if histories.baskets else "events"
    note = f"because: counted are {done} among the last {length:,} events of a user at most, all that the model reads."
    if (explained["because"] == "").any():
        note += " Empty where nothing in these events speaks for the item, as where it is expected of everybody."
    return Table("One user's lists", explained.select(*columns).rename(columns), formats, by="user", note=note)


def acquisition_potential(table: pl.DataFrame, ahead: str, counted: Words, but: str = "") -> Table:
    """The items that most users who have not bought them are expected to buy; `but`: who of these is not counted."""
    will = f"will {counted.verb} it"
    rows = table.head(WINNERS).select(pl.col("title").alias("item"), "users", pl.col("expected").alias(will))
    return Table(
        "Items with the most users to win",
        rows,
        {will: "{:.0f}" if rows[will].to_numpy().max() >= 10 else "{:.1f}", "users": "{:,}"},
        note=f"users: who have not {counted.past} it so far{but}; {will}: their chances within {ahead}, added up; "
        "in all as many as in the validation window. The largest of many estimates tend to be too large.",
    )


def how_it_held(held: dict[str, Any], asked: str) -> Table:
    """Lists compared with those of baselines, on what was held out: of each user `asked`."""
    words = {"all": "found", "again": "found, had before", "new": "found, new"}
    groups = [group for group in words if group in held["rows"][Relevance.name]]
    rows = [
        {"list": _name(name)}
        | {words[group]: row[group]["recall"] for group in groups}
        | {"NDCG": row["all"]["ndcg"], "of the catalogue": row["coverage"], "novelty (bits)": row["novelty"]}
        | ({} if row["diversity"] is None else {"different interests": row["diversity"]})
        for name, row in held["rows"].items()
    ]
    formats = {words[group]: "{:.1%}" for group in groups} | {"NDCG": "{:.4f}", "novelty (bits)": "{:.1f}"}
    return Table(
        f"How such lists held: {asked}, {held['users']:,} users",
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
    return f"up to {steps(histories, held['steps'])} of each that were kept back"


def not_known(relevance: Relevance, steps_ahead: str) -> list[Text]:
    """Which chances of items that may be on lists are not told, and why (`relevance.probabilities`)."""
    shown = {False: OF[False]} if relevance.filter_seen else OF
    if unknown := [words for again, words in shown.items() if again not in relevance.fits]:
        return [
            Text(
                f"Chances of {' and of '.join(unknown)} are not told, nor what is expected of them: in the validation "
                f"window fewer than {FEWEST} of them came within {steps_ahead}, and chances are fitted to these. Such "
                "items are in the order of the forecast, as often as they came."
            )
        ]
    return []


def trade_off(curve: list[dict[str, float]], share: float) -> Picture:
    """What diversity costs (`measure.trade_off`), and the share that is taken."""
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


def _name(name: str) -> str:
    return NAMES.get(name, name.replace("_", " "))
