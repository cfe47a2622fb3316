"""Sessions: runs of a user's steps with no long time without one between them."""

from __future__ import annotations

import numpy as np

from trajectory.data.pipeline.splits import step_starts
from trajectory.data.times import DAY
from trajectory.schema import Histories

SESSION_TIMEOUT = 1800.0  # seconds without a step that end a session


def session_starts(histories: Histories, session_timeout: float = SESSION_TIMEOUT) -> np.ndarray:
    """First event of each session of all users, int64 [S]; without times every step is a session."""
    starts = step_starts(histories)[:-1]
    new = np.ones(len(starts), bool)
    if histories.has_time:
        new[1:] = histories.time[starts[1:]] - histories.time[starts[1:] - 1] >= session_timeout
        new[np.searchsorted(starts, histories.offsets[:-1])] = True
    return starts[new]


def only_dates(histories: Histories) -> bool:
    """Whether the log's times are dates without a clock, so that nothing orders a day and a session is a day."""
    return histories.has_time and bool((histories.time % DAY == 0).all())


def predicted_after(histories: Histories, after: str) -> np.ndarray:
    """The events after which training predicts, ascending int64 (`batch.after`): the last of each step, or session."""
    if after == "session":
        return np.append(session_starts(histories)[1:], histories.num_events) - 1
    return step_starts(histories)[1:] - 1
