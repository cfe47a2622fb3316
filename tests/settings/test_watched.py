"""What is assigned to a config that was asked for is set by hand."""

from __future__ import annotations

import copy
import pickle
import shutil

import pytest

import trajectory as tj
from trajectory.presets import own_log
from trajectory.settings import presets, put, set_by_hand
from trajectory.settings.flags import read as read_flags


def test_an_assignment_is_a_hand_and_what_is_derived_follows():
    assigned, asked = tj.preset("own_log:path=log.csv,model=gru"), tj.preset("own_log:path=log.csv,model=gru")
    assert assigned.by_hand == ()
    assigned.model.width = 16
    assigned.train.epochs = 20  # the default
    assigned.update({"data": {"baskets": True}})
    set_by_hand(asked, {"model.width": 16, "train.epochs": 20, "data.baskets": True})
    assert assigned.by_hand == ("data.baskets", "model.width", "train.epochs")
    assert assigned.model.layers == (16, 16)
    assert assigned == asked
    put(assigned, "seed", 1)
    assert "seed" not in assigned.by_hand


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c)), lambda c: c.copy_and_resolve_references()]
)
def test_a_copy_is_in_the_same_hands(copied):
    config = tj.preset("user_a")
    config.train.epochs = 3
    other = copied(config)
    assert other == config
    other.optim.b2 = 0.9
    assert other.by_hand == ("optim.b2", "train.epochs")
    assert config.by_hand == ("train.epochs",)


def test_a_field_that_there_is_not_is_told():
    config = tj.preset("user_a")
    with pytest.raises(tj.UserError, match=r"no field train\.epoch; did you mean train\.epochs"):
        config.train.epoch = 3
    with pytest.raises(tj.UserError, match="expected a value of type int"):
        config.train.epochs = "three"


@pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")  # of ml_collections
def test_an_edited_copy_of_own_log_keeps_its_edits(tmp_path):
    file = tmp_path / "mine.py"
    shutil.copy(own_log.__file__, file)
    edits = "    c.model.width = 16\n    c.train.epochs = 1\n    return c\n"
    file.write_text(file.read_text().replace("    return c\n", edits, 1))
    for config in (presets.config(f"{file}:path=log.csv,model=gru"), read_flags([f"--config={file}:path=log.csv"])):
        assert config.by_hand == ("model.width", "train.epochs")
        assert config.model.layers == (16, 16)
