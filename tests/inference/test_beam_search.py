"""Beam search against the enumeration of all paths on tiny models."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest

from tests.builders import NO_FEATURES
from tests.inference.test_sampling import BASKETS, CAPACITY, ITEMS, SINGLE, chances, make
from trajectory.data.pipeline.event_statistics import event_statistics
from trajectory.inference.beam_search import Beams, search
from trajectory.inference.new_users import whole_histories
from trajectory.inference.predictor import Predictor
from trajectory.schema import Queries, UserError


@pytest.fixture(scope="module", params=["gru", "transformer"])
def learned(request):
    return make(request.param)


def run(
    learned, histories, queries=None, *, interests=False, steps=2, beams=6, particles=1, filter_seen=False
) -> Beams:
    queries = whole_histories(histories) if queries is None else queries
    found = search(
        Predictor(*learned, histories, NO_FEATURES, CAPACITY, filter_seen),
        queries,
        event_statistics(histories),
        steps=steps,
        beams=beams,
        particles=particles,
        interests=interests,
        seed=0,
    )
    return Beams(*(np.concatenate(column) for column in zip(*(beams for _, beams in found), strict=True)))


def exact(learned, user, banned=()):
    """Probability of each path of two items, in order of probability: [(items, chances of both steps)]."""
    found = []
    first = chances(learned, SINGLE, user, [])
    first[list(banned)] = 0
    first /= first.sum()
    for a in range(1, ITEMS + 1):
        if first[a] == 0:
            continue
        second = chances(learned, SINGLE, user, [[a]])
        if banned:
            second[[*banned, a]] = 0
            second /= second.sum()
        found += [((a, b), (first[a], second[b])) for b in range(1, ITEMS + 1) if second[b] > 0]
    return sorted(found, key=lambda path: -np.prod(path[1]))


@pytest.mark.parametrize("user", range(3))
def test_item_paths_are_the_likeliest_of_all_with_their_chances(learned, user):
    found, best = run(learned, SINGLE, beams=25), exact(learned, user)
    assert [tuple(path) for path in found.path[user, :6].tolist()] == [path for path, _ in best[:6]]
    np.testing.assert_allclose(np.exp(found.log_probability[user]), [chance for _, chance in best], atol=1e-4)
    assert np.exp(found.log_probability[user].sum(1)).sum() == pytest.approx(1, abs=1e-3), "25 paths are all there are"


def test_few_beams_keep_the_best_of_what_they_follow(learned):
    few, many = run(learned, SINGLE, beams=2), run(learned, SINGLE, beams=25)
    assert (few.log_probability.sum(2)[:, 0] <= many.log_probability.sum(2)[:, 0] + 1e-5).all()
    assert (np.diff(few.log_probability.sum(2), axis=1) <= 1e-6).all()


def test_seen_items_and_those_of_the_path_cannot_come(learned):
    found, best = run(learned, SINGLE, beams=4, filter_seen=True), exact(learned, 0, banned=(1, 2, 3))
    assert [tuple(path) for path in found.path[0, :2].tolist()] == [path for path, _ in best]
    np.testing.assert_allclose(np.exp(found.log_probability[0, :2]), [chance for _, chance in best], atol=1e-4)
    assert (found.path[0, 2:] == 0).all(), "4, 5 and 5, 4 are all there are"
    assert np.isneginf(found.log_probability[0, 2:]).all()


def test_interest_paths_are_sums_over_their_items(learned):
    """Over three steps: which item of the first interest it was decides what comes last."""
    user = 1
    total = dict.fromkeys(product((1, 2, 3), repeat=3), 0.0)
    for first, second in product(range(1, ITEMS + 1), repeat=2):
        before = chances(learned, SINGLE, user, [])[first] * chances(learned, SINGLE, user, [[first]])[second]
        last = before * chances(learned, SINGLE, user, [[first], [second]])
        for third in range(1, ITEMS + 1):
            total[tuple(SINGLE.item_interest[[first, second, third]].tolist())] += float(last[third])
    found = run(learned, SINGLE, interests=True, steps=3, beams=27, particles=300)
    for path, chance in zip(found.path[user].tolist(), found.log_probability[user], strict=True):
        assert np.exp(chance.sum()) == pytest.approx(total[tuple(path)], abs=0.01)


class Chain:
    """In place of a model: what comes next depends on the newest item alone, and strongly. Params: log chances."""

    spec = SimpleNamespace(
        data=SimpleNamespace(num_items=ITEMS), model=SimpleNamespace(capacity=16), heads=SimpleNamespace(time=False)
    )

    def apply(self, params, *args, method):
        return getattr(self, method)(params, *args)

    def start(self, params, rows, capacity, past=None):
        return jnp.zeros(rows, jnp.int32) if past is None else jnp.repeat(past, rows // len(past))

    def step(self, params, newest, event, past=None):
        newest = jnp.where(event.segment[:, 0] > 0, event.item[:, 0], newest)
        return newest, newest

    def score(self, params, newest):
        return params[newest][:, None]


def test_particles_follow_the_interests_by_how_likely_they_make_them():
    """Items of one interest lead elsewhere: those that made the next interest likely decide what comes after it."""
    to = np.zeros((ITEMS + 1, ITEMS + 1))
    to[3, [1, 4]] = 0.5  # the newest of the history; 1 and 4 are of one interest, 2 and 5 of another
    to[1, [2, 3]], to[4, [5, 3]] = [0.9, 0.1], [0.1, 0.9]
    to[2, [1, 3]], to[5, [4, 3]] = [0.9, 0.1], [0.1, 0.9]
    total = dict.fromkeys(product((1, 2, 3), repeat=3), 0.0)
    for path in product(range(1, ITEMS + 1), repeat=3):
        total[tuple(SINGLE.item_interest[list(path)].tolist())] += float(np.prod(to[(3, *path[:2]), path]))
    with np.errstate(divide="ignore"):
        chain = Chain(), jnp.log(to)
    found = run(chain, SINGLE, interests=True, steps=3, beams=4, particles=500)
    chance_of = {
        tuple(path): np.exp(chance.sum())
        for path, chance in zip(found.path[0].tolist(), found.log_probability[0], strict=True)
    }
    assert chance_of[1, 2, 1] == pytest.approx(total[1, 2, 1], abs=0.03)
    assert chance_of[1, 2, 3] == pytest.approx(total[1, 2, 3], abs=0.03)


def test_a_basket_is_followed_by_the_chance_of_a_random_line(learned):
    first = chances(learned, BASKETS, 1, [])
    found = run(learned, BASKETS, beams=5, particles=20)
    by_first: dict[int, float] = {}
    for path, chance in zip(found.path[1].tolist(), found.log_probability[1], strict=True):
        by_first[path[0]] = float(np.exp(chance[0]))
    for item, chance in by_first.items():
        assert chance == pytest.approx(first[item], abs=1e-4)


def test_who_else_is_asked_for_plays_no_part(learned):
    together = run(learned, SINGLE, interests=True, beams=3, particles=20)
    one = Queries(*(column[[1]] for column in whole_histories(SINGLE)))
    alone = run(learned, SINGLE, one, interests=True, beams=3, particles=20)
    np.testing.assert_array_equal(together.path[1], alone.path[0])
    np.testing.assert_allclose(together.log_probability[1], alone.log_probability[0], atol=1e-5)


def test_no_beams_are_refused(learned):
    with pytest.raises(UserError, match="beams=0"):
        run(learned, SINGLE, beams=0)
