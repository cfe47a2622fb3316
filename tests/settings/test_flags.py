"""Fields from the command line are read in one way, whatever the command."""

from __future__ import annotations

import pytest

from trajectory.schema import UserError
from trajectory.settings import base, get
from trajectory.settings.flags import read, set_fields

WRITTEN = {
    "data.baskets=yes": True,
    "data.missing=guest,NA": ("guest", "NA"),
    "data.missing=": (),
    "data.columns.time=-": "-",
    "evaluation.cutoffs=(1,10)": (1, 10),
    "train.epochs=3": 3,
    "optim.learning_rate=1e-3": 1e-3,
    "data.event_types.favorite=input,target,sale": "input,target,sale",
}


@pytest.mark.parametrize(("text", "value"), WRITTEN.items())
def test_a_field_is_the_same_behind_a_config_and_by_itself(text, value):
    name = text.partition("=")[0]
    behind, own = read(["--config=user_a", f"--config.{text}"]), set_fields(base(), [text])
    assert get(behind, name) == get(own, name) == value
    assert type(get(own, name)) is type(value)
    assert own.by_hand == (name,)


def test_what_is_derived_follows():
    assert set_fields(base("gru"), ["model.width=32"]).model.layers == (32, 32)


@pytest.mark.parametrize("more", [["--config.data.baskets", "--config.seed=1"], ["--config.data.baskets", "yes"]])
def test_yes_may_be_left_out(more):
    assert read(["--config=user_a", *more]).data.baskets is True


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("data.baskets=maybe", "--config.data.baskets=maybe: expected yes or no"),
        ("train.epochs=x", "--config.train.epochs=x: invalid literal"),
    ],
)
def test_a_mistake_is_the_same_sentence(text, words):
    for read_it in (lambda: read(["--config=user_a", f"--config.{text}"]), lambda: set_fields(base(), [text])):
        with pytest.raises(UserError, match=words):
            read_it()


def test_a_field_without_a_value_or_of_another_name_is_told():
    with pytest.raises(UserError, match=r"--config\.seed: expected a value behind it, --config\.seed=VALUE"):
        set_fields(base(), ["seed"])
    with pytest.raises(UserError, match=r"there is no field train\.epoch; did you mean train\.epochs"):
        set_fields(base(), ["train.epoch=3"])


@pytest.mark.parametrize("text", ["purchase,", "(purchase,)", "('purchase',)", "purchase"])
def test_a_list_of_one_word_may_be_written_as_the_docs_show_it(text):
    config = read(["--config=own_log:path=log.csv", f"--config.data.target_types={text}"])
    assert config.data.target_types == ("purchase",)
