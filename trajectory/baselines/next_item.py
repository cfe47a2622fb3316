"""Baselines of the next item: what counting alone reaches. Each result of a model is printed with them.

Each baseline learns from the training events only and, when asked, reads the history start:stop of the query. The lines
of one basket have no order: an age or a distance is counted in steps, and an item counts once a step however many
lines it has.
"""

from __future__ import annotations

import numpy as np
from ml_collections import ConfigDict
from scipy import sparse

from trajectory.data.pipeline.co_occurrence import co_occurrence
from trajectory.data.pipeline.featurize import slices
from trajectory.data.times import DAY
from trajectory.progress import progress
from trajectory.protocols import Scores
from trajectory.schema import Histories, ItemContent, Queries, Split

RECENT_SHARE = 0.1  # of each training history, where the log has no times
MAX_DISTANCE_EVENTS = 100  # of pairs that co-occurrence counts
HISTORY_EVENTS = 20  # of a query, that co-occurrence looks at
HISTORY_DECAY = 0.8  # per step of age, of co-occurrence
LATEST = 0.5  # decay a step of what orders items by their latest event
BACKWARD = 0.5  # weight of "b before a" against "a before b"


class Baseline:
    """A scorer learnt by counting; it returns None for what it says nothing about (items or interests)."""

    name = ""
    batch = 64  # counting gains nothing from more, and the caches lose
    log_probabilities = False

    def fit(self, histories: Histories, split: Split) -> Baseline:
        """Learns from the events offsets[u]:train_end[u] of each user, and returns itself."""
        self.histories = histories
        self.width = histories.num_items + 1
        self._counts = histories.once_a_step & (histories.item > 0) & (histories.item < self.width)
        user, index = self._events(histories.offsets[:-1], split.train_end)
        self.popularity = np.bincount(histories.target_item[index], minlength=self.width).astype(np.float64)
        self.popularity[0] = 0
        self._share = self.popularity / (self.popularity.max(initial=0) + 1)  # in [0, 1)
        self._learn(user, index)
        return self

    def score(self, queries: Queries) -> Scores:
        """Scores of items and of interests, each None where it says nothing about them."""
        return Scores(self.scores(queries), self.interest_scores(queries))

    def scores(self, queries: Queries) -> np.ndarray | None:
        """Score of each item, float64 [n, V + 1]."""
        return None

    def interest_scores(self, queries: Queries) -> np.ndarray | None:
        """Score of each interest, float64 [n, K + 1]."""
        return None

    def _learn(self, user: np.ndarray, index: np.ndarray) -> None:
        """`index`: flat indices of the training events, `user` of each; both in order."""

    def _events(self, start: np.ndarray, stop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The events of each slice that count: number of the slice, flat index."""
        row, index = slices(start, stop)
        counts = self._counts[index]
        return row[counts], index[counts]

    def _history(self, queries: Queries, decay: float, newest_events: int = 0) -> sparse.csr_matrix:
        """Weight decay^age of each item of the history, summed over its events: [n, V + 1]; age 0 = the newest step."""
        h = self.histories
        start = np.maximum(queries.start, queries.stop - newest_events) if newest_events else queries.start
        row, index = self._events(start, queries.stop)
        weight = np.power(decay, h.step[queries.stop - 1][row] - h.step[index], dtype=np.float64)
        positive = weight > 0
        return sparse.csr_matrix((weight[positive], (row[positive], h.item[index][positive])), (len(start), self.width))

    def _filled(self, score: sparse.csr_matrix) -> np.ndarray:
        """Dense scores: items with an entry (>= 0) first, equal ones by popularity; then all others by popularity."""
        # float64 holds both orders apart: a tie is broken by less than 1e-9 of the score, the filler lies in [-1, 0).
        dense = np.empty(score.shape)
        dense[:] = self._share - 1
        row = np.repeat(np.arange(score.shape[0]), np.diff(score.indptr))
        dense[row, score.indices] = score.data * (1 + 1e-9 * self._share[score.indices])
        return dense


class Popularity(Baseline):
    """Number of training events of each item."""

    name = "popularity"

    def scores(self, queries: Queries) -> np.ndarray:
        """Score of each item, float32 [n, V + 1]: exact below 2^24 events an item."""
        return np.broadcast_to(self.popularity.astype(np.float32), (len(queries.user), self.width))


class RecentPopularity(Popularity):
    """Number of events in the last `days` of training; without times in the last tenth of each training history."""

    name = "recent_popularity"

    def __init__(self, days: float):
        self.days = days

    def _learn(self, user: np.ndarray, index: np.ndarray) -> None:
        h = self.histories
        if h.has_time:
            time = h.time[index]
            recent = time > time.max(initial=0) - self.days * DAY
        else:
            length = np.bincount(user, minlength=h.num_users)
            left = np.cumsum(length)[user] - np.arange(len(user))  # events from this one to the last, at least 1
            recent = left <= np.ceil(RECENT_SHARE * length)[user]
        self.popularity = np.bincount(h.target_item[index[recent]], minlength=self.width).astype(np.float64)
        self.popularity[0] = 0


class PersonalFrequency(Baseline):
    """The user's own counts, each event weighted by decay^age; popularity as filler.

    decay 1: personal frequency ("GP-TopFreq", Li et al. 2023, "A next basket recommendation reality check"); 0: the
    items of the last step; between: recency-weighted frequency, as in TIFU-KNN (Hu et al. 2020).
    """

    def __init__(self, name: str, decay: float, event_type: str = ""):
        self.name, self.decay, self.event_type = name, decay, event_type

    def _learn(self, user: np.ndarray, index: np.ndarray) -> None:
        if self.event_type:
            of_type = self.histories.event_type == self.histories.event_types.index(self.event_type) + 1
            self._counts = self._counts & of_type

    def scores(self, queries: Queries) -> np.ndarray:
        """Score of each item, float64 [n, V + 1]."""
        return self._filled(self._history(queries, self.decay))


class NotYet(PersonalFrequency):
    """As decayed frequency over events of all types, of items that were no target event yet: viewed, not bought."""

    def scores(self, queries: Queries) -> np.ndarray:
        """Score of each item, float64 [n, V + 1]; items of earlier target events rank as those of no event."""
        score = self._history(queries, self.decay)
        row, index = self._events(queries.start, queries.stop)
        item = self.histories.target_item[index]
        had = sparse.csr_matrix((np.ones(len(row)), (row, item)), score.shape) > 0
        score = (score - score.multiply(had)).tocsr()
        score.eliminate_zeros()
        return self._filled(score)


class Markov(Baseline):
    """First-order Markov chain: training counts of the next target items after the last step's items; popularity as
    filler.
    """

    name = "markov"

    def _learn(self, user: np.ndarray, index: np.ndarray) -> None:
        h = self.histories
        if not len(index):
            self.successors = sparse.csr_matrix((self.width, self.width))
            return
        new = np.ones(len(index), bool)
        new[1:] = (user[1:] != user[:-1]) | (h.step[index[1:]] != h.step[index[:-1]])
        step, user = np.cumsum(new) - 1, user[new]
        item, target = h.item[index], h.target_item[index]
        shape, asked = (len(user), self.width), target > 0
        items = sparse.csr_matrix((np.ones(len(index)), (step, item)), shape)
        targets = sparse.csr_matrix((np.ones(asked.sum()), (step[asked], target[asked])), shape)
        ahead = np.unique(step[asked])
        following = np.searchsorted(ahead, np.arange(len(user)), side="right")
        before = np.flatnonzero(following < len(ahead))
        after = ahead[following[before]]
        same = user[before] == user[after]
        self.successors = items[before[same]].T.tocsr() @ targets[after[same]]

    def scores(self, queries: Queries) -> np.ndarray:
        """Score of each item, float64 [n, V + 1]."""
        return self._filled(self._history(queries, decay=0.0) @ self.successors)


class CoOccurrence(Baseline):
    """Decayed co-occurrence: a at d steps before b adds 1 / d to c[a, b] and 1 / 2d to c[b, a]; popularity as filler.

    The score of item b is the sum over the last 20 events a of 0.8^age c[a, b] / sqrt(popularity of b + 1), age 0
    being the newest step. Within a basket d = 1 and both directions get the mean. Only pairs within 100 events count.
    """

    name = "co_occurrence"

    def _learn(self, user: np.ndarray, index: np.ndarray) -> None:
        asked = self.histories.target_item[index] > 0
        forward = co_occurrence(self.histories, user, index, MAX_DISTANCE_EVENTS, after=asked)
        backward = forward
        if not asked.all():
            backward = co_occurrence(self.histories, user, index, MAX_DISTANCE_EVENTS, before=asked)
        self.pairs = forward + BACKWARD * backward.T.tocsr()
        self.pairs.data /= np.sqrt(self.popularity + 1)[self.pairs.indices]

    def scores(self, queries: Queries) -> np.ndarray:
        """Score of each item, float64 [n, V + 1]."""
        return self._filled(self._history(queries, HISTORY_DECAY, HISTORY_EVENTS) @ self.pairs)


class InterestFrequency(Baseline):
    """Next interest: its events in the user's history, each weighted by decay^age; overall frequency as filler.

    decay 1: the user's most frequent interest; 0: that of the last step; `personal=False`: the most frequent one
    overall.
    """

    def __init__(self, name: str, decay: float = 1.0, personal: bool = True):
        self.name, self.decay, self.personal = name, decay, personal

    def _learn(self, user: np.ndarray, index: np.ndarray) -> None:
        h = self.histories
        k = len(h.interests) + 1
        interest = h.item_interest[: self.width]
        one = (np.ones(self.width), (np.arange(self.width), interest))
        self.membership = sparse.csr_matrix(one, (self.width, k))  # of each item; column 0: the item has none
        count = np.bincount(h.item_interest[h.target_item[index]], minlength=k)
        self.frequency = count / (count.sum() + 1)

    def interest_scores(self, queries: Queries) -> np.ndarray:
        """Score of each interest, float64 [n, K + 1]."""
        own = np.zeros((len(queries.user), len(self.frequency)))
        if self.personal:
            own = (self._history(queries, self.decay) @ self.membership).toarray()
        return np.where(own > 0, own * (1 + 1e-9 * self.frequency), self.frequency - 1)


class ContentNeighbours(Baseline):
    """Cosine of an item's content with that of the history: the mean of its items' vectors, newer ones counting more.

    Needs no training event; items of which nothing is known come last.
    """

    name = "content_neighbours"

    def __init__(self, content: ItemContent) -> None:
        parts = [_unit(vectors) for _, vectors in sorted(content.vectors.items())]
        self.vectors = _unit(np.concatenate(parts, axis=1)) if parts else np.zeros((0, 0), np.float32)

    def scores(self, queries: Queries) -> np.ndarray:
        """Score of each item, float64 [n, V + 1]."""
        mean = _unit(self._history(queries, HISTORY_DECAY) @ self.vectors)
        known = self.vectors.any(axis=1)
        return np.where(known, mean @ self.vectors.T, -2) + 1e-9 * self._share


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def baselines(
    histories: Histories, split: Split, config: ConfigDict, content: ItemContent | None = None
) -> list[Baseline]:
    """All baselines that mean something here, fitted: `config` is the whole config, of which `evaluation` is read.

    Those that recommend items of the history exist only where seen items stay candidates; those of the next interest
    only where items have interests; that of content where items have vectors.
    """
    e = config.evaluation
    chosen: list[Baseline] = [Popularity(), RecentPopularity(e.recent_days), Markov(), CoOccurrence()]
    if e.seen == "keep":
        chosen += [
            PersonalFrequency("personal_frequency", 1.0),
            PersonalFrequency("decayed_personal_frequency", e.decay),
            PersonalFrequency("last_item", 0.0),
        ]
    if e.seen == "keep" and not histories.only_targets:
        chosen += [PersonalFrequency(f"last_{kind}", LATEST, kind) for kind in histories.event_types]
        chosen.append(NotYet("not_yet", e.decay))
    if histories.interests:
        chosen += [
            InterestFrequency("interest_popularity", personal=False),
            InterestFrequency("personal_interest_frequency", 1.0),
            InterestFrequency("last_interest", 0.0),
        ]
    if content and content.vectors:
        chosen.append(ContentNeighbours(content))
    return [baseline.fit(histories, split) for baseline in progress(chosen, "counting for the baselines")]


def basket_size(histories: Histories, queries: Queries) -> np.ndarray:
    """Mean number of distinct items in the steps of each query's history, float64 [n]."""
    before = histories.distinct_so_far
    baskets = histories.step[queries.stop - 1] - histories.step[queries.start] + 1
    return (before[queries.stop] - before[queries.start]) / baskets
