"""Association with what is known of households."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from trajectory.insights.segments.association import KNOWN, associations


def test_what_goes_together_is_told_from_chance():
    rng = np.random.default_rng(0)
    label = np.repeat([0, 1], 200)
    words = pl.DataFrame(
        {
            "same": np.where(label, "a", "b"),
            "chance": rng.choice(["a", "b", "c"], 400),
            "rare": [None if at >= KNOWN - 1 else "ab"[at % 2] for at in range(400)],
        }
    )
    same, chance = associations(label, words)
    assert (same.column, same.users) == ("same", 400)
    assert same.strength == pytest.approx(1, abs=0.01)
    assert same.p_value == pytest.approx(2 / 500)  # the smallest of 499 permutations, of two tests
    assert chance.strength < 0.1
    assert chance.p_value > 0.05
