"""Made-up trajectories that the tests of segments share."""

from __future__ import annotations

import numpy as np

from tests.builders import make_histories
from trajectory.inference.new_users import histories_before
from trajectory.insights.segments.states import Trajectories
from trajectory.reports.words import Words

LONG, NEW = 60, 40  # users of each interest


def planted(interests: int = 3, seed: int = 0, noise: float = 0.02) -> tuple[Trajectories, np.ndarray]:
    """Users with a long-term interest and users who are new to it from the next one, and which each is: 2 * interest +
    new; volumes of 10 a week.
    """
    rng = np.random.default_rng(seed)
    interest = np.repeat(np.arange(interests), LONG + NEW)
    new = np.tile(np.arange(LONG + NEW) >= LONG, interests)
    ahead = 0.8 * np.eye(interests)[interest] + 0.2 / interests
    past = np.where(new[:, None], 0.8 * np.eye(interests)[(interest + 1) % interests] + 0.2 / interests, ahead)
    past, ahead = (np.abs(share + noise * rng.normal(size=share.shape)) * 10 for share in (past, ahead))
    histories = make_histories([[1 + one, 1 + one] for one in interest], num_items=interests, interests=interests)
    field = np.arange(interests + 1)
    states = Trajectories(
        histories,
        histories_before(histories, None),
        None,
        past,
        past,
        ahead,
        5,
        histories.interests,
        field,
        np.eye(interests),
        past.sum(1),
        past.sum(1),
        ahead.sum(1),
        Words("events", "buy", "bought", "buying"),
        np.array([0.5, 0.3, 0.2]),
        None,
    )
    return states, 2 * interest + new
