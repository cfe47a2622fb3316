"""The segments' part of the report."""

from __future__ import annotations

from typing import Any

import polars as pl

from trajectory.data.store.sales import no_sales, selling_event_types
from trajectory.insights.report_model import Part, Picture, Table, Text
from trajectory.insights.segments.baselines import COUNTS, RFM
from trajectory.insights.segments.evaluate import NONE, OURS, measure
from trajectory.insights.segments.evaluation_page import holdout_accuracy
from trajectory.insights.segments.grouping import LEAST, STABLE, Stability
from trajectory.insights.segments.plots import changes, weekly
from trajectory.insights.segments.predictive_value import WEEKS
from trajectory.insights.segments.segmentation import Segmentation, segmentation
from trajectory.insights.segments.states import trajectories
from trajectory.metrics.significance import bootstrap
from trajectory.reports.words import attention_words, steps
from trajectory.run import Run
from trajectory.schema import Histories

ALIKE = 0.95  # of the most that users of a segment have brought; those of other segments who brought as much
FALL = 0.1  # of what users bought so far; what they are expected to buy less from which on is worth a sentence
FEWEST = 20  # users whose fall may be told
RESAMPLES = 1000  # of a segment's users
ONLY_NEW = (
    " The model's forecast, a part of what is expected beside users' habits, leaves out items that a user has had "
    "(evaluation.seen=filter)."
)
FORMATS = {
    "share of users": "{:.0%}",
    "a week so far": "{:,.1f}",
    "a week to come": "{:,.1f}",
    "drift": "{:.0%}",
}


def build_segments(run: Run) -> Part:
    """The users of a run in segments as of the end of its log; measured are those of its test cut."""
    cut, seed = run.experiment.split.cut_time("test"), run.config.seed
    moments = [cut] if cut is None else [cut, run.experiment.histories.now]
    segmentations = [segmentation(one, seed) for one in trajectories(run, moments)]
    measured, found = measure(run, segmentations[0], (RFM, COUNTS)), segmentations[-1]
    profiles, counted = found.profiles(), found.trajectories.words
    worth = f"share of {counted.unit}"
    return Part(
        name="segments",
        title="Segments: where users are and where they are going",
        sentences=_sentences(found, profiles, measured),
        blocks=(
            Text(_how(found) + (ONLY_NEW if run.config.evaluation.seen == "filter" else "")),
            Picture(
                f"Average {counted.unit} of a user a week: so far (hollow) and to come (filled)",
                weekly(found, profiles),
                f"For each segment one line from what a user {counted.past} a week so far to what is expected.",
            ),
            Table("Segments", _shown(profiles, worth), FORMATS | {worth: "{:.0%}"}, note=_note(found)),
            Picture(
                "Typical path: change of each segment's shares from so far to the next steps, percentage points",
                changes(found, profiles),
                "A grid of segments and departments or interests; blue is gained, red is lost.",
            ),
            *holdout_accuracy(measured, cut, counted),
        ),
        tables={"segments": found.members(), "segment_profiles": profiles},
        measured=measured,
    )


def _shown(profiles: pl.DataFrame, worth: str) -> pl.DataFrame:
    number = pl.Series("no.", range(1, profiles.height + 1))
    return profiles.select(
        number,
        "segment",
        "users",
        pl.col("share_of_users").alias("share of users"),
        pl.col("share_of_value").alias(worth),
        pl.col("value_a_week").alias("a week so far"),
        pl.col("expected_a_week").alias("a week to come"),
        "drift",
        pl.col("sets_apart").alias("sets apart"),
        "path",
    )


