"""Every number and every word of a fixed set is checked before anything runs, by flags, in Python and in presets."""

from __future__ import annotations

import math

import pytest

from trajectory.schema import UserError
from trajectory.settings import base, by_hand, flags, presets, watched, within
from trajectory.settings.fields import SECTIONS

FIELDS = {
    f"{path}.{name}".lstrip("."): field for path, section in SECTIONS.items() for name, field in section.fields.items()
}
NUMBERS = [name for name, field in FIELDS.items() if type(field.default) in (int, float)]


def test_the_defaults_are_allowed():
    within.check(base())


@pytest.mark.parametrize("name", presets.names())
def test_presets_are_allowed(name):
    needs = {"own_log": ":path=log.csv", "user_behavior": ":path=log.csv", "finance": ":path=log.csv"}
    within.check(presets.config(name + needs.get(name, "")))


@pytest.mark.parametrize("name", NUMBERS)
def test_every_number_has_a_limit_and_is_finite(name):
    assert FIELDS[name].allowed, "what may it be?"
    for value in (-3, math.nan, math.inf):
        value = value if isinstance(FIELDS[name].default, float) or value == -3 else -7
        with pytest.raises(UserError, match=f"{name}={value}: expected (at least|more than)"):
            by_hand.set_by_hand(base(), {name: value})


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if field.allowed and field.allowed.choices])
def test_every_choice_is_one_of_those_that_the_meaning_names(name):
    field = FIELDS[name]
    for choice in field.allowed.words.removeprefix("one of ").split(", "):
        assert choice in (field.meaning if choice != "," else ",")
    with pytest.raises(UserError, match=f"{name}='other' is unknown; expected one of "):
        by_hand.set_by_hand(base(), {name: "other"})


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if " | " in field.meaning])
def test_every_field_that_lists_its_words_takes_no_others(name):
    free = ("data.time_zone", "data.status_map")  # any zone; words of the log
    assert FIELDS[name].allowed or name in free


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("evaluation.cutoffs=()", r"evaluation.cutoffs=\(\): expected at least one number"),
        ("evaluation.cutoffs=(5,2.5)", r"evaluation.cutoffs=\(5, 2.5\): expected whole numbers"),
        ("model.layers=(64,-1)", r"model.layers=\(64, -1\): expected at least 1"),
        ("model.dropout=7", r"model.dropout=7.0: expected at least 0 and less than 1"),
        ("split.quantile=1", r"split.quantile=1.0: expected more than 0 and less than 1"),
        ("split.cut=soon", r"split.cut='soon': expected an ISO date"),
        ("data.cleaning.max_date=today", r"data.cleaning.max_date='today': expected an ISO date .* or \"now\""),
        ("optim.learning_rate=-1", r"optim.learning_rate=-1.0: expected at least 0"),
        ("batch.rows=0", r"batch.rows=0: expected at least 1"),
        ("heads.horizon=-1", r"heads.horizon=-1: expected at least 1"),
    ],
)
def test_a_flag_of_a_field_is_refused_before_anything_is_read(field, words):
    with pytest.raises(UserError, match=words):
        flags.read(["--config=user_a", f"--config.{field}"])
    with pytest.raises(UserError, match=words):
        flags.set_fields(base(), [field])


def test_what_is_refused_is_not_kept():
    config = watched(base())
    with pytest.raises(UserError, match=r"train.epochs=-3: expected at least 0"):
        config.train.epochs = -3
    with pytest.raises(UserError, match=r"train.epochs=True: expected a value of type int"):
        config.train.epochs = True
    assert config.train.epochs == base().train.epochs
    assert config.by_hand == ()
