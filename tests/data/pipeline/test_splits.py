"""Worked splits, a planted leak for each kind, and: every event has exactly one duty."""

import inspect
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ml_collections import ConfigDict

from trajectory.data.pipeline import splits
from trajectory.data.store.arrays import number_interests
from trajectory.schema import Histories, Split, UserError
from trajectory.settings import base

NAMES = ("a", "b", "c", "d", "e", "f", "g", "h")
INTERESTS = ("x", "x", "y", "y", "z", "z", "w", "w")


def histories(*users: list[tuple[str, int]], baskets: bool = False) -> Histories:
    """Each user is a list of (item name, time); with baskets, events of one time share a step."""
    offsets = np.cumsum([0, *(len(user) for user in users)])
    events = [event for user in users for event in user]
    step: list[int] = []
    for user in users:
        times = [time for _, time in user]
        step += [sorted(set(times)).index(time) for time in times] if baskets else range(len(user))
    items = pl.DataFrame({"item": NAMES, "interest": INTERESTS})
    interests = tuple(sorted(set(INTERESTS)))
    size = len(events)
    return Histories(
        name="worked",
        fingerprint="",
        offsets=offsets,
        item=np.array([NAMES.index(item) + 1 for item, _ in events], np.int32),
        time=np.array([time for _, time in events], np.int64),
        event_type=np.ones(size, np.int8),
        value=np.full(size, np.nan, np.float32),
        quantity=np.full(size, np.nan, np.float32),
        label=np.full(size, -1, np.int8),
        step=np.array(step, np.int32),
        features=np.zeros((size, 0), np.float32),
        users=pl.DataFrame({"user": range(len(users))}),
        items=items,
        item_interest=number_interests(items, interests),
        interests=interests,
        event_types=("event",),
        feature_names=(),
        has_time=True,
        baskets=baskets,
        num_items=len(NAMES),
    )


def config(**changes) -> ConfigDict:
    settings = base().split
    settings.update(changes)
    return settings


def queries(result: Split, part: str) -> list[tuple[int, int, int, int]]:
    return [tuple(int(value) for value in row) for row in zip(*result.queries(part), strict=True)]


