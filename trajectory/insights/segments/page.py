"""What the page shows of segments: how much each buys so far and to come, and where it is heading."""

from __future__ import annotations

import polars as pl

from trajectory.data.store.sales import no_sales, selling_event_types
from trajectory.insights.customers.sums import SUMS, Money
from trajectory.insights.report_model import Picture, Table, Text
from trajectory.insights.segments.grouping import LEAST, STABLE, Stability
from trajectory.insights.segments.plots import changes, weekly
from trajectory.insights.segments.segmentation import Segmentation
from trajectory.insights.segments.states import Trajectories
from trajectory.reports.words import attention_words, steps
from trajectory.schema import Histories

ONLY_NEW = (
    " The model's forecast, a part of what is expected beside users' habits, leaves out items that a user has had "
    "(evaluation.seen=filter)."
)
FORMATS = {
    "share of users": "{:.0%}",
    "a week so far": "{:,.1f}",
    "a week to come": "{:,.1f}",
    "drift": "{:.0%}",
    **dict.fromkeys(SUMS.values(), "{:,.0f}"),
}


def blocks(
    segmentation: Segmentation, profiles: pl.DataFrame, money: Money, only_new: bool
) -> list[Text | Picture | Table]:
    """How users are grouped, what each segment buys so far and to come, and what it turns to; `money`: what the sums of
    the profiles are of; `only_new`: the model's forecast leaves out items that a user has had.
    """
    counted = segmentation.trajectories.words
    worth = f"share of {counted.unit}"
    return [
        Text(_how(segmentation) + (ONLY_NEW if only_new else "")),
        Picture(
            f"Average {counted.unit} of a user a week: so far (hollow) and to come (filled)",
            weekly(segmentation, profiles),
            f"For each segment one line from what a user {counted.past} a week so far to what is expected.",
        ),
        Table(
            "Segments",
            _shown(profiles, worth),
            FORMATS | {worth: "{:.0%}"},
            note=f"{_note(segmentation)} {money.note}",
        ),
        Picture(
            "Typical path: change of each segment's shares from so far to the next steps, percentage points",
            changes(segmentation, profiles),
            "A grid of segments and departments or interests; blue is gained, red is lost.",
        ),
    ]


def _shown(profiles: pl.DataFrame, worth: str) -> pl.DataFrame:
    number = pl.Series("no.", range(1, profiles.height + 1))
    known = profiles["spend_expected"].null_count() < profiles.height
    return profiles.select(
        number,
        "segment",
        "users",
        pl.col("share_of_users").alias("share of users"),
        pl.col("share_of_value").alias(worth),
        pl.col("value_a_week").alias("a week so far"),
        pl.col("expected_a_week").alias("a week to come"),
        *([pl.col(name).alias(shown) for name, shown in SUMS.items()] if known else []),
        "drift",
        pl.col("sets_apart").alias("sets apart"),
        "path",
    )


def _how(segmentation: Segmentation) -> str:
    t, stable = segmentation.trajectories, segmentation.stability
    seen = attention_words(t.histories)
    when = "the end of the log" if t.moment is None else f"{pl.from_epoch(pl.Series([t.moment]))[0]:%d %B %Y}"
    ahead = f"in the next {steps(t.histories, t.steps)}" if t.histories.only_targets else "from then on"
    return (
        f"As of {when}, users are grouped by what they are expected to {seen.verb} "
        f"{ahead}: their shares of {len(t.fields)} kinds of goods, with how much they "
        f"{seen.verb}. {_measured(t)}{_expected(t)} In each group, those who have long been there are told apart from "
        f"those whose past lies nearer to another group. {_number(stable)}{_uncounted(t.histories)}"
        f"{_without_sales(t.histories)}"
    )


def _measured(t: Trajectories) -> str:
    """Of what shares are, where the log has more than sales."""
    types, sales = t.histories.event_types, selling_event_types(t.histories)
    if set(types) <= set(sales):
        return ""
    value = f"; share and amounts a week of {t.words.unit} are of {', '.join(sales)} alone" if sales else ""
    return f"Names, paths and drift are shares of events, each counted once ({', '.join(types)}){value}. "


def _expected(t: Trajectories) -> str:
    """What expected shares are made of."""
    model, always, lately = (f"{weight:.0%}" for weight in t.weights)
    own = f"the user's shares since the first event {always} and those of the last weeks {lately}"
    fitted = "as suits best what users of the validation period did next"
    if not t.histories.only_targets:
        return (
            f"What is expected weighs {own}, {fitted}; the model's forecast, which is of {t.histories.step_unit}s "
            "alone, is no part of it."
        )
    return f"What is expected weighs the model's forecast {model}, {own}, {fitted}."


def _number(stable: Stability) -> str:
    if stable.enough:
        return (
            "There are as many groups as stay the same when the users are drawn anew: the largest number with an "
            f"agreement (adjusted Rand index) of at least {STABLE:.1f} on average; here {stable.destinations} groups, "
            f"{stable.bootstrap:.2f}."
        )
    return (
        "No number of groups, each of at least "
        f"{LEAST:.0%} of the users, stayed the same when the users were drawn anew (agreement, adjusted Rand index, of "
        f"at least {STABLE:.1f} on average): taken is the number with the highest agreement, {stable.destinations} "
        f"groups, {stable.bootstrap:.2f}."
    )


def _uncounted(histories: Histories) -> str:
    without = (histories.item_interest[histories.item] == 0).mean()
    return (
        f" Items without a category ({without:.1%} of the events) count in value, and group nobody." if without else ""
    )


def _without_sales(histories: Histories) -> str:
    return "" if selling_event_types(histories) else f" {no_sales(histories, 'Value of sales and spend are left out')}"


def _note(segmentation: Segmentation) -> str:
    counted, seen = segmentation.trajectories.words, attention_words(segmentation.trajectories.histories)
    return (
        "Named by what the group is expected to have more of than everybody. "
        f"Drift: share of what users {seen.verb} that is expected to lie in other kinds than so far, forecast errors "
        f"included. A week: {counted.unit} of one user; to come: so far and "
        f"{_goes_on(segmentation.trajectories.goes_on)}."
    )


def _goes_on(share: float | None) -> str:
    if share is None:
        return "half of what the last weeks differ from that, as no weeks were held out to tell how much of it goes on"
    return f"{share:.0%} of what the last weeks differ from that, as much as went on in validation's weeks"
