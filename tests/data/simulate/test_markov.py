"""A chain's log follows its chain, and the chain's exact truth equals the enumeration of all paths."""

import itertools

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from trajectory.data.simulate.base import START
from trajectory.data.simulate.markov import chain_distribution, chain_path, chain_visited, generate_markov
from trajectory.data.times import WEEK
from trajectory.schema import UserError

CHAIN = np.array([[0.1, 0.6, 0.3, 0.0], [0.2, 0.1, 0.3, 0.4], [0.5, 0.05, 0.15, 0.3], [0.25, 0.35, 0.2, 0.2]])


def enumerate_paths(item, steps):
    """Every path with its probability."""
    for path in itertools.product(range(4), repeat=steps):
        yield path, np.prod([CHAIN[a, b] for a, b in itertools.pairwise((item, *path))])


@pytest.mark.parametrize("item", range(4))
@pytest.mark.parametrize("steps", [1, 2, 4])
def test_chain_truth_equals_enumeration(item, steps):
    distribution, visited, best = np.zeros((steps, 4)), np.zeros((steps, 4)), ((), 0.0)
    for path, probability in enumerate_paths(item, steps):
        best = max(best, (path, probability), key=lambda pair: pair[1])
        for k in range(steps):
            distribution[k, path[k]] += probability
            visited[k, list(set(path[: k + 1]))] += probability
    np.testing.assert_allclose(chain_distribution(CHAIN, item, steps), distribution, atol=1e-12)
    np.testing.assert_allclose(chain_visited(CHAIN, item, steps), visited, atol=1e-12)
    path, probability = chain_path(CHAIN, item, steps)
    assert path == best[0]
    assert probability == pytest.approx(best[1])


def test_markov_log_follows_its_chain():
    log = generate_markov(CHAIN, users=3000, length=12, seed=4)
    states = log.states
    assert states.shape == (3000, 12)
    assert (log.events["item_id"].to_numpy().reshape(3000, 12) - 1 == states).all()
    np.testing.assert_allclose(np.bincount(states[:, 0]) / 3000, 0.25, atol=4 * np.sqrt(0.1875 / 3000))
    pairs = np.zeros((4, 4))
    np.add.at(pairs, (states[:, :-1].ravel(), states[:, 1:].ravel()), 1)
    rows = pairs.sum(axis=1, keepdims=True)
    assert (np.abs(pairs / rows - CHAIN) <= 4.5 * np.sqrt(CHAIN * (1 - CHAIN) / rows)).all()
    begun = states[states[:, 0] == 2]
    for item, chance in enumerate(chain_visited(CHAIN, 2, 5)[-1]):
        visited = (begun[:, 1:6] == item).any(axis=1).mean()
        assert abs(visited - chance) < 4.5 * np.sqrt(chance * (1 - chance) / len(begun))
    assert_frame_equal(generate_markov(CHAIN, 3000, 12, 4).events, log.events)
    assert not generate_markov(CHAIN, 3000, 12, 5).events.equals(log.events)


def test_markov_log_is_an_ordinary_log(tmp_path):
    log = generate_markov(CHAIN, users=50, length=8)
    gaps = log.events.select(pl.col("timestamp").diff().over("user_id")).drop_nulls().to_series()
    assert gaps.is_between(60, 3600).all()
    assert log.events["timestamp"].is_between(START, START + 4 * WEEK + 8 * 3600).all()
    log.write(tmp_path)
    assert_frame_equal(pl.read_parquet(tmp_path / "interactions.parquet"), log.events)
    chain = pl.read_parquet(tmp_path / "truth" / "transition.parquet").drop("item").to_numpy()
    np.testing.assert_array_equal(chain, CHAIN)


@pytest.mark.parametrize("wrong", [[[0.5, 0.5]], [[0.5, 0.4], [0.5, 0.5]], [[1.5, -0.5], [0.5, 0.5]]])
def test_wrong_chain_is_explained(wrong):
    with pytest.raises(UserError, match="transition"):
        generate_markov(wrong, users=2, length=2)
