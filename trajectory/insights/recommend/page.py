"""What the page shows of recommendations."""

from __future__ import annotations

import numpy as np
import polars as pl

from trajectory import hints
from trajectory.data.store.sales import selling_event_types
from trajectory.insights.recommend.evaluation_page import list_name, percent
from trajectory.insights.recommend.lists import SIZE
from trajectory.insights.recommend.relevance import FEWEST, Relevance
from trajectory.insights.report_model import Table, Text
from trajectory.reports.words import Words, steps, words
from trajectory.run import Run
from trajectory.schema import Histories

WINNERS = 10  # items
BUT = " nor had any other event of it"
OF = {False: "items that are new to a user", True: "items that a user has had"}


def blocks(
    run: Run,
    relevance: Relevance,
    keep: np.ndarray | None,
    explained: pl.DataFrame,
    winners: pl.DataFrame,
    without: int,
    but: str,
) -> list[Text | Table]:
    """What lists hold and may hold, `explained` lists of some users, and the items with users to win; `without`: users
    without a list.
    """
    h, ahead = relevance.histories, window(relevance)
    limited = limits(run, relevance, keep)
    return [
        *([Text(limited)] if limited else []),
        *not_known(relevance, ahead),
        *([Text(f"{without:,} users get no list: they have had all that may be shown.")] if without else []),
        of_users(explained, h, ahead),
        *(
            [acquisition_potential(winners, window(relevance, of_all=True), lately_words(relevance), words(h), but)]
            if len(winners)
            else []
        ),
    ]


def order_description(share: float, ahead: str, rival: str = "") -> str:
    """What a list holds in which order, where the mix of interests counts `share`; `rival`: by what it is instead."""
    if rival:
        return (
            f"Each list holds the {SIZE} items that come first by {list_name(rival)}: lists of the forecast found less "
            "of what was held out, by more than chance. How likely its items are is not known."
        )
    told = "as far as the forecast, the user's own past and what like users have tell together"
    if not share:
        return f"Each list holds the {SIZE} items that are most likely within {ahead}, {told}, most likely first."
    return (
        f"Each list takes {SIZE} of the items that are most likely within {ahead}, {told}, in an order by which the "
        f"mix of the user's interests counts {percent(share)}: an item may be more likely than one above it, where the "
        "one above brings an interest nearer to its share."
    )


def window(relevance: Relevance, of_all: bool = False) -> str:
    """Within what chances are: the steps, those of the validation window's days where these seldom hold as many; of
    users who come in them, or `of_all`.
    """
    ahead = steps(relevance.histories, relevance.steps)
    if not relevance.fits or relevance.steps_had >= relevance.steps - 0.05:
        return f"the next {ahead}"
    if not relevance.days:
        return f"the next {ahead} ({relevance.steps_had:.1f} on average)"
    return f"the next {ahead} that come in {_days(relevance)}{'' if of_all else ', if they come then'}"


def of_users(explained: pl.DataFrame, histories: Histories, ahead: str) -> Table:
    """Single users' lists, with reasons; chances where there are any."""
    chance = f"chance within {ahead}"
    columns = {"user": "user", "list": "list", "rank": "rank", "title": "item"}
    columns |= {"interest": "interest"} if histories.interests else {}
    known = explained["probability"].count() > 0
    columns |= ({"probability": chance} if known else {}) | {"because": "because"}
    formats = {chance: "{:.0%}"} if known else {}
    done = "baskets with the item" if histories.baskets else "events"
    note = f"because: counted are {done} in the user's whole history; of what is new, users who did as this one."
    if (explained["because"] == "").any():
        note += " Empty where no such count speaks for the item, as where it is expected of everybody."
    return Table("One user's lists", explained.select(*columns).rename(columns), formats, by="user", note=note)


def lately_words(relevance: Relevance) -> str:
    """What the newest of the `past_windows` is."""
    most = steps(relevance.histories, relevance.steps)
    return f"in the first {most} of the last {_days(relevance)}" if relevance.days else f"in each user's last {most}"


def _days(relevance: Relevance) -> str:
    return f"{relevance.days:,} day{'s' * (relevance.days > 1)}"


def acquisition_potential(table: pl.DataFrame, ahead: str, before: str, counted: Words, but: str = "") -> Table:
    """The items that most users who have not bought them are expected to buy; `before`: the newest window; `but`: who
    of these is not counted.
    """
    will = f"will {counted.verb} it"
    rows = table.head(WINNERS).select(
        pl.col("title").alias("item"), "users", pl.col("expected").alias(will), pl.col("lately").alias(before)
    )
    return Table(
        "Items with the most users to win",
        rows,
        {will: "{:.0f}" if rows[will].to_numpy().max() >= 10 else "{:.1f}", "users": "{:,}", before: "{:,}"},
        note=f"users: who have not {counted.past} it so far{but}; {will}: their chances within {ahead}, added up, in "
        f"all about as many as did so {before}, and of each item as often as in all such windows since validation, "
        f"as far as that was not chance; {before}: who {counted.past} it for the first time then.",
    )


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


def event_types_note(histories: Histories) -> str:
    """What is taken, where that is not always a sale."""
    if set(histories.event_types) <= set(selling_event_types(histories)):
        return ""
    types = ", ".join(histories.event_types)
    sale = (
        ", ".join(event_type for event_type in histories.event_types if event_type in selling_event_types(histories))
        or "none of them"
    )
    own = (
        types if histories.only_targets else ", ".join(t for t in histories.event_types if t not in histories.only_read)
    )
    return f" To have or to take an item is any event of it of these types: {own}; a sale is {sale}."


def limits(run: Run, relevance: Relevance, keep: np.ndarray | None) -> str:
    """What may not be on a list, and steps that the run forecasts but the split does not ask for."""
    texts, horizon = [], run.config.heads.horizon
    if relevance.filter_seen:
        again = hints.setting("evaluation.seen", "keep")
        texts.append(f"What a user has had is on none of the lists; {again} lets it come again.")
    if keep is not None and not keep[1:].all():
        texts.append(f"Of {len(keep) - 1:,} items the {keep.sum():,} that were named may be on lists.")
    if relevance.steps < horizon:
        texts.append(
            f"The run forecasts {steps(relevance.histories, horizon)}, but its split keeps back no more than "
            f"{relevance.steps} of each user, by which chances are fitted and lists are measured: lists are for so "
            "many. A split by time with split.target=all and a smaller split.quantile, or split.kind=leave_last with "
            "more split.steps, keeps back more."
        )
    if relevance.fits and relevance.steps_had < relevance.steps - 0.05:
        texts.append(
            "Chances are of the validation window, to which they are fitted. There users who came had "
            f"{relevance.steps_had:.1f} of the next {steps(relevance.histories, relevance.steps)} on average: more may "
            "come within all of them."
        )
    return " ".join(texts)
