"""A run's users in segments: found, named, and told by size, drift, path and value."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from trajectory.insights.segments.grouping import Grouping, Stability, choose_grouping, principal_axes
from trajectory.insights.segments.names import distinguishing_interests, names
from trajectory.insights.segments.states import Trajectories
from trajectory.migrations.step_windows import shares

SHOWN = 3  # interests of a path


@dataclass(frozen=True)
class Segmentation:
    """S segments of n users, largest first."""

    trajectories: Trajectories
    grouping: Grouping
    stability: Stability
    label: np.ndarray  # int64 [n], 0..S - 1
    new_members: np.ndarray  # bool [S]
    destination: np.ndarray  # int64 [S]
    names: tuple[str, ...]

    @cached_property
    def drift(self) -> np.ndarray:
        """Of each user, float64 [n]: share of the expected volume that lies in other fields than it used to."""
        t = self.trajectories
        return np.abs(shares(t.ahead @ t.field_shares) - shares(t.past @ t.field_shares)).sum(1) / 2

    def members(self) -> pl.DataFrame:
        """Columns user and segment (String), which migrate.py --segments takes too."""
        t = self.trajectories
        named = pl.Series(self.names).gather(self.label)
        return pl.DataFrame({"user": t.histories.users["user"].gather(t.queries.user), "segment": named})

    def profiles(self) -> pl.DataFrame:
        """One row for each segment: segment, users, share of users, share of value (of all that was brought so far),
        value a week so far and expected, drift (mean), new_members, sets apart (interests with the largest lift), path
        (largest shares so far -> expected).
        """
        t = self.trajectories
        rows, everybody = [], t.ahead.sum(0)
        for number, name in enumerate(self.names):
            inside = self.label == number
            past, ahead = t.past[inside], t.ahead[inside]
            rows.append(
                {
                    "segment": name,
                    "users": int(inside.sum()),
                    "share_of_users": float(inside.mean()),
                    "share_of_value": float(t.brought[inside].sum() / max(t.brought.sum(), 1e-12)),
                    "value_a_week": float(t.value[inside].mean()),
                    "expected_a_week": float(t.value_ahead[inside].mean()),
                    "drift": float(self.drift[inside].mean()),
                    "new_members": bool(self.new_members[number]),
                    "sets_apart": distinguishing_interests(ahead.sum(0), everybody, t.histories.interests),
                    "path": f"{self._largest(past)} -> {self._largest(ahead)}",
                }
            )
        return pl.DataFrame(rows)

    def _largest(self, volumes: np.ndarray) -> str:
        t = self.trajectories
        share = shares((volumes @ t.field_shares).sum(0))
        largest = np.argsort(-share, kind="stable")[:SHOWN]
        return ", ".join(f"{t.fields[field]} {share[field]:.0%}" for field in largest if share[field] > 0)


def segmentation(trajectories: Trajectories, seed: int = 0) -> Segmentation:
    """The users' segments; see `grouping.choose_grouping` for how many."""
    states = np.concatenate([trajectories.states(each) for each in (trajectories.past, trajectories.ahead)])
    past, ahead = np.split(principal_axes(states), 2)
    grouping, stable = choose_grouping(past, ahead, seed)
    codes = grouping.labels(past, ahead)
    largest_first, count = np.unique(codes, return_counts=True)
    largest_first = largest_first[np.argsort(-count, kind="stable")]
    number = np.zeros(largest_first.max() + 1, np.int64)
    number[largest_first] = np.arange(len(largest_first))
    label, destination, new_members = number[codes], largest_first // 2, largest_first % 2 == 1
    named = names(trajectories, label, destination, new_members, grouping.divided)
    return Segmentation(trajectories, grouping, stable, label, new_members, destination, named)
