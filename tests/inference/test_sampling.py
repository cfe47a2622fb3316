"""Sampled paths against exact enumeration on tiny models; who else is forecast, and what is padding, plays no part."""

from __future__ import annotations

from functools import partial
from itertools import permutations

import jax
import numpy as np
import pytest

from tests.builders import NO_FEATURES, make_histories, make_model
from trajectory.data.pipeline.event_statistics import event_statistics
from trajectory.data.pipeline.featurize import last_rows
from trajectory.inference.new_users import whole_histories
from trajectory.inference.predictor import Predictor
from trajectory.inference.sampled import SampledForecaster
from trajectory.inference.sampling import Paths, sample
from trajectory.schema import Queries, UserError

pytestmark = pytest.mark.compiled_quickly

ITEMS, CAPACITY, GAP, PATHS = 5, 16, 3600, 1000
SINGLE = make_histories([[1, 2, 3], [4, 1, 1, 5, 2, 2, 3], [2, 5]], num_items=ITEMS, gap=GAP)
BASKETS = make_histories(
    [[1, 2, 3], [4, 1, 1, 5, 2, 3]], steps=[[0, 1, 1], [0, 1, 1, 2, 3, 3]], num_items=ITEMS, gap=GAP
)


def make(backbone, time=False):
    """A model and parameters drawn from a normal law: no need to compile an initialisation."""
    model = make_model(backbone, items=ITEMS, capacity=CAPACITY, time=time)
    events = last_rows(SINGLE, NO_FEATURES, np.array([0]), np.array([3]), 8)
    shapes = jax.eval_shape(lambda key: model.init(key, events, method="initialise"), jax.random.key(0))
    rng = np.random.default_rng(5)
    return model, jax.tree.map(lambda x: rng.normal(0, 0.6, x.shape).astype(np.float32), shapes)


@pytest.fixture(scope="module")
def transformer():
    return make("transformer")


@pytest.fixture(scope="module", params=["gru", "transformer", "hybrid"])
def learned(request):
    return request.getfixturevalue("transformer") if request.param == "transformer" else make(request.param)


def run(learned, histories, queries=None, *, steps=2, paths=PATHS, seed=0, filter_seen=False) -> Paths:
    queries = whole_histories(histories) if queries is None else queries
    predictor = Predictor(*learned, histories, NO_FEATURES, CAPACITY, filter_seen)
    parts = [p for _, p in sample(predictor, queries, event_statistics(histories), steps=steps, paths=paths, seed=seed)]
    return Paths(*(np.concatenate(column) for column in zip(*parts, strict=True)))


@partial(jax.jit, static_argnums=0)
def _score(model, params, events, place):
    states = model.apply(params, events, place, method="encode")
    return model.apply(params, states, method="score")


def chances(learned, histories, user, steps):
    """Probabilities [V + 1] after the history and the given steps of items, all read at once by `encode`."""
    start, stop = histories.offsets[user : user + 1], histories.offsets[user + 1 : user + 2]
    events = last_rows(histories, NO_FEATURES, start, stop, CAPACITY)
    at = int(stop[0] - start[0])
    usual = np.bincount(histories.event_type).argmax()
    one_more = np.arange(1, len(histories.event_types) + 1) == usual
    for items in steps:
        for line, item in enumerate(items):
            for name, column in events._asdict().items():
                column[0, at] = {
                    "item": item,
                    "event_type": usual,
                    "counts": np.log1p(np.expm1(events.counts[0, at - 1]) + one_more),
                    "gap": np.log1p(GAP) if line == 0 else 0,
                    "age": events.age[0, at - 1] + (GAP / 86400 if line == 0 else 0),
                    "hour": events.hour[0, at - 1] + (line == 0),
                    "position": at,
                }.get(name, column[0, at - 1])
            at += 1
    return np.exp(np.asarray(_score(*learned, events, np.array([[at - 1]])))[0, 0].astype(np.float64))


def assert_within_error(found, exact, deviation, count=PATHS):
    """Equal within 4.5 standard errors of a mean of `count` draws of this standard deviation."""
    assert (np.abs(found - exact) < 4.5 * deviation / np.sqrt(count) + 1e-4).all(), (found, exact)


def of_draws(exact):
    return np.sqrt(exact * (1 - exact))


def mixture(weights, values):
    """Mean and standard deviation of rows of values that come with these chances."""
    mean = weights @ values
    return mean, np.sqrt(weights @ (values - mean) ** 2)


