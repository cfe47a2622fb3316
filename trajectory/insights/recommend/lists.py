"""Lists of items for users: by relevance over the horizon, in the proportions of their interests, of what is sold."""

from __future__ import annotations

import numpy as np

from trajectory.insights.recommend.relevance import Relevance, owned_items
from trajectory.insights.recommend.rerank import calibrated
from trajectory.metrics.by_interest import by_interest
from trajectory.schema import Queries

SIZE = 10  # items of a list
MOST_LIKELY, NEW = "most likely", "new to the user"


def suggest(
    relevance: Relevance,
    queries: Queries,
    scores: np.ndarray,
    expected: np.ndarray,
    share: float,
    keep: np.ndarray | None = None,
    only_new: bool = False,
) -> np.ndarray:
    """Lists int64 [n, SIZE] for queries of which scores and expected shares [n, V + 1] were read.

    `keep` bool [V + 1]: items that may be shown; `only_new`: of those, none that the user has had. The mix that is
    wanted is the forecast's, of what may be shown.
    """
    h = relevance.histories
    shown = np.ones(scores.shape, bool) if keep is None else np.broadcast_to(keep, scores.shape).copy()
    if relevance.filter_seen or only_new:
        shown &= ~owned_items(h, queries.start, queries.stop)
    shown[:, 0] = False
    scores, expected = np.where(shown, scores, -np.inf), expected * shown
    return calibrated(scores, by_interest(h, expected), h.item_interest[: scores.shape[1]], SIZE, share)
