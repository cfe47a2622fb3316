"""Large tables without a second copy."""

import polars as pl

from trajectory.data.ingest import frames
from trajectory.data.ingest.frames import filtered, row_hashes


def test_the_marked_rows_stay_in_order():
    held = [pl.DataFrame({"a": [1, 2, 3], "b": ["x", None, "z"]})]
    assert filtered(held, pl.Series([True, False, True])).rows() == [(1, "x"), (3, "z")]
    assert held == []
    whole = pl.DataFrame({"a": [1, 2]})
    assert filtered([whole], pl.Series([True, True])).equals(whole)
    assert filtered([whole], pl.Series([False, False])).columns == ["a"]


def test_equal_rows_have_equal_hashes_wherever_they_stand(monkeypatch):
    table = pl.DataFrame({"a": [1, 2, 1, 1], "b": pl.Series(["x", "x", None, "x"], dtype=pl.Categorical)})
    monkeypatch.setattr(frames, "_ROWS", 1)
    one, two, three, four = row_hashes(table)
    assert one == four
    assert len({one, two, three}) == 3
