"""Rearrangements hold each session once, and keep how alike neighbours are."""

from __future__ import annotations

import numpy as np
import pytest

from trajectory.migrations.rearrangement import Rearrangements


def sessions(memory, count=120, interests=4, seed=0):
    """Each session of one interest: that of the one before with probability `memory`, or any."""
    rng = np.random.default_rng(seed)
    interest = [0]
    for _ in range(count - 1):
        interest.append(interest[-1] if rng.random() < memory else int(rng.integers(interests)))
    return np.eye(interests)[interest]


def rearranged(mass, count=300):
    """The memory of sessions, and arrangements of them."""
    made = Rearrangements(mass, np.ones_like(mass), 1.0, np.random.default_rng(1))
    memory = made.memory(np.arange(4, len(mass) - 3))
    return memory, np.concatenate(list(made.draw(count, memory)))


def repeats(mass, order):
    """Share of sessions that are of the interest of the one before, in each order."""
    interest = mass.argmax(1)[order]
    return (interest[:, 1:] == interest[:, :-1]).mean(1)


@pytest.mark.parametrize("memory", [0.0, 0.3, 0.6, 0.9])
def test_each_session_has_one_place_and_neighbours_stay_as_alike(memory):
    mass = sessions(memory)
    found, order = rearranged(mass)
    assert order.shape == (300, 120)
    assert (np.sort(order, axis=1) == np.arange(120)).all()
    assert repeats(mass, order).mean() == pytest.approx(repeats(mass, np.arange(120)[None])[0], abs=0.08)
    assert found == pytest.approx(memory, abs=0.25)


def test_sessions_come_to_stand_anywhere():
    _, order = rearranged(sessions(0.6))
    assert abs(order[:, :60].mean() - order[:, 60:].mean()) < 10  # of 60 in the true order


def test_neighbours_less_alike_than_chance_have_no_memory():
    mass = np.eye(2)[np.arange(120) % 2]
    memory, order = rearranged(mass)
    assert memory == 0
    assert repeats(mass, order).mean() == pytest.approx(59 / 119, abs=0.02)


def test_one_interest_has_no_memory():
    memory, order = rearranged(np.ones((20, 1)))
    assert memory == 0
    assert len(np.unique(order, axis=0)) > 250


@pytest.mark.parametrize("count", [20, 60])
def test_a_lasting_change_is_no_memory(count):
    rng = np.random.default_rng(2)
    shares = [[0.8, 0.1, 0.05, 0.05], [0.05, 0.05, 0.1, 0.8]]
    mass = np.array([rng.multinomial(5, shares[i >= count // 2]) for i in range(count)], float)
    assert rearranged(mass)[0] < 0.15