def _sentences(found: Segmentation, profiles: pl.DataFrame, measured: dict[str, Any]) -> tuple[str, ...]:
    counted = found.trajectories.words
    told = [_unstable(found)] if not found.stability.enough else []
    best = profiles.filter(pl.col("value_a_week") >= ALIKE * pl.col("value_a_week").max())
    named = " and ".join(f'"{name}"' for name in best["segment"])
    told.append(
        f"{best['users'].sum():,} users ({best['share_of_users'].sum():.0%}) have brought "
        f"{best['share_of_value'].sum():.0%} of the {counted.unit}: {named}. Keep them first."
    )
    staying = pl.col("expected_a_week") >= pl.col("value_a_week")
    new = profiles.filter("new_members", staying).sort("users")
    if new.height:
        most = new.row(-1, named=True)
        told.append(
            f"{new['users'].sum():,} users ({new['share_of_users'].sum():.0%}) are new to what they are "
            f"heading for without {counted.doing} less; "
            f'the largest such segment, {most["users"]:,} users, is "{most["segment"]}". Greet them with what they '
            f"turn to, not with what they used to {counted.verb}."
        )
    if fall := _fallen(found):
        told.append(
            f'The {fall["users"]:,} users of "{fall["segment"]}" are expected to {counted.verb} less than they used '
            f"to, by {fall['share']:.0%}: {fall['total']:,.0f} {counted.unit} a week in all. Win them back."
        )
    if spend := measured["spend"]:
        spend_on = "spend on" if counted.verb == "buy" else f"{counted.verb} of"
        told.append(
            f"The segment alone explains {spend[OURS]['r2']:.0%} of the differences between users in what they "
            f"{spend_on} each kind of goods in the next {WEEKS} weeks; {_beside(spend)}. {_advice(spend)}"
        )
    return tuple(told)


def _fallen(found: Segmentation) -> dict[str, Any]:
    """The segment whose volume is expected to fall most in all, of those that fall by more than noise; or empty.

    That is by FALL or more, of FEWEST users or more, whose changes have a mean with a 95 % interval below 0.
    """
    t, falls = found.trajectories, []
    for number, name in enumerate(found.names):
        inside = found.label == number
        change, before = t.value_ahead[inside] - t.value[inside], t.value[inside].sum()
        users, large = int(inside.sum()), change.sum() < 0 and change.sum() <= -FALL * before
        if users >= FEWEST and large and bootstrap(change, RESAMPLES, seed=0).high < 0:
            falls.append({"segment": name, "users": users, "total": -change.sum(), "share": -change.sum() / before})
    return max(falls, key=lambda fall: fall["total"], default={})


def _beside(spend: dict[str, Any]) -> str:
    return ", ".join(f"{name} {told['r2']:.0%}" for name, told in spend.items() if name not in (OURS, NONE))


def _advice(spend: dict[str, Any]) -> str:
    """What to plan by: what explained most."""
    explained = {name: told["r2"] for name, told in spend.items() if name != NONE}
    best = max(explained, key=lambda name: explained[name])
    if explained[best] <= 0:
        return "None of them is of use for planning."
    return "Plan by segment." if explained[OURS] == explained[best] else f"To plan, take the groups of {best}."


def _unstable(found: Segmentation) -> str:
    """A warning to stand first where the groups would be others for other users, or where one is too small."""
    stable = found.stability
    return (
        "Do not rely on these groups: no number of groups was stable (agreement of at least "
        f"{STABLE:.1f}) with at least {LEAST:.0%} of the users in each; the most stable, {stable.destinations}, had an "
        f"agreement of {stable.bootstrap:.2f}, so that other users of the same shop would be grouped otherwise."
    )


def _how(found: Segmentation) -> str:
    t, stable = found.trajectories, found.stability
    seen = attention_words(t.histories)
    when = "the end of the log" if t.moment is None else f"{pl.from_epoch(pl.Series([t.moment]))[0]:%d %B %Y}"
    return (
        f"As of {when}, users are grouped by what they are expected to {seen.verb} in the next "
        f"{steps(t.histories, t.steps)}: their shares of {len(t.fields)} kinds of goods, with how much they "
        f"{seen.verb}. In each group, those who have long been there are told apart from those whose past lies nearer "
        f"to another group. {_number(stable)}{_uncounted(t.histories)}"
        f"{_without_sales(t.histories)}"
    )


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


def _note(found: Segmentation) -> str:
    counted, seen = found.trajectories.words, attention_words(found.trajectories.histories)
    return (
        "Named by what the group is expected to have more of than everybody. "
        f"Drift: share of what users {seen.verb} that is expected to lie in other kinds than so far, forecast errors "
        f"included. A week: {counted.unit} of one user."
    )
