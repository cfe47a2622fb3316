"""What may be suggested: stock, interests, prices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tests.builders import make_histories
from trajectory.insights.recommend.eligibility import eligible_items
from trajectory.schema import UserError


@pytest.fixture
def histories():
    """Items i1 to i6, interests c1, c2, c3, c1, c2, c3; prices 1 to 5 and none."""
    found = make_histories([[1, 2, 3, 4, 5, 6]])
    return replace(found, items=found.items.with_columns(price=pl.Series([1.0, 2.0, 3.0, 4.0, 5.0, None])))


def items(keep):
    assert not keep[0]
    return np.flatnonzero(keep).tolist()


def test_everything_unless_something_is_asked(histories):
    assert items(eligible_items(histories)) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_what_is_in_stock(histories, tmp_path, suffix):
    table = pl.DataFrame({"item": ["i2", "i5", "i6", "unknown"], "stock": [3, 0, 1, 9]})
    path = tmp_path / f"stock{suffix}"
    table.write_csv(path) if suffix == ".csv" else table.write_parquet(path)
    assert items(eligible_items(histories, stock=path)) == [2, 6]


def test_interests_and_prices_together(histories):
    assert items(eligible_items(histories, interests=["c1", "c3"])) == [1, 3, 4, 6]
    assert items(eligible_items(histories, price=(2.0, 4.0))) == [2, 3, 4]
    assert items(eligible_items(histories, interests=["c1"], price=(2.0, 4.0))) == [4]


def test_errors_say_what_is_wrong(histories, tmp_path):
    with pytest.raises(UserError, match="c9: not among those of made_up"):
        eligible_items(histories, interests=["c9"])
    with pytest.raises(UserError, match="none of the 6 items"):
        eligible_items(histories, price=(90.0, 99.0))
    with pytest.raises(UserError, match="made_up has none"):
        eligible_items(make_histories([[1, 2]]), price=(0.0, 1.0))
    with pytest.raises(UserError, match="expected the lowest and the highest price"):
        eligible_items(histories, price=(10.0, 5.0))
    with pytest.raises(UserError, match=r"none\.csv does not exist"):
        eligible_items(histories, stock=tmp_path / "none.csv")
    pl.DataFrame({"shelf": [1], "box": ["a"]}).write_csv(tmp_path / "other.csv")
    with pytest.raises(UserError, match="lacks the column item; it has the columns shelf, box"):
        eligible_items(histories, stock=tmp_path / "other.csv")
