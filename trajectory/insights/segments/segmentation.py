"""A run's users in segments: found, named, and told by size, drift, path and value."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trajectory.insights.segments.grouping import Grouping, Stability, choose_grouping, principal_axes
from trajectory.insights.segments.names import names
from trajectory.insights.segments.states import Trajectories
from trajectory.migrations.step_windows import shares


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

    @property
    def of_users(self) -> np.ndarray:
        """Name of the segment of each user of the log, str [N]; "" where it is in none."""
        t = self.trajectories
        of = np.full(t.histories.num_users, "", object)
        of[t.queries.user] = np.array(self.names, object)[self.label]
        return of.astype(str)

    @cached_property
    def drift(self) -> np.ndarray:
        """Of each user, float64 [n]: share of the expected volume that lies in other fields than it used to."""
        t = self.trajectories
        return np.abs(shares(t.ahead @ t.field_shares) - shares(t.past @ t.field_shares)).sum(1) / 2


def segmentation(trajectories: Trajectories, seed: int = 0) -> Segmentation:
    """The users' segments; see `grouping.choose_grouping` for how many."""
    states = np.concatenate([trajectories.states(volumes) for volumes in (trajectories.past, trajectories.ahead)])
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
