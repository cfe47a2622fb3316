"""Which events train, validate and test. Steps (baskets) are never cut in two; each split states what it guarantees."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from ml_collections import ConfigDict

from trajectory.data.store.arrays import number_interests
from trajectory.schema import Histories, Queries, Split, UserError

TARGETS = ("first", "last", "all")
GUARANTEES = {
    "leave_one_out": "Each user's last step is tested and the one before validates, so a target is later than all "
    "training events of its own user, but not of other users; the catalogue is every item of the clean log.",
    "leave_last": "Each user's last steps are tested and as many before them validate, so targets are later than all "
    "training events of their own user, but not of other users; the catalogue is every item of the clean log.",
    "temporal": "Over all users, every training event is before the validation cut and every validation event before "
    "the test cut; items and interests without a training event are unknown to the model.",
}


def split(histories: Histories, config: ConfigDict) -> tuple[Histories, Split]:
    """Splits histories as `config.split` says; returns the histories to go on with and the split.

    Only a temporal split changes the histories: their items are numbered anew so that those without a training event
    come last. Raises UserError for a setting that is unknown, out of range or leaves nothing to train or ask.
    """
    if config.kind not in _SPLITS:
        near = difflib.get_close_matches(str(config.kind), _SPLITS, 1, 0.0)[0]
        raise UserError(f"split.kind={config.kind!r} is unknown; did you mean {near!r}? Kinds: {', '.join(_SPLITS)}")
    histories, result = _SPLITS[config.kind](histories, config)
    return histories, _fewer(histories, result, config.get("train_users", 1.0))


def leave_one_out(histories: Histories, config: ConfigDict) -> tuple[Histories, Split]:
    """Tests the last step of each history of at least 3 steps and validates the one before; shorter ones only train.

    Guarantees: Each user's last step is tested and the one before validates, so a target is later than all training
    events of its own user, but not of other users; the catalogue is every item of the clean log.
    """
    return histories, _hold_out(histories, 1, "leave_one_out")


def leave_last(histories: Histories, config: ConfigDict) -> tuple[Histories, Split]:
    """Tests the last `config.steps` = H steps of each history of at least 2 H + 1 steps and validates H before them.

    With `config.forecast_origin` = k the last k steps of each history are skipped, as if not yet observed.

    Guarantees: Each user's last steps are tested and as many before them validate, so targets are later than all
    training events of their own user, but not of other users; the catalogue is every item of the clean log.
    """
    if config.steps < 1:
        raise UserError(f"split.steps={config.steps}: expected at least 1 step to hold out")
    forecast_origin = config.get("forecast_origin", 0)
    if forecast_origin < 0:
        raise UserError(f"split.forecast_origin={forecast_origin}: expected a number of steps, 0 for none")
    return histories, _hold_out(histories, config.steps, "leave_last", forecast_origin)


def temporal(histories: Histories, config: ConfigDict) -> tuple[Histories, Split]:
    """Cuts time in three for all users: training before the validation cut, validation before the test cut, test.

    The test cut is `config.cut` or the time that leaves the share `config.quantile` of the events before it; the
    validation cut divides the events before the test cut alike. In either window a user with an earlier event is asked
    for the first step (target "first"; history: all before the window), for the last ("last"; history: all before that
    step, also inside the window) or for all of the window ("all"; history: all before the window). A history's order
    counts: where it runs against time, events after its first late one are late too.

    Guarantees: Over all users, every training event is before the validation cut and every validation event before the
    test cut; items and interests without a training event are unknown to the model.
    """
    if not histories.has_time:
        raise UserError(
            "a temporal split needs times, but this log has none; use split.kind=leave_one_out or leave_last"
        )
    if unknown := np.count_nonzero(histories.time == 0):
        raise UserError(
            f"a temporal split needs the time of each event, but {unknown} have none; use split.kind=leave_one_out or "
            "leave_last, or data.order=time, which sets such events aside"
        )
    if config.target not in TARGETS:
        raise UserError(f"split.target={config.target!r} is unknown; expected one of {', '.join(TARGETS)}")
    if not 0 < config.quantile < 1:
        raise UserError(f"split.quantile={config.quantile}: expected a share of the events between 0 and 1, like 0.9")
    test_cut = _date(config.cut, histories.time) if config.cut else _quantile(histories.time, config.quantile)
    earlier = histories.time[histories.time < test_cut]
    if not len(earlier):
        raise UserError(f"no event is before the test cut {_iso(test_cut)}; choose a larger split.quantile or a cut")
    validation_cut = _quantile(earlier, config.quantile)
    train_end, validation_end = (_first_step(histories, histories.time >= cut) for cut in (validation_cut, test_cut))
    cuts = {"validation": _iso(validation_cut), "test": _iso(test_cut)}
    result = Split(
        kind="temporal",
        train_end=train_end,
        validation=_window_queries(histories, train_end, validation_end, config.target),
        test=_window_queries(histories, validation_end, histories.offsets[1:], config.target),
        guarantee=GUARANTEES["temporal"],
        cut=cuts,
    )
    if not training_events(histories, result).any():
        raise UserError(f"no event is before the validation cut {cuts['validation']}; choose a larger split.quantile")
    for part in ("validation", "test"):
        if not len(result.queries(part).user):
            raise UserError(f"no user has an event to be asked for in {part} and an earlier one (cuts: {cuts})")
    return _hide_cold(histories, training_events(histories, result)), result


_SPLITS: dict[str, Callable[[Histories, ConfigDict], tuple[Histories, Split]]] = {
    "leave_one_out": leave_one_out,
    "leave_last": leave_last,
    "temporal": temporal,
}


def training_events(histories: Histories, split: Split) -> np.ndarray:
    """Which events train, bool [E]."""
    return marked(histories.offsets[:-1], split.train_end, histories.num_events)


def cold_targets(histories: Histories, split: Split, part: str) -> int:
    """Number of targets of "validation" or "test" whose item has no training event, so that no model can know it."""
    trained = np.zeros(len(histories.items) + 1, bool)
    trained[histories.item[training_events(histories, split)]] = True
    queries = split.queries(part)
    targets = histories.target_item[marked(queries.stop, queries.end, histories.num_events)]
    return int(np.count_nonzero(~trained[targets[targets > 0]]))


def _fewer(histories: Histories, split: Split, share: float) -> Split:
    """The split of which only a share of the users train and validate; all are tested.

    Users are drawn once, so that those of a smaller share are among those of a larger one.
    """
    if not 0 < share <= 1:
        raise UserError(f"split.train_users={share}: expected a share of the users above 0, up to 1")
    if share == 1:
        return split
    count = max(round(share * histories.num_users), 1)
    chosen = np.zeros(histories.num_users, bool)
    chosen[np.random.default_rng(0).permutation(histories.num_users)[:count]] = True
    train_end = np.where(chosen, split.train_end, histories.offsets[:-1])
    with_target = chosen[split.validation.user]
    if not with_target.any() or not (train_end > histories.offsets[:-1]).any():
        raise UserError(f"split.train_users={share} leaves {count} users and none to validate; set a larger share")
    return replace(
        split,
        train_end=train_end,
        validation=Queries(*(column[with_target] for column in split.validation)),
        guarantee=f"{split.guarantee} Only {count:,} of {histories.num_users:,} users train and validate.",
    )


def marked(starts: np.ndarray, ends: np.ndarray, size: int) -> np.ndarray:
    """The union of the disjoint ranges starts[i]:ends[i], bool [size]."""
    edges = np.zeros(size + 1, np.int8)
    np.add.at(edges, starts, np.int8(1))
    np.add.at(edges, ends, np.int8(-1))
    return np.cumsum(edges[:-1], dtype=np.int8).astype(bool)


def _hold_out(histories: Histories, steps: int, kind: str, forecast_origin: int = 0) -> Split:
    ends, step = histories.offsets[1:], target_steps(histories)
    count = step[ends - 1] + 1
    enough = count > 2 * steps + forecast_origin
    if not enough.any():
        raise UserError(
            f"split.kind={kind} needs histories of at least {2 * steps + forecast_origin + 1} steps, but the longest "
            f"has {count.max()}; hold out fewer steps (split.steps) or use longer histories"
        )
    left = np.repeat(count, np.diff(histories.offsets)) - step  # steps from here on, this one included
    validated, tested, close = (_first(left <= n * steps + forecast_origin, histories.offsets) for n in (2, 1, 0))
    train_end = np.where(enough, validated, close)
    user = np.flatnonzero(enough)
    start, middle, stop, end = (bounds[user] for bounds in (histories.offsets[:-1], train_end, tested, close))
    return Split(
        kind=kind,
        train_end=train_end,
        validation=Queries(user, start, middle, stop),
        test=Queries(user, start, stop, end),
        guarantee=GUARANTEES[kind]
        + (
            f" The last {forecast_origin} steps of each user are as if they had not come yet."
            if forecast_origin
            else ""
        ),
    )


def _first(mask: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Flat index of each history's first event that is marked, or the history's end; int64 [N]."""
    marked = np.append(np.flatnonzero(mask), len(mask))
    return np.minimum(marked[np.searchsorted(marked, offsets[:-1])], offsets[1:])


