"""What a conversion head is compared with: the base rate, a count of conversions, and boosting on counts and recency.

The last is the strong one: gradient-boosted trees on what an analyst would tabulate of an event and of all before it.
It is fitted on training events alone; shape and number of its trees are chosen on a fifth of the users who train.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from ml_collections import ConfigDict
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss

from trajectory.data.pipeline.conversion_labels import labels, stated
from trajectory.data.pipeline.sessions import session_starts
from trajectory.data.pipeline.splits import training_events
from trajectory.data.times import DAY, WEEK
from trajectory.schema import Histories, Split
from trajectory.threads import one_thread

BASE_RATE, COUNTING, BOOSTING = "base rate", "conversions so far", "gradient boosting"
MOST_COUNTED = 20  # conversions of a user; more are as good as this many
MOST_ROWS = 100_000  # training events that trees are fitted on; of more, so many are drawn
TREES: tuple[dict[str, Any], ...] = (  # shapes of trees to choose from
    {"max_leaf_nodes": 4, "min_samples_leaf": 100},
    {"max_leaf_nodes": 15, "min_samples_leaf": 40},
)
MOST_TREES = 200
HELD_OUT = 0.2  # of the users that trees are fitted on, who choose their shape and number
WINDOWS = (DAY, WEEK)  # seconds back in which events are counted


@dataclass(frozen=True)
class ConversionBaselines:
    """Fitted baselines of the conversion head."""

    histories: Histories
    config: ConfigDict  # the section `conversion`
    training: np.ndarray  # bool [E]
    base_rate: float
    share: np.ndarray  # float64 [MOST_COUNTED + 1], of training events that convert, by conversions before them
    trees: HistGradientBoostingClassifier | None  # None where all labels are of one class

    @classmethod
    def fit(cls, histories: Histories, split: Split, config: ConfigDict, seed: int) -> ConversionBaselines:
        """From the training events of a split and their labels as training knows them."""
        label = labels(histories, split.train_end, split.cut_time("validation"), config)
        training = training_events(histories, split)
        event = np.flatnonzero(label >= 0)
        base_rate = float(label[event].mean()) if len(event) else 0.5
        share = _share_by_count(_so_far(histories, event, config), label[event], base_rate)
        rng = np.random.default_rng(seed)
        if len(event) > MOST_ROWS:
            event = np.sort(rng.choice(event, MOST_ROWS, replace=False))
        rows, user = features(histories, event, training, config), _user(histories, event)
        return cls(histories, config, training, base_rate, share, _trees(rows, label[event], user, rng, seed))

    @one_thread("openmp")
    def probabilities(self, event: np.ndarray) -> dict[str, np.ndarray]:
        """What each baseline states after each `event` (flat index), [n]."""
        boosted = np.full(len(event), self.base_rate)
        if self.trees is not None and len(event):
            boosted = self.trees.predict_proba(features(self.histories, event, self.training, self.config))[:, 1]
        return {
            BASE_RATE: np.full(len(event), self.base_rate),
            COUNTING: self.share[_so_far(self.histories, event, self.config)],
            BOOSTING: boosted,
        }


def features(histories: Histories, event: np.ndarray, training: np.ndarray, config: ConfigDict) -> np.ndarray:
    """What is tabulated of each `event` (flat index) and of what came before it, float32 [n, columns]; -1 = none.

    The event's type; events of each type so far, in the last day, week and session, and of the same item; time since
    the last of each type, since the session began, since the user's first event and first one of this item; hour;
    the numeric features of the event; of `training` events (bool [E]) before it, how many were of its item and of its
    interest, and which share converted. The day of the week is not: training may lack some. Later events play no part.
    """
    h, start = histories, histories.offsets[_user(histories, event)]
    counts, type_count = h.event_type_counts, len(h.event_types)
    columns = [h.event_type[event], *(counts[event + 1] - counts[start]).T]
    moment = h.time if h.has_time else np.arange(h.num_events)
    for index in range(type_count):
        last = np.maximum.accumulate(np.where(h.event_type == index + 1, np.arange(h.num_events), -1))[event]
        columns.append(_since(moment, event, last, last >= start))
    if h.has_time:
        clock = _clock(h)
        session = session_starts(h, config.session_minutes * 60)
        began = session[np.searchsorted(session, event, side="right") - 1]
        firsts = [np.maximum(np.searchsorted(clock, clock[event] - back), start) for back in WINDOWS]
        for first in (*firsts, began):
            columns.extend((counts[event + 1] - counts[first]).T)
        columns += [_since(moment, event, began), _since(moment, event, start)]
        columns += [_since(moment, event, np.maximum(event - 1, start), event > start)]
        columns.append(h.time[event] // 3600 % 24)
    columns += _of_the_item(h, event, moment)
    if stated(h):
        columns.append(_conversions(h, event, config))
    if h.has_time:  # without, nothing tells which of two users' events was first
        converts = _converts(h, config)
        for name in (h.item, h.item_interest[h.item]):
            columns += _rates(name, h.time, converts, training, event)
    return np.column_stack([*columns, np.nan_to_num(h.features[event], nan=-1)]).astype(np.float32)


@one_thread("openmp")
def _trees(
    rows: np.ndarray, label: np.ndarray, user: np.ndarray, rng: np.random.Generator, seed: int
) -> HistGradientBoostingClassifier | None:
    """Trees fitted on all rows, as many as did best on users that were left out first."""
    if not len(label) or label.min() == label.max():
        return None

    def fitted(chosen: np.ndarray, shape: dict[str, Any], count: int) -> HistGradientBoostingClassifier:
        trees = HistGradientBoostingClassifier(
            learning_rate=0.05,
            max_iter=count,
            l2_regularization=1.0,
            categorical_features=[0],
            early_stopping=False,
            random_state=seed,
            **shape,
        )
        return trees.fit(rows[chosen], label[chosen])

    users = np.unique(user)
    out = np.isin(user, rng.permutation(users)[: round(HELD_OUT * len(users))])
    shape, count = TREES[0], MOST_TREES // 2  # where too few users have a label to choose
    if all(len(np.unique(label[part])) == 2 for part in (out, ~out)):
        stages = [fitted(~out, shape, MOST_TREES).staged_predict_proba(rows[out]) for shape in TREES]
        losses = [[log_loss(label[out], chance[:, 1]) for chance in of_shape] for of_shape in stages]
        number, last = np.unravel_index(np.argmin(losses), (len(TREES), MOST_TREES))
        shape, count = TREES[number], int(last) + 1
    return fitted(np.ones(len(label), bool), shape, count)


def _user(histories: Histories, event: np.ndarray) -> np.ndarray:
    return np.searchsorted(histories.offsets, event, side="right") - 1


def _clock(histories: Histories) -> np.ndarray:
    """Ascending int64 [E]: differences within a user are seconds, users lie further apart than any window.

    A history's order counts: where it runs against time, the clock stands still.
    """
    seconds = histories.time - histories.time.min(initial=0)
    apart = int(seconds.max(initial=0)) + max(WINDOWS) + 1
    return np.maximum.accumulate(seconds + apart * _user(histories, np.arange(histories.num_events)))


def _since(moment: np.ndarray, event: np.ndarray, earlier: np.ndarray, there: np.ndarray | None = None) -> np.ndarray:
    """Log(1 + time) from the event `earlier` to `event`; -1 where it is not `there`."""
    since = np.log1p(np.maximum(moment[event] - moment[earlier], 0))
    return since if there is None else np.where(there, since, -1)


def _of_the_item(histories: Histories, event: np.ndarray, moment: np.ndarray) -> list[np.ndarray]:
    """The user's events of each type with the item of `event` so far, and the time since the first of them."""
    group = _user(histories, np.arange(histories.num_events)) * len(histories.item_interest) + histories.item
    order = np.argsort(group, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    first = np.searchsorted(group[order], group[event])
    columns = []
    for index in range(len(histories.event_types)):
        total = np.append(0, np.cumsum(histories.event_type[order] == index + 1))
        columns.append(total[place[event] + 1] - total[first])
    return [*columns, _since(moment, event, order[np.minimum(first, len(order) - 1)])]


def _rates(
    name: np.ndarray, time: np.ndarray, converts: np.ndarray, training: np.ndarray, event: np.ndarray
) -> list[np.ndarray]:
    """Of the training events before each `event` with the same `name` [E]: how many, and the share that `converts`."""
    begin, trained = time.min(initial=0), np.flatnonzero(training)
    key = name.astype(np.int64) * (int(time.max(initial=0) - begin) + 1) + time - begin
    trained = trained[np.argsort(key[trained], kind="stable")]
    hits = np.append(0, np.cumsum(converts[trained]))
    first = np.searchsorted(key[trained], key[event] - (time[event] - begin))
    now = np.searchsorted(key[trained], key[event])
    count = now - first
    share = np.where(count > 0, (hits[now] - hits[first]) / np.maximum(count, 1), -1)
    return [np.log1p(count), share]


def _converts(histories: Histories, config: ConfigDict) -> np.ndarray:
    if stated(histories):
        return histories.label == 1
    return histories.event_type == histories.event_types.index(config.event_type) + 1


def _conversions(histories: Histories, event: np.ndarray, config: ConfigDict) -> np.ndarray:
    """Conversions of the user when `event` has happened, int64 [n].

    Where the log states labels an event's own is what is asked, so it does not count yet; a purchase does.
    """
    total = np.append(0, np.cumsum(_converts(histories, config)))
    return total[event + (not stated(histories))] - total[histories.offsets[_user(histories, event)]]


def _so_far(histories: Histories, event: np.ndarray, config: ConfigDict) -> np.ndarray:
    return np.minimum(_conversions(histories, event, config), MOST_COUNTED)


def _share_by_count(count: np.ndarray, label: np.ndarray, overall: float) -> np.ndarray:
    """Share of conversions at each count [MOST_COUNTED + 1], with one event of the overall share added to each."""
    total, hit = (np.bincount(count, weights, MOST_COUNTED + 1) for weights in (None, label))
    return (hit + overall) / (total + 1)
