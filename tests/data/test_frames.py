"""Large tables without a second copy."""

import polars as pl

from trajectory.data.frames import filtered


def test_the_marked_rows_stay_in_order():
    held = [pl.DataFrame({"a": [1, 2, 3], "b": ["x", None, "z"]})]
    assert filtered(held, pl.Series([True, False, True])).rows() == [(1, "x"), (3, "z")]
    assert held == []
    whole = pl.DataFrame({"a": [1, 2]})
    assert filtered([whole], pl.Series([True, True])).equals(whole)
    assert filtered([whole], pl.Series([False, False])).columns == ["a"]
