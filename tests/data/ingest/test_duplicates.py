"""Equal rows are found however many are compared at once."""

import numpy as np
import polars as pl
import pytest

from trajectory.data.ingest import duplicates


@pytest.mark.parametrize("size", [1, 10, 1000])
def test_the_first_of_equal_rows_is_no_repetition(monkeypatch, size):
    monkeypatch.setattr(duplicates, "_AT_ONCE", size)
    hashes = pl.Series(np.random.default_rng(0).integers(0, 50, 300)).hash()
    usable = np.random.default_rng(1).random(300) < 0.8
    seen, expected = set(), []
    for row in np.flatnonzero(usable).tolist():
        if hashes[row] in seen:
            expected.append(row)
        seen.add(hashes[row])
    assert sorted(duplicates.repeated(hashes, usable).tolist()) == expected
