"""Numbers of ids and the order of events do not depend on how many are sorted at once."""

import numpy as np
import polars as pl
import pytest
from ml_collections import ConfigDict

from trajectory.data.store import ordering
from trajectory.settings import base

EVENTS = 300
RNG = np.random.default_rng(0)
LOG = pl.DataFrame(
    {
        "source_line": np.arange(1, EVENTS + 1),
        "user": RNG.integers(0, 40, EVENTS),
        "time": RNG.integers(0, 5, EVENTS),
        "position": RNG.integers(0, 3, EVENTS),
        "basket": RNG.integers(0, 3, EVENTS),
    }
).with_columns(pl.when(pl.col("basket") > 0).then(pl.col("basket")))


def settings_of(**changes) -> ConfigDict:
    data = base().data
    data.update(changes)
    return data


@pytest.mark.parametrize("size", [1, 7, 100])
@pytest.mark.parametrize("ids", [LOG["user"], LOG["user"].cast(pl.String), pl.Series("user", ["b", None, "a", "b"])])
def test_ids_are_numbered_in_their_order(monkeypatch, ids, size):
    ids = ids.drop_nulls()
    expected = sorted(set(ids.to_list()))
    monkeypatch.setattr(ordering, "ROWS", size)
    table, number = ordering.number(ids)
    assert table["user"].to_list() == expected
    assert number.tolist() == [expected.index(value) for value in ids]


def test_categories_are_numbered_as_their_texts():
    text = LOG["user"].cast(pl.String)
    pl.Series(["z", "0", "39"]).cast(pl.Categorical)  # other texts of the same categories
    categories = text.cast(pl.Categorical)
    for some in (categories, categories.slice(10, 5)):
        table, number = ordering.number(some)
        expected, same = ordering.number(some.cast(pl.String))
        assert table.equals(expected)
        assert (number == same).all()


@pytest.mark.parametrize("size", [1, 7, 100])
@pytest.mark.parametrize("changes", [{}, {"order": "time"}, {"order": "file"}, {"baskets": True}])
def test_events_are_ordered_alike_however_many_are_sorted_at_once(monkeypatch, changes, size):
    data, user = settings_of(**changes), ordering.number(LOG["user"])[1]
    place, step = ordering.order(LOG, user, data)
    assert sorted(place.tolist()) == list(range(EVENTS))
    assert (np.diff(user[place]) >= 0).all()
    monkeypatch.setattr(ordering, "ROWS", size)
    again, same = ordering.order(LOG, user, data)
    assert (again == place).all()
    assert (same == step).all()