@pytest.mark.parametrize("user", range(3))
def test_two_steps_equal_the_exact_mixture(learned, user):
    found = run(learned, SINGLE)
    first = chances(learned, SINGLE, user, [])
    second = np.array([chances(learned, SINGLE, user, [[i]]) if i else np.zeros(ITEMS + 1) for i in range(ITEMS + 1)])
    within = np.where(np.eye(ITEMS + 1, dtype=bool), 1.0, second)
    np.testing.assert_allclose(found.probability[user, 0], first, atol=2e-5)
    np.testing.assert_allclose(found.visited[user, 0], first, atol=2e-5)
    assert_within_error(found.probability[user, 1], *mixture(first, second))
    assert_within_error(found.visited[user, 1], *mixture(first, within))
    drawn = found.item[user]
    assert_within_error(np.bincount(drawn[:, 0], minlength=ITEMS + 1) / PATHS, first, of_draws(first))
    np.testing.assert_allclose(found.log_probability[user, :, 0], np.log(first[drawn[:, 0]]), atol=1e-4)
    np.testing.assert_allclose(found.log_probability[user, :, 1], np.log(second[drawn[:, 0], drawn[:, 1]]), atol=1e-3)


@pytest.mark.parametrize("user", range(2))
def test_baskets_equal_the_exact_mixture(transformer, user):
    """A basket is one or two distinct lines, as the user's own past ones; the last line drawn is read first."""
    sizes = np.array([[1, 2], [1, 2, 1, 2]][user])
    found = run(transformer, BASKETS)
    first = chances(transformer, BASKETS, user, [])
    np.testing.assert_allclose(found.probability[user, 0], first, atol=2e-5)
    of = BASKETS.item_interest
    weights, inside, reached, second = [], [], [], []
    for size in (1, 2):
        for basket in permutations(range(1, ITEMS + 1), size):
            weight = first[basket[0]] * (first[basket[1]] / (1 - first[basket[0]]) if size == 2 else 1)
            weights.append((sizes == size).mean() * weight)
            inside.append(np.isin(np.arange(ITEMS + 1), basket))
            reached.append(np.isin(np.arange(len(BASKETS.interests) + 1), of[list(basket)]))
            second.append(chances(transformer, BASKETS, user, [basket[::-1]]))
    assert_within_error(found.visited[user, 0], *mixture(np.array(weights), np.array(inside)))
    assert_within_error(found.interest_visited[user, 0], *mixture(np.array(weights), np.array(reached)))
    assert_within_error(found.probability[user, 1], *mixture(np.array(weights), np.array(second)))


@pytest.mark.parametrize("histories", [SINGLE, BASKETS])
def test_what_few_paths_say_within_steps_does_not_contradict_the_steps(transformer, histories):
    predictor = Predictor(*transformer, histories, NO_FEATURES, CAPACITY, False)
    few = SampledForecaster(predictor, event_statistics(histories), 3, 7, 0).forecast(whole_histories(histories))
    for at, within in ((few.probability, few.within), (few.interests, few.interests_within)):
        assert (within >= np.maximum.accumulate(at, axis=1) - 1e-6).all()
        assert (np.diff(within, axis=1) >= 0).all()
        if not histories.baskets:
            assert (within <= np.cumsum(at, axis=1) + 1e-6).all()
            np.testing.assert_allclose(within[:, 0], at[:, 0], atol=1e-6)
    of = histories.item_interest[1:]
    assert (few.interests_within[:, :, of] >= few.within[:, :, 1:] - 1e-6).all(), "an item comes with its interest"


@pytest.mark.parametrize("histories", [SINGLE, BASKETS])
def test_what_one_of_few_paths_drew_counts_for_its_probability_of_interests_too(transformer, histories):
    """Within two steps, of few paths: not the share of paths that came to the interest."""
    many = run(transformer, histories, seed=1).interest_visited[:, 1]
    found = [run(transformer, histories, paths=10, seed=seed).interest_visited[:, 1] for seed in range(8)]
    alone = np.sqrt(many * (1 - many) / 10)[:, 1:].mean()
    assert np.abs(np.array(found) - many)[:, :, 1:].mean() < 0.6 * alone, "of counts it is 0.8"


