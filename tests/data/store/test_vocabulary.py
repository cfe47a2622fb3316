"""What a run keeps of its log is what was there, without users and events."""

import json
from dataclasses import fields, replace

import numpy as np
import polars as pl
import pytest

from tests.builders import make_histories
from trajectory.data.store.union import union
from trajectory.data.store.vocabulary import FACTS, ITEMS, Vocabulary
from trajectory.schema import UserError
from trajectory.settings import base

LOG = make_histories([[1, 2, 3, 2], [4, 1]], event_types=[[1, 1, 1, 2], [1, 1]])
EVENTS = ("offsets", "item", "time", "event_type", "value", "quantity", "label", "step", "features", "users", "outside")


def settings():
    data = base().data
    data.columns.user, data.features = "shopper", ("speed",)
    return data


@pytest.mark.parametrize(
    "log", [LOG, replace(LOG, baskets=True, has_time=False), union([LOG, replace(LOG, name="other")])]
)
def test_it_comes_back_from_disk_as_it_was(tmp_path, log):
    before = Vocabulary.of(log, settings())
    before.save(tmp_path)
    after = Vocabulary.load(tmp_path)
    for field in (field.name for field in fields(log) if field.name not in EVENTS):
        one, other = getattr(log, field), getattr(after.catalogue, field)
        same = one.equals(other) if isinstance(one, pl.DataFrame) else np.array_equal(one, other)
        assert same, field
    assert after.statistics == before.statistics
    assert after.settings.to_dict() == before.settings.to_dict()


def test_no_user_and_no_event_is_in_it(tmp_path):
    Vocabulary.of(LOG, settings()).save(tmp_path)
    catalogue = Vocabulary.load(tmp_path).catalogue
    assert (catalogue.num_users, catalogue.num_events, catalogue.users.height) == (0, 0, 0)
    assert "u0" not in (tmp_path / FACTS).read_text()


def test_a_run_made_before_has_none_and_a_damaged_one_is_named(tmp_path):
    assert Vocabulary.load(tmp_path) is None
    Vocabulary.of(LOG, settings()).save(tmp_path)
    (tmp_path / ITEMS).write_bytes(b"PAR1 cut off")
    with pytest.raises(UserError, match=rf"{ITEMS} is missing or damaged .* writes it again"):
        Vocabulary.load(tmp_path)
    facts = json.loads((tmp_path / FACTS).read_text())
    (tmp_path / FACTS).write_text(json.dumps({**facts, "interests": 3}))
    with pytest.raises(UserError, match="interests is not a list"):
        Vocabulary.load(tmp_path)