def step_starts(histories: Histories) -> np.ndarray:
    """Flat indices at which the steps of all histories begin, ascending, then the number of events; int64."""
    new = np.ones(histories.num_events + 1, bool)
    new[1:-1] = histories.step[1:] != histories.step[:-1]
    new[histories.offsets] = True
    return np.flatnonzero(new)


def target_starts(histories: Histories) -> np.ndarray:
    """Flat indices at which the steps that are predicted begin: those with a target event, ascending; int64."""
    starts = step_starts(histories)
    if histories.only_targets:
        return starts[:-1]
    return starts[:-1][np.add.reduceat(histories.has_role("target"), starts[:-1], dtype=np.int64) > 0]


def target_steps(histories: Histories) -> np.ndarray:
    """Number of target steps of the history that have begun before or with each event, less one, int32 [E].

    What comes before the first of them counts as a step of its own, as it is a history to ask from.
    """
    if histories.only_targets:
        return histories.step
    new = np.zeros(histories.num_events, np.int32)
    new[target_starts(histories)] = 1
    new[histories.offsets[:-1][np.diff(histories.offsets) > 0]] = 1
    count = np.cumsum(new, dtype=np.int32)
    return count - np.repeat(count[histories.offsets[:-1]], np.diff(histories.offsets))


def _first_step(histories: Histories, mask: np.ndarray) -> np.ndarray:
    """Where each history's first step with a marked event begins, or the history's end."""
    starts = step_starts(histories)
    return starts[np.searchsorted(starts, _first(mask, histories.offsets), side="right") - 1]