LONG = [("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 5)]


def test_leave_one_out_of_single_events():
    log = histories(LONG, [("a", 1), ("b", 2)], [("a", 1), ("b", 2), ("c", 3)])
    same, result = splits.split(log, config(kind="leave_one_out"))
    assert same is log
    assert result.train_end.tolist() == [3, 7, 8]  # the history of two events trains as a whole
    assert queries(result, "validation") == [(0, 0, 3, 4), (2, 7, 8, 9)]
    assert queries(result, "test") == [(0, 0, 4, 5), (2, 7, 9, 10)]


def test_leave_one_out_holds_out_whole_baskets():
    log = histories([("a", 1), ("b", 1), ("c", 2), ("d", 2), ("e", 3), ("f", 3), ("g", 3)], baskets=True)
    _, result = splits.split(log, config(kind="leave_one_out"))
    assert result.train_end.tolist() == [2]
    assert queries(result, "validation") == [(0, 0, 2, 4)]
    assert queries(result, "test") == [(0, 0, 4, 7)]


def test_leave_last_holds_out_as_many_for_validation():
    log = histories(LONG, LONG[:4])
    _, result = splits.split(log, config(kind="leave_last", steps=2))
    assert result.train_end.tolist() == [1, 9]
    assert queries(result, "validation") == [(0, 0, 1, 3)]
    assert queries(result, "test") == [(0, 0, 3, 5)]


def test_an_earlier_origin_is_as_if_the_last_steps_had_not_come_yet():
    log = histories(LONG, LONG[:4], LONG[:3], LONG[:1])
    _, result = splits.split(log, config(kind="leave_last", steps=1, forecast_origin=1))
    assert queries(result, "validation") == [(0, 0, 2, 3), (1, 5, 6, 7)]
    assert queries(result, "test") == [(0, 0, 3, 4), (1, 5, 7, 8)]
    assert result.train_end.tolist() == [2, 6, 11, 12]  # of those without enough all but the steps left out
    assert "The last 1 steps of each user are as if they had not come yet" in result.guarantee


# Cuts of the log below at quantile 0.6: ten times 1..10, test cut 7; of the six before it the fourth: validation cut 4.
ALICE = [("a", 1), ("b", 2), ("c", 5), ("d", 6), ("e", 8), ("f", 9)]
BOB = [("g", 3), ("a", 4), ("h", 7), ("b", 10)]


@pytest.mark.parametrize(
    ("target", "validation", "test"),
    [
        ("first", [(0, 0, 2, 3), (1, 6, 7, 8)], [(0, 0, 4, 5), (1, 6, 8, 9)]),
        ("last", [(0, 0, 3, 4), (1, 6, 7, 8)], [(0, 0, 5, 6), (1, 6, 9, 10)]),
        ("all", [(0, 0, 2, 4), (1, 6, 7, 8)], [(0, 0, 4, 6), (1, 6, 8, 10)]),
    ],
)
def test_temporal_targets(target, validation, test):
    _, result = splits.split(histories(ALICE, BOB), config(kind="temporal", quantile=0.6, target=target))
    assert result.train_end.tolist() == [2, 7]
    assert queries(result, "validation") == validation
    assert queries(result, "test") == test
    assert result.cut == {"validation": "1970-01-01T00:00:04+00:00", "test": "1970-01-01T00:00:07+00:00"}


def test_temporal_by_date_equals_the_same_cut_by_quantile():
    log = histories(ALICE, BOB)
    _, by_quantile = splits.split(log, config(kind="temporal", quantile=0.6))
    _, by_date = splits.split(log, config(kind="temporal", quantile=0.6, cut="1970-01-01T00:00:07"))
    assert queries(by_date, "test") == queries(by_quantile, "test")
    assert by_date.cut == by_quantile.cut


def test_fewer_users_train_and_validate_but_all_are_tested():
    log = histories(*([("a", 1), ("b", 2), ("c", 3), ("d", 4)] for _ in range(40)))
    whole = splits.split(log, config(kind="leave_one_out"))[1]
    parts = {share: splits.split(log, config(kind="leave_one_out", train_users=share))[1] for share in (0.1, 0.5)}
    trained = {share: set(np.flatnonzero(part.train_end > log.offsets[:-1])) for share, part in parts.items()}
    assert [len(users) for users in trained.values()] == [4, 20]
    assert trained[0.1] < trained[0.5]
    for share, part in parts.items():
        assert set(part.validation.user) == trained[share]
        assert queries(part, "test") == queries(whole, "test")
        assert f"Only {len(trained[share])} of 40 users train and validate." in part.guarantee


def test_temporal_asks_only_users_with_an_earlier_event():
    log = histories(ALICE, BOB, [("a", 8), ("b", 9)], [("c", 10)])
    _, result = splits.split(log, config(kind="temporal", cut="1970-01-01T00:00:07", quantile=0.6, target="first"))
    assert result.test.user.tolist() == [0, 1]
    assert result.train_end[2] == log.offsets[2], "a user who comes after the cut must not train"
    _, result = splits.split(log, config(kind="temporal", cut="1970-01-01T00:00:07", quantile=0.6, target="last"))
    assert result.test.user.tolist() == [0, 1, 2], "events after the cut but before the target are history"


def test_temporal_puts_equal_times_on_one_side():
    log = histories(
        [("a", 1), ("b", 5), ("c", 5), ("d", 5), ("e", 9)], [("a", 2), ("b", 5), ("c", 5), ("d", 9), ("e", 9)]
    )
    _, result = splits.split(log, config(kind="temporal", quantile=0.7))  # the cut falls among the events of time 5
    mask = splits.training_events(log, result)
    assert not set(log.time[mask]) & set(log.time[~mask])


def test_temporal_never_cuts_a_basket_whose_lines_differ_in_time():
    log = histories(ALICE, BOB)
    log = replace(log, step=np.array([0, 1, 1, 2, 3, 3, 0, 1, 2, 3], np.int32), baskets=True)
    _, result = splits.split(log, config(kind="temporal", quantile=0.6, target="last"))
    assert result.train_end.tolist() == [1, 7], "the basket of times 2 and 5 lies across the cut at 4"
    assert queries(result, "test") == [(0, 0, 4, 6), (1, 6, 9, 10)]


def test_hold_out_keeps_the_last_steps_out_of_training():
    """The leak test: items that are only in the held-out steps must not be among the training events."""
    users = [[("a", 1), ("b", 2), ("c", 3), ("g", 4), ("h", 5)]] * 3
    for settings_ in (config(kind="leave_one_out"), config(kind="leave_last", steps=1)):
        log, result = splits.split(histories(*users), settings_)
        trained = set(log.item[splits.training_events(log, result)])
        assert trained == {1, 2, 3}
        assert splits.cold_targets(log, result, "validation") == 3
        assert splits.cold_targets(log, result, "test") == 3


@pytest.mark.parametrize("target", splits.TARGETS)
def test_temporal_hides_everything_of_the_future(target):
    """The leak test: item "c" (interest y) occurs late only; "z" and "w" only in items never seen before the cut."""
    early = [("b", 1), ("d", 2), ("b", 3)]
    log, result = splits.split(
        histories([*early, ("c", 8), ("a", 9)], [*early, ("a", 7), ("c", 9)], [("e", 9), ("f", 9), ("b", 9)]),
        config(kind="temporal", cut="1970-01-01T00:00:07", quantile=0.8, target=target),
    )
    mask = splits.training_events(log, result)
    assert log.time[mask].max() < 7
    assert log.num_items == 2
    assert log.items["item"].to_list() == ["b", "d", "a", "c", "e", "f", "g", "h"]
    assert set(log.item[mask]) == {1, 2}
    assert log.items["item"].to_numpy()[log.item - 1].tolist() == [
        *("b", "d", "b", "c", "a"),
        *("b", "d", "b", "a", "c"),
        *("e", "f", "b"),
    ]
    assert log.interests == ("x", "y")
    assert log.item_interest.tolist() == [0, 1, 2, 1, 2, 0, 0, 0, 0]
    assert splits.cold_targets(log, result, "test") == {"first": 2, "last": 2, "all": 4}[target]


@st.composite
def logs(draw):
    baskets = draw(st.booleans())
    event = st.tuples(st.sampled_from(NAMES), st.integers(1, 13))
    users = draw(st.lists(st.lists(event, min_size=1, max_size=9), min_size=1, max_size=6))
    return histories(*(sorted(user, key=lambda event: event[1]) for user in users), baskets=baskets)


@given(
    logs(),
    st.sampled_from(["leave_one_out", "leave_last", "temporal"]),
    st.sampled_from(splits.TARGETS),
    st.floats(0.05, 0.95),
    st.integers(1, 3),
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_every_event_has_one_duty(log, kind, target, quantile, steps):
    try:
        same, result = splits.split(log, config(kind=kind, target=target, quantile=quantile, steps=steps))
    except UserError:
        return
    duties = splits.training_events(log, result).astype(int)
    step_id = np.repeat(np.arange(log.num_users), np.diff(log.offsets)) * 100 + log.step
    for part in ("validation", "test"):
        for user, start, stop, end in queries(result, part):
            assert log.offsets[user] == start < stop < end <= log.offsets[user + 1]
            assert stop >= result.train_end[user]
            duties[stop:end] += 1
            assert step_id[stop - 1] != step_id[stop], "a step is cut in two"
            assert end == log.num_events or step_id[end] != step_id[end - 1], "a step is cut in two"
            if target != "all" and kind != "leave_last":
                assert len(set(step_id[stop:end])) == 1
    assert duties.max() == 1
    if kind != "temporal":
        held = {user: start for user, _, start, _ in queries(result, "validation")}
        assert all(result.train_end[user] == held.get(user, log.offsets[user + 1]) for user in range(log.num_users))
        assert (duties == 1).all(), "an event neither trains nor is asked for"
    else:
        order = same.items["item"].to_list()
        assert [order[item - 1] for item in same.item] == [NAMES[item - 1] for item in log.item]
        mask = splits.training_events(log, result)
        assert log.time[mask].max() < min(log.time[stop] for _, _, stop, _ in queries(result, "validation"))
        if target == "all":
            windowed = (duties == 1) | np.isin(step_id // 100, _unasked(log, result))
            assert windowed.all()


def _unasked(log: Histories, result: Split) -> list[int]:
    """Users with a window but no earlier event: nothing is asked of them."""
    asked = {part: set(result.queries(part).user.tolist()) for part in ("validation", "test")}
    return [user for user in range(log.num_users) if not all(user in users for users in asked.values())]


def test_guarantees_are_in_the_docstrings():
    for kind, function in (
        ("leave_one_out", splits.leave_one_out),
        ("leave_last", splits.leave_last),
        ("temporal", splits.temporal),
    ):
        assert splits.GUARANTEES[kind] in " ".join(inspect.getdoc(function).split())
        _, result = splits.split(histories(ALICE, BOB, LONG), config(kind=kind, steps=1, quantile=0.6))
        assert result.guarantee == splits.GUARANTEES[kind]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "leave_one"}, "did you mean 'leave_one_out'"),
        ({"kind": "leave_last", "steps": 0}, "at least 1 step"),
        ({"kind": "leave_last", "steps": 3}, "at least 7 steps, but the longest has 6"),
        ({"kind": "leave_last", "steps": 2, "forecast_origin": 2}, "at least 7 steps, but the longest has 6"),
        ({"kind": "leave_last", "steps": 1, "forecast_origin": -1}, "forecast_origin=-1: expected a number of steps"),
        ({"kind": "temporal", "quantile": 1.0}, "between 0 and 1"),
        ({"kind": "temporal", "quantile": 0.0}, "between 0 and 1"),
        ({"kind": "temporal", "quantile": 0.05}, "no event is before the test cut"),
        ({"kind": "temporal", "target": "next"}, "first, last, all"),
        ({"kind": "temporal", "cut": "1970"}, "ISO date"),
        ({"kind": "temporal", "cut": "2017-01-01"}, "runs from 1970-01-01T00:00:01+00:00"),
        ({"kind": "temporal", "cut": "1969-01-01"}, "outside the log"),
    ],
)
def test_mistakes(changes, words):
    with pytest.raises(UserError, match=words.replace("+", r"\+")):
        splits.split(histories(ALICE, BOB), config(**changes))


def test_temporal_needs_times():
    with pytest.raises(UserError, match="needs times"):
        splits.split(replace(histories(ALICE), has_time=False), config(kind="temporal"))


def test_temporal_needs_every_time():
    log = histories([("a", 0), ("b", 0)], ALICE, BOB)
    with pytest.raises(UserError, match="but 2 have none"):
        splits.split(log, config(kind="temporal", quantile=0.6))


def test_temporal_needs_someone_to_ask():
    with pytest.raises(UserError, match="no user has an event to be asked for in validation"):
        splits.split(histories([("a", 1), ("b", 2)], [("a", 3), ("b", 9)]), config(kind="temporal", quantile=0.75))
