"""Views that are only read, purchases that are predicted: splits, batches, baselines, ranks and what is refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ml_collections import ConfigDict

from tests.builders import NO_FEATURES, make_histories
from tests.raw_logs import cleaned, from_text, settings
from trajectory.baselines.next_item import baselines
from trajectory.data.pipeline.batches import TrainingData
from trajectory.data.pipeline.event_statistics import event_statistics
from trajectory.data.pipeline.splits import split, step_bounds, target_starts
from trajectory.data.store.arrays import check_targets, flatten
from trajectory.evaluation.reach import reach
from trajectory.evaluation.target_steps import moment_note, target_step_facts
from trajectory.insights.recommend.page import event_types_note
from trajectory.metrics.ranking import distinct_items
from trajectory.metrics.waiting_time import observed_waits
from trajectory.schema import EVENT_TYPES, Histories, UserError
from trajectory.settings import base

VIEW, BUY = 1, 2
#         0  1  2  3  4  5  6  7  8
ITEMS = [[1, 2, 2, 3, 1, 4, 4, 5, 5], [6, 6, 6]]
TYPES = [[1, 1, 2, 1, 2, 1, 2, 1, 1], [1, 2, 1]]


def a_log(**options: object) -> Histories:
    """Two users: the first buys items 2, 1 and 4 at events 2, 4 and 6, the second item 6 at event 10."""
    histories = make_histories(ITEMS, event_types=TYPES, num_items=6, **options)
    return replace(histories, roles=EVENT_TYPES | {"view": ("input",)})


def settings_of(kind: str, **changes: object) -> ConfigDict:
    config = base().split
    config.kind = kind
    for name, value in changes.items():
        config[name] = value
    return config


def test_a_step_is_a_purchase_with_what_follows_it():
    histories = a_log()
    assert target_starts(histories).tolist() == [2, 4, 6, 10]
    assert histories.target_item.tolist() == [0, 0, 2, 0, 1, 0, 4, 0, 0, 0, 6, 0]


def test_the_last_purchase_is_tested_with_all_that_was_viewed_before_it():
    histories, found = split(a_log(), settings_of("leave_one_out"))
    assert [part.tolist() for part in found.test] == [[0], [0], [6], [9]]
    assert [part.tolist() for part in found.validation] == [[0], [0], [4], [6]]
    assert found.train_end.tolist() == [4, 12]
    assert distinct_items(histories, found.test.stop, found.test.end).tolist() == [[4]]
    facts = target_step_facts(histories, {"test": found.test}, settings_of("leave_one_out"))
    assert facts["asked"] == "next"
    assert target_step_facts(histories, {"test": found.test}, settings_of("temporal", target="last"))["asked"] == "last"
    assert facts["target_steps"]["test"] == {"mean": 1.0, "most": 1}


@pytest.mark.parametrize(("target", "stop", "end"), [("first", 4, 6), ("last", 6, 9), ("all", 3, 9)])
def test_of_a_window_the_purchases_are_asked_for(target: str, stop: int, end: int):
    log = a_log()
    cut = np.datetime64(int(log.time[3]), "s").item().isoformat()  # the second user's events are before it
    histories, found = split(log, settings_of("temporal", cut=cut, target=target, quantile=0.5))
    test = found.test
    assert [part.tolist() for part in test] == [[0], [0], [stop], [end]]
    bounds = step_bounds(histories, test, 2)
    expected = {"first": [4, 6, 6], "last": [6, 9, 9], "all": [3, 6, 9]}[target]
    assert bounds.tolist() == [expected]
    hours = observed_waits(histories, test, 2) * 24
    first = {"first": [1.0], "last": [1.0], "all": [2.0, 4.0]}[target]  # from the event before `stop`
    np.testing.assert_allclose(hours[0][: len(first)], first)
    assert np.isnan(hours[0][len(first) :]).all()


def test_every_event_is_asked_for_the_next_purchase():
    log = a_log()
    histories, found = split(log, settings_of("leave_last", steps=1))
    found = replace(found, train_end=log.offsets[1:])
    config = base().batch
    config.rows, config.length, config.targets, config.position_offset = 2, 16, 16, False
    batch = TrainingData(histories, found, NO_FEATURES, config, seed=0).plan(0).batch(0)
    events, targets = batch.events, batch.targets
    asked = {}
    for row in range(2):
        for slot in np.flatnonzero(targets.weight[row, :, 0]):
            at = targets.position[row, slot]
            asked[int(events.item[row, at]), int(events.segment[row, at]), int(events.position[row, at])] = (
                int(targets.item[row, slot, 0]),
                round(float(targets.wait[row, slot]) * 24),
            )
    first = {position: target for (_, _, position), target in asked.items() if len(asked) and target[0] != 6}
    assert first == {0: (2, 2), 1: (2, 1), 2: (1, 2), 3: (1, 1), 4: (4, 2), 5: (4, 1)}
    assert [target for target in asked.values() if target[0] == 6] == [(6, 1)]


def test_after_a_session_alone_the_next_purchase_is_asked_for():
    """Sessions of the first user end at events 1, 4 and 8; after the last of them nothing is bought."""
    log = a_log()
    time = log.time.copy()
    for first in (2, 5):
        time[first:9] += 86_400
    time[:12] = time[:12] // 3600 * 600  # ten minutes apart within a session
    log = replace(log, time=time)
    histories, found = split(log, settings_of("leave_last", steps=1))
    found = replace(found, train_end=log.offsets[1:])
    config = base().batch
    config.rows, config.length, config.targets, config.position_offset, config.after = 2, 16, 16, False, "session"
    batch = TrainingData(histories, found, NO_FEATURES, config, seed=0).plan(0).batch(0)
    row, slot = np.nonzero(batch.targets.weight[..., 0])
    position = batch.events.position[row, batch.targets.position[row, slot]]
    assert dict(zip(position.tolist(), batch.targets.item[row, slot, 0].tolist(), strict=True)) == {1: 2, 4: 4}


def test_counting_learns_what_is_bought_after_what():
    histories, found = split(a_log(), settings_of("leave_one_out"))
    found = replace(found, train_end=histories.offsets[1:])
    config = base()
    config.evaluation.seen = "keep"
    by_name = {rule.name: rule for rule in baselines(histories, found, config)}
    assert by_name["popularity"].popularity.tolist() == [0, 1, 1, 0, 1, 0, 1]
    successors = by_name["markov"].successors.toarray()
    assert successors[3].tolist() == [0, 1, 0, 0, 0, 0, 0]  # after item 3 was viewed, 1 was bought
    assert successors[2].tolist() == [0, 1, 1, 0, 0, 0, 0]  # viewed: 2 was bought; bought: 1
    assert successors[5].sum() == 0
    queries = found.test._replace(stop=np.array([9]))

    def best(name: str) -> list[int]:
        scores = by_name[name].scores(queries)[0]
        order = np.argsort(-scores[1:], kind="stable") + 1
        return order[: (scores > 0).sum()].tolist()

    assert best("last_view") == [5, 4, 3, 2, 1]
    assert best("last_purchase") == [4, 1, 2]
    assert best("not_yet") == [5, 3]  # viewed, not bought


def test_what_was_viewed_may_still_be_bought_first():
    histories, found = split(a_log(), settings_of("leave_one_out"))
    reached = reach(histories, found.test)
    assert reached.repeats.tolist() == [0]  # item 4 was viewed, not bought
    assert reached.left.tolist() == [6 - 2]
    assert distinct_items(histories, found.test.start, found.test.stop).tolist() == [[1, 2]]


def test_futures_are_of_the_types_that_are_predicted():
    statistics = event_statistics(a_log())
    assert statistics.event_type == BUY
    assert statistics.gap == 2 * 3600


TEXT = "user_id,item_id,time,event\n" + "".join(
    f"u{i % 4},i{i % 5},{1_700_000_000 + i},{('view', 'view', 'cart', 'purchase')[i % 4 - i // 4 % 2]}\n"
    for i in range(24)
)


def test_a_setting_says_which_types_are_predicted(tmp_path: Path):
    changes = {"target_types": ("purchase",)}
    clean = cleaned(from_text(tmp_path, TEXT, **changes), tmp_path, **changes)
    histories = flatten(clean, settings(tmp_path / "log.csv", **changes))
    assert {name: histories.roles[name] for name in ("view", "cart", "purchase")} == {
        "view": ("input",),
        "cart": ("input",),
        "purchase": ("input", "target", "sale"),
    }
    assert not histories.only_targets
    assert flatten(clean, settings(tmp_path / "log.csv")).only_targets


def prepared(folder: Path, types: tuple[str, ...]) -> Histories:
    clean = cleaned(from_text(folder, TEXT, target_types=types), folder, target_types=types)
    data = settings(folder / "log.csv", target_types=types)
    histories = flatten(clean, data)
    check_targets(histories, data)
    return histories


@pytest.mark.parametrize(
    ("types", "said"),
    [
        (("purchas",), "there is no type of event 'purchas'; did you mean 'purchase'"),
        (("buy",), "there is no type of event 'buy'; did you mean 'purchase'"),
        (("PURCHASE",), "there is no type of event 'PURCHASE'; did you mean 'purchase'"),
        (("impression",), "impression has the roles none, and what is predicted has to be read too"),
        (("rating",), r"no event is of a type that is predicted \(rating\); the log has view, cart, purchase"),
    ],
)
def test_types_that_cannot_be_predicted_are_refused(tmp_path: Path, types: tuple[str, ...], said: str):
    with pytest.raises(UserError, match=said):
        prepared(tmp_path, types)


def test_a_type_that_never_occurs_beside_one_that_does_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    prepared(tmp_path, ("purchase",))
    assert not caplog.text
    prepared(tmp_path, ("purchase", "favorite"))
    assert "no event is of type favorite, which data.target_types names: none is predicted" in caplog.text


def test_who_forecasts_is_told_for_which_moment_the_run_learned():
    said = moment_note(a_log(), settings_of("leave_one_out"))
    assert said.startswith("trained and measured right before what is predicted (split.kind=leave_one_out, ")
    assert not moment_note(a_log(), settings_of("temporal", target="all"))
    assert not moment_note(replace(a_log(), roles=EVENT_TYPES), settings_of("leave_one_out"))


def test_to_have_an_item_is_to_have_bought_it_where_purchases_are_predicted():
    assert (
        event_types_note(a_log())
        == " To have or to take an item is any event of it of these types: purchase; a sale is purchase."
    )
    assert "these types: view, purchase;" in event_types_note(replace(a_log(), roles=EVENT_TYPES))