def windows(histories: Histories, split: Split, part: str) -> Queries:
    """All events of a temporal split's window, whatever it asks for, of each user with an event in it and before it.

    Of any type: users of whom nothing that is predicted came in the window are among them.
    """
    moments = [split.cut_time(name) for name in ("validation", "test")]
    begin, middle = (_first_step(histories, histories.time >= moment) for moment in moments)
    stop, end = {"validation": (begin, middle), "test": (middle, histories.offsets[1:])}[part]
    start = histories.offsets[:-1]
    user = np.flatnonzero((start < stop) & (stop < end))
    return Queries(user, start[user], stop[user], end[user])


def _window_queries(histories: Histories, begin: np.ndarray, end: np.ndarray, target: str) -> Queries:
    """One query for each user with a target in begin:end and an earlier event as history."""
    starts = np.append(target_starts(histories), histories.num_events)
    first, after = (np.searchsorted(starts, edge, "left") for edge in (begin, end))
    user = np.flatnonzero(first < after)
    begin, end, first, after = (bounds[user] for bounds in (begin, end, first, after))
    start, stop = histories.offsets[user], begin
    if target == "first":
        stop, end = starts[first], np.minimum(starts[first + 1], end)
    elif target == "last":
        stop = starts[after - 1]
    asked = start < stop
    return Queries(*(bounds[asked].astype(np.int64) for bounds in (user, start, stop, end)))


def _quantile(times: np.ndarray, share: float) -> int:
    place = int(len(times) * share)
    return int(np.partition(times, place)[place])


def _date(text: str, times: np.ndarray) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UserError(f"split.cut={text!r}: expected an ISO date like 2017-10-01") from None
    cut = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    first, last = times.min(), times.max()
    if not first < cut <= last:
        raise UserError(f"split.cut={text} is outside the log, which runs from {_iso(first)} to {_iso(last)}")
    return cut


def _iso(time: int | np.integer) -> str:
    return datetime.fromtimestamp(int(time), UTC).isoformat()


def _hide_cold(histories: Histories, training: np.ndarray) -> Histories:
    """The same histories with items numbered anew: those of a training event first, and only they have an interest."""
    known = np.zeros(len(histories.items) + 1, bool)
    known[histories.item[training]] = True
    order = 1 + np.argsort(~known[1:], kind="stable")  # the old index of each new one
    number = np.zeros(len(known), np.int32)
    number[order] = np.arange(1, len(known), dtype=np.int32)
    items = histories.items[order - 1]
    num_items = int(known[1:].sum())
    in_training = set(items["interest"][:num_items])
    interests = tuple(name for name in histories.interests if name in in_training)
    return replace(
        histories,
        item=number[histories.item],
        items=items,
        interests=interests,
        item_interest=number_interests(items, interests),
        num_items=num_items,
    )


def next_targets(histories: Histories, event: np.ndarray) -> np.ndarray:
    """Flat index of the first target event at or after each `event`; the number of events where there is none."""
    if histories.only_targets:
        return event
    targets = np.append(np.flatnonzero(histories.has_role("target")), histories.num_events)
    return targets[np.searchsorted(targets, event)]


def step_bounds(histories: Histories, queries: Queries, steps: int) -> np.ndarray:
    """Flat indices at which the `steps` target steps after each query's history begin, and the last one's end
    [n, H + 1].

    The first begins where the history ends, with what is only read before its targets. Steps beyond the query's end
    are empty.
    """
    starts = np.append(target_starts(histories), histories.num_events)
    first = np.searchsorted(starts, next_targets(histories, queries.stop), side="right")
    step = np.minimum(first[:, None] + np.arange(steps), len(starts) - 1)
    return np.minimum(np.concatenate([queries.stop[:, None], starts[step]], axis=1), queries.end[:, None])