def test_paths_go_on_from_the_silence_so_far():
    """Against those of all paths that were silent as long."""
    predictor = Predictor(*make("gru", time=True), SINGLE, NO_FEATURES, CAPACITY, False)

    def sampled(silent):
        asked = sample(
            predictor,
            whole_histories(SINGLE),
            event_statistics(SINGLE),
            steps=2,
            paths=4000,
            seed=0,
            days=3.0,
            silent=silent,
        )
        return Paths(*(np.concatenate(column) for column in zip(*(paths for _, paths in asked), strict=True)))

    before = sampled(None)
    first = before.days[1, :, 0]
    silent = np.quantile(first, 0.3) + 1e-6
    after = sampled(np.array([0.0, silent, 3.5]))
    np.testing.assert_array_equal(after.days[0], before.days[0])
    assert (after.days[1] >= silent * (1 - 1e-4)).all()
    assert not after.interest_within_days[2].any(), "the days are over"
    waited = first[first > silent]
    for days in np.quantile(waited, [0.3, 0.6]):
        share = (waited <= days).mean()
        assert (after.days[1, :, 0] <= days).mean() == pytest.approx(share, abs=4.5 * 0.5 / np.sqrt(len(waited)))


def test_filtered_items_never_come_again(transformer):
    found = run(transformer, SINGLE, steps=3, filter_seen=True)
    left = [{4, 5}, set(), {1, 3, 4}]
    for user, allowed in enumerate(left):
        for path in found.item[user].tolist():
            real = [item for item in path if item]
            assert len(real) == len(set(real)) == min(3, len(allowed))
            assert set(real) <= allowed
            assert path == real + [0] * (3 - len(real))
        gone = [item for item in range(ITEMS + 1) if item not in allowed]
        assert not found.probability[user][:, gone].any()
        assert not found.visited[user][:, gone].any()
        expected = [float(step < len(allowed)) for step in range(3)]
        np.testing.assert_allclose(found.probability[user].sum(1), expected, atol=1e-5)
        np.testing.assert_allclose(found.visited[user].sum(1), np.minimum(np.arange(1, 4), len(allowed)), atol=1e-4)
    assert (found.log_probability[1] == 0).all()


def test_filtered_items_fill_no_basket_either(transformer):
    found = run(transformer, BASKETS, steps=3, filter_seen=True)
    assert not found.visited[:, :, :4].any()
    assert not found.visited[1].any(), "this user has seen everything"
    assert (found.visited[0, 0, 4:] > 0).all()
    np.testing.assert_allclose(found.visited[0, -1, 4:], 1)


def test_same_seed_same_paths(transformer):
    one, again, other = (run(transformer, SINGLE, seed=seed) for seed in (3, 3, 4))
    for a, b in zip(one, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (one.item != other.item).any()


@pytest.mark.parametrize("histories", [SINGLE, BASKETS])
def test_other_users_and_padding_have_no_influence(transformer, histories):
    """Alone or with others, in a full or a padded chunk, with a shorter or longer neighbour: the same future."""
    together = run(transformer, histories)  # two users at a time
    for user in range(histories.num_users):
        alone = run(transformer, histories, Queries(*(column[[user]] for column in whole_histories(histories))))
        np.testing.assert_array_equal(together.item[user], alone.item[0])
        np.testing.assert_allclose(together.visited[user], alone.visited[0], atol=1e-5)
        np.testing.assert_allclose(together.probability[user], alone.probability[0], atol=1e-5)


def test_a_long_history_is_read_as_far_as_there_is_room(transformer):
    long = make_histories([[1, 2, 3, 4, 5] * 8 + [3, 1, 4]], num_items=ITEMS)
    found = run(transformer, long)
    tail = last_rows(long, NO_FEATURES, long.offsets[:1], long.offsets[1:], CAPACITY - 1)
    expected = np.exp(np.asarray(_score(*transformer, tail, np.array([[CAPACITY - 2]])))[0, 0])
    np.testing.assert_allclose(found.probability[0, 0], expected, atol=2e-5)
    np.testing.assert_allclose(found.probability[0].sum(1), 1, atol=1e-4)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"steps": 17}, "at most 16, for the model reads 16 events"),
        ({"steps": 0}, "expected at least 1, and at most 16"),
        ({"paths": 0}, "paths=0: expected at least 1"),
    ],
)
def test_impossible_questions_are_explained(transformer, wrong, said):
    with pytest.raises(UserError, match=said):
        run(transformer, SINGLE, **wrong)
