"""The tables of segments: who is in which, and what each is like."""

from __future__ import annotations

import numpy as np
import polars as pl

from trajectory.insights.customers.sums import Money
from trajectory.insights.segments.names import distinguishing_interests
from trajectory.insights.segments.segmentation import Segmentation
from trajectory.insights.segments.states import Trajectories
from trajectory.migrations.step_windows import shares

SHOWN = 3  # interests of a path


def members_table(segmentation: Segmentation) -> pl.DataFrame:
    """Columns user and segment (String), which migrate.py --segments takes too."""
    t = segmentation.trajectories
    segment = pl.Series(segmentation.names).gather(segmentation.label)
    return pl.DataFrame({"user": t.histories.users["user"].gather(t.queries.user), "segment": segment})


def profiles_table(segmentation: Segmentation, money: Money) -> pl.DataFrame:
    """One row for each segment: segment, users, share of users, share of value (of all that was brought so far), value
    a week so far and expected, drift (mean), new_members, sets apart (interests with the largest lift), path (largest
    shares so far -> expected), customers (users with an order so far), spend_expected (of these together in the coming
    days of the customers' forecast), spend_low and spend_high (of that sum).
    """
    t = segmentation.trajectories
    rows, everybody = [], t.ahead.sum(0)
    for number, name in enumerate(segmentation.names):
        inside = segmentation.label == number
        past, ahead = t.past[inside], t.ahead[inside]
        rows.append(
            {
                "segment": name,
                "users": int(inside.sum()),
                "share_of_users": float(inside.mean()),
                "share_of_value": float(t.brought[inside].sum() / max(t.brought.sum(), 1e-12)),
                "value_a_week": float(t.value[inside].mean()),
                "expected_a_week": float(t.value_ahead[inside].mean()),
                "drift": float(segmentation.drift[inside].mean()),
                "new_members": bool(segmentation.new_members[number]),
                "sets_apart": distinguishing_interests(ahead.sum(0), everybody, t.histories.interests),
                "path": f"{_largest(t, past)} -> {_largest(t, ahead)}",
            }
        )
    groups = [t.queries.user[segmentation.label == number] for number in range(len(segmentation.names))]
    return pl.concat([pl.DataFrame(rows), money.sums(groups)], how="horizontal")


def _largest(trajectories: Trajectories, volumes: np.ndarray) -> str:
    t = trajectories
    share = shares((volumes @ t.field_shares).sum(0))
    largest = np.argsort(-share, kind="stable")[:SHOWN]
    return ", ".join(f"{t.fields[field]} {share[field]:.0%}" for field in largest if share[field] > 0)
