"""What matters of segments, in a merchant's words: whom to keep, to greet and to win back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from trajectory.insights.customers.sums import Money
from trajectory.insights.report_model import Statement
from trajectory.insights.segments.evaluate import NONE, OURS
from trajectory.insights.segments.grouping import LEAST, STABLE
from trajectory.insights.segments.names import TURNING
from trajectory.insights.segments.predictive_value import WEEKS
from trajectory.insights.segments.segmentation import Segmentation
from trajectory.metrics.significance import bootstrap

ALIKE = 0.95  # of the most that users of a segment have brought; those of other segments who brought as much
MORE = 1.2  # times their share of users is what those to keep first have brought
FALL = 0.1  # of what users bought so far; what they are expected to buy less from which on is worth a sentence
FEWEST = 20  # users whose turn or fall may be told
RESAMPLES = 1000  # of a segment's users


def sentences(
    segmentation: Segmentation, profiles: pl.DataFrame, measured: dict[str, Any], money: Money, caution: str = ""
) -> tuple[Statement, ...]:
    """What to do about segments, what was measured of them (`measure`) last; first a warning where it is needed.

    `caution`: why what is expected of users may not be acted on. Then, and where the groups are unstable, nobody is
    told to act on it. `money`: what users are expected to spend.
    """
    counted = segmentation.trajectories.words
    told = [] if segmentation.stability.enough else [Statement(_unstable(segmentation), "sure")]
    told += [Statement(caution, "sure")] if caution else []
    relied_on = not told
    best = profiles.filter(pl.col("value_a_week") >= ALIKE * pl.col("value_a_week").max())
    named = " and ".join(f'"{name}"' for name in best["segment"])
    users, value = (float(best[column].sum()) for column in ("share_of_users", "share_of_value"))
    enough = segmentation.stability.enough and best["users"].sum() >= FEWEST
    advice = "Keep them first." if enough else "As a group they are not to be relied on."
    t, label = segmentation.trajectories, segmentation.label
    of = {name: t.queries.user[label == number] for number, name in enumerate(segmentation.names)}
    if value >= MORE * users:
        words = f"{best['users'].sum():,} users ({users:.0%}) have brought {value:.0%} of the {counted.unit}: {named}. "
        spend = money.said(np.concatenate([of[name] for name in best["segment"]])) if enough else ""
        told.append(Statement(words + advice + spend, "do" if enough else "watch", "segments"))
    else:
        words = f"No segment has brought much more of the {counted.unit} than its share of users."
        told.append(Statement(words, "watch", "segment_profiles"))
    if relied_on:
        told += [*_new_members(profiles, money, of), *_fall(segmentation, money, of)]
    if explained := measured["spend"]:
        spend_on = "spend on" if counted.verb == "buy" else f"{counted.verb} of"
        words = (
            f"The segment alone explains {explained[OURS]['r2']:.0%} of the differences between users in what they "
            f"{spend_on} each kind of goods in the next {WEEKS} weeks; {_beside(explained)}. {_advice(explained)}"
        )
        told.append(Statement(words, "sure"))
    return tuple(told)


def _new_members(profiles: pl.DataFrame, money: Money, of: dict[str, np.ndarray]) -> Iterator[Statement]:
    new = profiles.filter("new_members", pl.col("users") >= FEWEST).sort("users")
    if new.height:
        most = new.row(-1, named=True)
        words = (
            f"{new['users'].sum():,} users ({new['share_of_users'].sum():.0%}) have moved: what is expected of them "
            "lies in another group than what they did so far; the largest such segment, "
            f'{most["users"]:,} users, is "{most["segment"]}".'
        )
        yield Statement(words, "change", "segments")
    turning = new.filter(pl.col("segment").str.contains(TURNING, literal=True))
    if turning.height:
        most = turning.row(-1, named=True)
        words = f'Greet the {most["users"]:,} users of "{most["segment"]}" with what they turn to.'
        yield Statement(words + money.said(of[most["segment"]]), "do", "segments")


def _fall(segmentation: Segmentation, money: Money, of: dict[str, np.ndarray]) -> Iterator[Statement]:
    counted = segmentation.trajectories.words
    if fall := _fallen(segmentation):
        words = (
            f'The {fall["users"]:,} users of "{fall["segment"]}" are expected to {counted.verb} less than they used '
            f"to, by {fall['share']:.0%}: {fall['total']:,.0f} {counted.unit} a week in all. Win them back."
        )
        yield Statement(words + money.said(of[fall["segment"]]), "do", "segments")


def _fallen(segmentation: Segmentation) -> dict[str, Any]:
    """The segment whose volume is expected to fall most in all, of those that fall by more than noise; or empty.

    Where no weeks were held out to tell how much of a fall goes on, none is told: who is grouped by a low spell buys
    more again by chance. Otherwise it is by FALL or more, of FEWEST users or more, whose changes have a mean with a
    95 % interval below 0.
    """
    t, falls = segmentation.trajectories, []
    if t.goes_on is None:
        return {}
    for number, name in enumerate(segmentation.names):
        inside = segmentation.label == number
        change, before = t.value_ahead[inside] - t.value[inside], t.value[inside].sum()
        users, large = int(inside.sum()), change.sum() < 0 and change.sum() <= -FALL * before
        if users >= FEWEST and large and bootstrap(change, RESAMPLES, seed=0).high < 0:
            falls.append({"segment": name, "users": users, "total": -change.sum(), "share": -change.sum() / before})
    return max(falls, key=lambda fall: fall["total"], default={})


def _beside(spend: dict[str, Any]) -> str:
    return ", ".join(f"{name} {told['r2']:.0%}" for name, told in spend.items() if name not in (OURS, NONE))


def _advice(spend: dict[str, Any]) -> str:
    """What to plan by: the segments, or groups that explain more beyond chance; nothing that is no more than chance."""
    ahead = [name for name, told in spend.items() if name not in (OURS, NONE) and told["lead_r2"]["high"] < 0]
    best = max(ahead, key=lambda name: spend[name]["r2"], default=OURS)
    if spend[best]["over_none"]["low"] <= 0:
        return "None of them is of use for planning beyond chance."
    return "Plan by segment." if best == OURS else f"To plan, take the groups of {best}."


def _unstable(segmentation: Segmentation) -> str:
    """A warning to stand first where the groups would be others for other users, or where one is too small."""
    stable = segmentation.stability
    return (
        "Do not rely on these groups: no number of groups was stable (agreement of at least "
        f"{STABLE:.1f}) with at least {LEAST:.0%} of the users in each; the most stable, {stable.destinations}, had an "
        f"agreement of {stable.bootstrap:.2f}, so that other users of the same shop would be grouped otherwise."
    )
