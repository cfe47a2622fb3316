"""The interface of all backbones: causal, blind to padding and to neighbours in a row, step equals encode."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.builders import NO_FEATURES, applied, changed, initialise, make_model, random_histories
from trajectory.data.pipeline.featurize import Windows, last_rows, read_rows
from trajectory.settings import BACKBONES

pytestmark = pytest.mark.compiled_quickly

LENGTH = 16


CASES = [*((backbone, "gru", 0) for backbone in BACKBONES), ("hybrid", "lstm", 0), ("gru", "", 5)]


@pytest.fixture(scope="module", params=CASES)
def case(request):
    """(model, params, histories, packed events, windows): three histories packed in one row, padding at its end."""
    histories = random_histories(3, 30, 5, seed=4)
    backbone, cell, kept = request.param
    model = make_model(backbone, cell=cell, capacity=LENGTH, horizon=3, frozen=kept)
    length = np.diff(histories.offsets)
    column = np.cumsum(length) - length
    start = histories.offsets[:-1]
    zero = np.zeros(3, np.int64)
    windows = Windows(start, length, start, zero, column, zero)
    events = read_rows(histories, NO_FEATURES, windows, 1, LENGTH)
    assert events.segment[0, -1] == 0, "the case needs padding"
    return model, initialise(model, events), histories, events, windows


@partial(jax.jit, static_argnums=0)
def _outputs(model, params, events):
    states = model.apply(params, events, method="encode")
    scores = (model.apply(params, states, method=name) for name in ("score", "score_interest", "score_conversion"))
    return states.vector, *scores


@partial(jax.jit, static_argnums=0)
def _step(model, params, carry, event, past=None):
    carry, states = model.apply(params, carry, event, past, method="step")
    scores = (model.apply(params, states, method=name) for name in ("score", "score_interest", "score_conversion"))
    return carry, states.vector, *scores


def test_scores_are_log_probabilities(case):
    model, params, _, events, _ = case
    _, item, interest, _ = _outputs(model, params, events)
    np.testing.assert_allclose(np.exp(item).sum(-1), 1, atol=1e-5)
    np.testing.assert_allclose(np.exp(interest).sum(-1), 1, atol=1e-5)
    assert np.all(np.asarray(item[..., 0]) < -60)


def test_with_a_temperature_the_softmax_is_over_cosines_divided_by_it(case):
    model, params, _, events, _ = case
    model = changed(model, temperature=0.25, repeat_heads=0)
    states = applied(model, params, events, method="encode")
    table = np.asarray(params["params"]["items"]["ids"]["embedding"], np.float64)[1:]
    vector = np.asarray(states.vector, np.float64)
    cosine = vector @ table.T / np.linalg.norm(vector, axis=-1)[..., None] / np.linalg.norm(table, axis=1)
    expected = 4 * cosine - np.log(np.exp(4 * cosine).sum(-1, keepdims=True))
    real = np.asarray(events.segment) > 0
    np.testing.assert_allclose(applied(model, params, states, method="score")[..., 1:][real], expected[real], atol=1e-4)


def test_an_interest_gets_what_points_at_its_past_events(case):
    model, params, histories, events, _ = case
    states = applied(model, params, events, method="encode")
    interest = np.exp(applied(model, params, states, method="score_interest"))
    pointed = np.zeros_like(interest)
    for place, number in enumerate(histories.item_interest[events.item[0]]):
        pointed[0, :, number] += np.asarray(states.pointer.weight[0, :, place])
    left = interest - pointed
    assert left.min() > 0, "the head's own softmax gives every interest something"
    np.testing.assert_allclose(left.sum(-1), np.exp(states.pointer.generate), atol=1e-5)


def test_packed_row_equals_rows_of_its_own(case):
    model, params, histories, events, windows = case
    packed = _outputs(model, params, events)
    alone_events = last_rows(histories, NO_FEATURES, histories.offsets[:-1], histories.offsets[1:], LENGTH)
    alone = _outputs(model, params, alone_events)
    for together, apart in zip(packed, alone, strict=True):
        for user, (column, length) in enumerate(zip(windows.column, windows.length, strict=True)):
            np.testing.assert_allclose(together[0, column : column + length], apart[user, :length], atol=2e-5)


@pytest.mark.parametrize("places", [[11, 0, 4], list(range(LENGTH))[::-1]])
def test_states_at_some_places_are_those_of_all(case, places):
    model, params, _, events, _ = case
    everywhere = _outputs(model, params, events)
    states = applied(model, params, events, np.array([places]), method="encode")
    np.testing.assert_allclose(states.vector[0], everywhere[0][0, places], atol=2e-5)
    np.testing.assert_allclose(applied(model, params, states, method="score")[0], everywhere[1][0, places], atol=2e-5)


def test_gradient_reaches_only_the_past_of_the_same_history(case):
    model, params, _, events, windows = case
    x = jax.jit(lambda: model.apply(params, events, method="embed"))()
    column, length = int(windows.column[1]), int(windows.length[1])
    at = column + length - 2  # the last but one event of the middle history

    def read(x):
        states = model.apply(params, x, events, method="encode_embedded")
        return model.apply(params, states, method="score")[0, at, 1:].std() + states.vector[0, at].sum()

    gradient = np.abs(np.asarray(jax.jit(jax.grad(read))(x))).sum(-1)[0]
    assert np.all(gradient[column : at + 1] > 0)
    gradient[column : at + 1] = 0
    assert np.all(gradient == 0), "the future, a neighbour or padding has an influence"


def test_values_do_not_depend_on_the_future_or_neighbours(case):
    model, params, _, events, windows = case
    column, length = int(windows.column[1]), int(windows.length[1])
    before = _outputs(model, params, events)
    changed = np.array(events.item)
    outside = np.ones(LENGTH, bool)
    outside[column : column + length - 1] = False
    changed[0, outside] = changed[0, outside] % 30 + 1
    after = _outputs(model, params, events._replace(item=changed, event_type=np.where(outside, 2, events.event_type)))
    for a, b in zip(before, after, strict=True):
        inside = slice(column, column + length - 1)
        np.testing.assert_array_equal(np.asarray(a)[0, inside], np.asarray(b)[0, inside])
    assert not np.allclose(np.asarray(before[0])[0, outside], np.asarray(after[0])[0, outside])


def test_step_gives_the_states_of_encode(case):
    model, params, histories, _, _ = case
    start, stop = histories.offsets[:-1], histories.offsets[1:]
    events = last_rows(histories, NO_FEATURES, start, stop, 8)
    whole = _outputs(model, params, events)
    carry = model.apply(params, 3, 8, method="start")
    for t in range(8):
        carry, *found = _step(model, params, carry, jax.tree.map(lambda x, t=t: x[:, t : t + 1], events))
        real = np.asarray(events.segment[:, t]) > 0
        for a, b in zip(found, whole, strict=True):
            np.testing.assert_allclose(np.asarray(a)[real, 0], np.asarray(b)[real, t], atol=1e-5)
    np.testing.assert_array_equal(carry.events, stop - start)


def test_rows_that_share_a_past_go_on_from_it_each_by_its_own_events(case):
    model, params, histories, _, _ = case
    start, stop, early = histories.offsets[:-1], histories.offsets[1:], 2
    events = last_rows(histories, NO_FEATURES, start, stop, 8)
    past = model.apply(params, 3, 4, method="start")  # with room to spare
    for t in range(early):
        past, *_ = _step(model, params, past, jax.tree.map(lambda x, t=t: x[:, t : t + 1], events))
    twice = jax.tree.map(lambda x: np.repeat(x, 2, axis=0), events)
    twice.item[1::2, early:] = twice.item[1::2, early:] % 30 + 1
    whole = _outputs(model, params, twice)
    carry = model.apply(params, 6, 8 - early, past, method="start")
    for t in range(early, 8):
        carry, *found = _step(model, params, carry, jax.tree.map(lambda x, t=t: x[:, t : t + 1], twice), past)
        real = np.asarray(twice.segment[:, t]) > 0
        for a, b in zip(found, whole, strict=True):
            np.testing.assert_allclose(np.asarray(a)[real, 0], np.asarray(b)[real, t], atol=1e-5)
    np.testing.assert_array_equal(carry.events, np.repeat(stop - start, 2))


def test_padding_event_leaves_the_carry_alone(case):
    model, params, histories, _, _ = case
    events = last_rows(histories, NO_FEATURES, histories.offsets[:-1], histories.offsets[1:], 1)
    carry = model.apply(params, 3, 8, method="start")
    carry, *_ = _step(model, params, carry, events)
    same, *_ = _step(model, params, carry, jax.tree.map(jnp.zeros_like, events))
    jax.tree.map(np.testing.assert_array_equal, carry, same)


def test_repeat_head_makes_own_items_likelier():
    histories = random_histories(4, 30, 8, seed=1)
    events = last_rows(histories, NO_FEATURES, histories.offsets[:-1], histories.offsets[1:], 8)
    with_head, without = (make_model("gru", repeat=repeat, capacity=8) for repeat in (True, False))
    params = jax.jit(lambda k: with_head.init(k, events, method="initialise"))(jax.random.key(0))
    own = np.unique(histories.item[: histories.offsets[1]])
    last = int(histories.offsets[1]) - 1
    share = []
    for model in (with_head, without):
        probability = np.exp(_outputs(model, params, events)[1][0, last])
        share.append(probability[own].sum())
    assert share[0] > 2 * share[1]


def _one_history():
    histories = random_histories(1, 30, 4)
    return last_rows(histories, NO_FEATURES, histories.offsets[:-1], histories.offsets[1:], 4)


@pytest.mark.parametrize(("cell", "gates"), [("gru", 3), ("lstm", 4)])
def test_a_hybrid_has_the_cell_it_is_given(cell, gates):
    model = make_model("hybrid", cell=cell, width=16)
    recurrent = initialise(model, _one_history())["params"]["backbone"]["recurrent"]["stack_0"]["recurrent"]
    assert recurrent.shape == (32, gates * 32)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_hidden_events_tell_a_model_in_training_all_but_their_item(backbone):
    histories = random_histories(2, 20, 5, seed=1)
    model = make_model(backbone, dropout=0.0, event_dropout=1.0, repeat=False)
    events = last_rows(histories, NO_FEATURES, histories.offsets[:-1], histories.offsets[1:], LENGTH)
    params, others = initialise(model, events), events._replace(item=np.roll(events.item, 1, axis=0))

    def states(events, train):
        rngs = {"dropout": jax.random.key(0)}
        return applied(model, params, events, train=train, rngs=rngs, method="encode").vector

    np.testing.assert_array_equal(states(events, True), states(others, True))
    assert np.abs(states(events, False) - states(others, False)).max() > 0.01
    other_type = events._replace(event_type=np.where(events.event_type, 3 - events.event_type, 0))
    assert np.abs(states(events, True) - states(other_type, True)).max() > 0.01


def test_states_look_as_many_steps_ahead_as_they_are_asked_to(case):
    model, params, _, events, _ = case
    place = jnp.array([[1, 1, 1]])
    ahead = applied(model, params, events, place, horizon=jnp.array([[1, 2, 3]]), method="encode")
    alone = applied(model, params, events, place[:, :1], method="encode")
    np.testing.assert_allclose(ahead.vector[:, :1], alone.vector, atol=1e-5, err_msg="1 is the default")
    for one, other in ((0, 1), (1, 2)):
        assert np.abs(np.asarray(ahead.vector[0, one] - ahead.vector[0, other])).max() > 1e-3
    weight = np.asarray(ahead.pointer.weight[0])
    assert np.abs(weight[0] - weight[2]).max() > 1e-4, "what is pointed at depends on the step too"
