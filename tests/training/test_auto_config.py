"""The recipe says what it chooses, chooses the same for the same data, and copes with tiny data."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.builders import make_histories, random_histories
from trajectory.data.pipeline.splits import split
from trajectory.schema import EVENT_TYPES
from trajectory.settings import base, get, set_by_hand
from trajectory.training import auto_config


def _fit(histories, capsys):
    config = base("gru")
    config.auto_config = "auto"
    before = config.to_json()
    histories, parts = split(histories, config.split)
    fitted = auto_config.decide_sizes(config, histories, parts)
    assert config.to_json() == before, "the given config must not change"
    return fitted, capsys.readouterr().out


def test_every_choice_is_printed_with_its_value_and_reason(capsys):
    fitted, said = _fit(random_histories(200, 50, 30), capsys)
    assert said.startswith("auto-config for 200 users, ")
    lines = re.findall(r"^  (\w+)\.(\w+) = (.*?)  \((.+)\)$", said, re.MULTILINE)
    assert len(lines) == said.count("\n") - 1 >= 9
    for section, field, value, reason in lines:
        assert str(fitted[section][field]) == value
        assert reason
    assert fitted.auto_config == "fixed", "a run's folder keeps what was chosen"


def test_the_same_data_gives_the_same_choice(capsys):
    first, said = _fit(random_histories(100, 50, 30), capsys)
    again, said_again = _fit(random_histories(100, 50, 30), capsys)
    assert first.to_json() == again.to_json()
    assert said == said_again


@pytest.mark.parametrize(
    "lists",
    [[[1, 2, 3]], [[1, 2, 3], [1]], [[1, 1, 1, 1]] * 2],
    ids=["one history", "a history of one event", "one item"],
)
def test_tiny_data_gets_usable_sizes(lists, capsys):
    fitted, _ = _fit(make_histories(lists), capsys)
    assert fitted.batch.length >= 32
    assert fitted.batch.rows >= 2
    assert fitted.train.epochs >= 1
    assert fitted.train.patience_epochs >= 1


def test_a_row_holds_most_histories_and_a_batch_about_2000_events(capsys):
    fitted, _ = _fit(random_histories(300, 400, 102), capsys)
    assert fitted.batch.length == fitted.batch.targets == 128
    assert fitted.batch.rows == 16


def test_repeats_switch_the_repeat_head_on_and_seen_items_in(capsys):
    # Training sees 4 events of each; a repeat there, none there.
    often, said = _fit(make_histories([[1, 2, 1, 2, 3, 4]] * 10), capsys)
    assert (often.model.repeat, often.evaluation.seen) == (True, "keep")
    assert "50.0% of training targets are of an item that an earlier event" in said
    never, said = _fit(make_histories([[1, 2, 3, 4, 1, 1]] * 10), capsys)
    assert (never.model.repeat, never.evaluation.seen) == (False, "filter")
    assert "0.0% of training targets are of an item that an earlier event" in said


def test_baskets_are_predicted_where_they_end_and_by_several_lines(capsys):
    baskets = [[0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 4]] * 20
    fitted, said = _fit(make_histories([list(range(1, 15))] * 20, steps=baskets), capsys)
    # Training sees three baskets of four lines.
    assert (fitted.batch.length, fitted.batch.targets, fitted.batch.target_items) == (32, 14, 8)
    assert fitted.batch.basket_power == 0.5
    assert "4.0 events a step" in said
    single, _ = _fit(make_histories([list(range(1, 15))] * 20), capsys)
    assert (single.batch.targets, single.batch.target_items) == (single.batch.length, 1)


def test_where_steps_are_events_it_is_the_recipe_of_the_benchmarks(capsys):
    fresh, _ = _fit(make_histories([list(range(1, 15))] * 20), capsys)  # 12 x 20 training events of 14 items
    usual, _ = _fit(make_histories([list(range(1, 15))] * 100), capsys)
    repeats, _ = _fit(make_histories([[1, 2, 1, 2, 3, 4]] * 10), capsys)
    for found in (fresh, usual, repeats):
        assert (found.init.item_vectors, found.optim.average, found.optim.schedule) == (
            "co_occurrence",
            0.995,
            "cosine",
        )
        assert (found.model.width, found.model.layers, found.optim.learning_rate) == (64, (128,), 3e-3), "a GRU"
        assert found.train.epochs >= 12
        assert found.train.patience_epochs == max(5, found.train.epochs // 5)
    assert (fresh.train.pseudospherical_order, fresh.train.smoothing) == (0.3, 0.0)
    assert fresh.model.temperature == pytest.approx(0.1)
    assert (usual.train.pseudospherical_order, usual.train.smoothing, usual.model.temperature) == (0.0, 0.1, 0.07)
    assert (repeats.train.pseudospherical_order, repeats.train.smoothing) == (0.0, 0.0), "both need a plain softmax"
    baskets, _ = _fit(make_histories([list(range(1, 9))] * 20, steps=[[0, 0, 1, 1, 2, 2, 3, 4]] * 20), capsys)
    assert (baskets.model.temperature, baskets.init.item_vectors, baskets.optim.average) == (0.0, "random", 0.0)
    assert (baskets.train.pseudospherical_order, baskets.train.smoothing, baskets.optim.schedule) == (
        0.0,
        0.0,
        "constant",
    )


@pytest.mark.parametrize(
    "values",
    [
        {"train.epochs": 2, "optim.learning_rate": 3e-4, "evaluation.seen": "keep", "model.width": 32},
        {
            "train.epochs": 20,
            "optim.learning_rate": 1e-3,
            "evaluation.seen": "keep",
            "model.width": 64,
        },  # mostly defaults
    ],
)
def test_what_is_set_by_hand_stays_and_the_rest_follows_it(capsys, values):
    histories, parts = split(make_histories([list(range(1, 15))] * 20), base().split)
    fitted = auto_config.decide_sizes(set_by_hand(base("gru"), values), histories, parts)
    said = capsys.readouterr().out
    for name, value in values.items():
        assert get(fitted, name) == value
        assert f"  {name} = {value}  (set by hand)\n" in said
    assert fitted.model.layers == (2 * values["model.width"],)
    assert fitted.train.patience_epochs == 5, "a fifth of the epochs, but 5 at least"
    assert fitted.by_hand == tuple(sorted(values))


def test_a_power_a_length_and_steps_of_several_lines_set_by_hand_are_followed(capsys):
    lists, steps = [list(range(1, 9))] * 20, [[0, 0, 1, 1, 2, 2, 3, 4]] * 20
    single, parts = split(make_histories(lists), base().split)
    fitted = auto_config.decide_sizes(
        set_by_hand(base("gru"), {"train.pseudospherical_order": 0.5, "batch.length": 16}), single, parts
    )
    assert (fitted.model.temperature, fitted.train.smoothing) == (pytest.approx(0.14), 0.0)
    assert (fitted.batch.length, fitted.batch.targets, fitted.batch.rows) == (16, 16, 128)
    baskets, parts = split(make_histories(lists, steps=steps), base().split)
    fitted = auto_config.decide_sizes(
        set_by_hand(base("gru"), {"model.width": 128, "train.epochs": 40}), baskets, parts
    )
    assert (fitted.model.layers, fitted.optim.learning_rate) == ((128, 128), 5e-4)
    assert fitted.train.patience_epochs == 8


def test_seen_items_are_candidates_where_repeats_are_usual(capsys):
    def decided(seen: str, items: list[list[int]]) -> str:
        histories = make_histories(items)
        config = base()
        config.evaluation.seen = seen
        return auto_config.decide_seen(config, histories, split(histories, config.split)[1]).evaluation.seen

    again, never = [[1, 2, 1, 2, 1, 2]] * 3, [[1, 2, 3, 4, 5, 6]] * 3
    assert [decided("auto", again), decided("auto", never)] == ["keep", "filter"]
    assert "evaluation.seen = keep  (50.0% of training targets repeat" in capsys.readouterr().out
    assert decided("keep", never) == "keep"
    assert not capsys.readouterr().out
    assert decided("filter", again) == "filter", "what is asked for holds, and is said"
    assert "evaluation.seen = filter, though 50.0%" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "kind", "asked", "read", "conversion", "decided"),
    [
        ("auto", "temporal", "all", True, 0.0, "session"),
        ("auto", "temporal", "last", True, 0.0, "step"),
        ("auto", "leave_one_out", "all", True, 0.0, "step"),
        ("auto", "temporal", "all", False, 0.0, "step"),
        ("auto", "temporal", "all", True, 1.0, "step"),
        ("step", "temporal", "all", True, 0.0, "step"),
        ("session", "leave_one_out", "last", False, 0.0, "session"),
    ],
)
def test_training_predicts_from_where_the_split_asks(given, kind, asked, read, conversion, decided):
    histories = make_histories([[1, 2, 1, 2]], event_types=[[1, 2, 1, 2]])
    histories = replace(histories, roles=EVENT_TYPES | {"view": ("input",)} if read else EVENT_TYPES)
    config = base()
    config.batch.after, config.split.kind, config.split.target, config.heads.conversion = given, kind, asked, conversion
    assert auto_config.decide_after(config, histories).batch.after == decided


@pytest.mark.parametrize(("least", "batches", "epochs"), [(200, 18, 12), (200, 2, 20), (200, 100, 2), (0, 1, 2)])
def test_epochs_are_raised_to_the_steps_that_are_needed(least, batches, epochs):
    config = base("gru")
    config.train.epochs, config.train.min_steps = 2, least
    assert auto_config.decide_epochs(config, batches).train.epochs == epochs
    assert auto_config.decide_epochs(set_by_hand(config, {"train.epochs": 3}), batches).train.epochs == 3


def test_a_warm_up_is_a_share_of_training_but_by_hand():
    config = base("gru")
    assert auto_config.decide_warmup(config, 38).optim.warmup_steps == 7
    assert auto_config.decide_warmup(config, 500).optim.warmup_steps == 100
    by_hand = set_by_hand(config, {"optim.warmup_steps": 30})
    assert auto_config.decide_warmup(by_hand, 38).optim.warmup_steps == 30
