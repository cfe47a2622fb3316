"""The independent units of behaviour: sessions of each user, and how much of each interest they hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from trajectory.data.pipeline.sessions import SESSION_TIMEOUT, session_starts
from trajectory.data.times import DAY
from trajectory.schema import Histories, UserError

POWER = 0.5  # detected more migrations of a small size than 0, 0.75 or 1 did


@dataclass(frozen=True)
class Sessions:
    """Sessions of all users in time order: those of user u are offsets[u]:offsets[u + 1]. S sessions, K interests."""

    histories: Histories
    offsets: np.ndarray  # int64 [N + 1]
    moment: np.ndarray  # float64 [S], days since the log's first event; number of the step where the log has no time
    mass: csr_array  # float64 [S, K], weight of each interest

    @property
    def user(self) -> np.ndarray:
        """Whose each session is, int64 [S]."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    @property
    def unit(self) -> str:
        """Of `moment`, in the plural."""
        return unit_of(self.histories)


def unit_of(histories: Histories) -> str:
    """Of `event_moments`, in the plural."""
    return "days" if histories.has_time else "steps"


def sessions_of(histories: Histories, session_timeout: float = SESSION_TIMEOUT, power: float = POWER) -> Sessions:
    """Steps of a user less than `session_timeout` seconds after the one before are one session; a step (basket) is
    never cut.

    A session of m events that have an interest weighs m ** (1 - power), as a basket does in `past_shares`; one without
    any is left out. Without times every step is a session. Raises UserError for a log without interests.
    """
    if not histories.interests:
        raise UserError(
            "expected items with interests, but this log has none: name the column of the item table that holds "
            "them in data.interest_column, or learn them from item vectors (insights.clusters.learned_interests)"
        )
    starts = session_starts(histories, session_timeout)
    size = np.diff(starts, append=histories.num_events)
    interest = histories.item_interest[histories.item]
    known = np.flatnonzero(interest)
    session = np.repeat(np.arange(len(starts)), size)[known]
    shape = (len(starts), len(histories.interests))
    lines = np.bincount(session, minlength=len(starts))
    mass = csr_array((lines[session] ** -power, (session, interest[known] - 1)), shape)
    mass.sum_duplicates()
    kept = np.flatnonzero(lines)
    return Sessions(
        histories,
        np.searchsorted(starts[kept], histories.offsets),
        event_moments(histories)[starts[kept]],
        csr_array(mass[kept]),
    )


def event_moments(histories: Histories) -> np.ndarray:
    """When each event was, float64 [E]: days since the log's first; number of the step where the log has no time."""
    if not histories.has_time:
        return histories.step.astype(np.float64)
    return (histories.time - histories.time.min()) / DAY
