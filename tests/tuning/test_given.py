"""A config that was given in Python reaches the commands that make the runs of a sweep."""

from __future__ import annotations

import pytest

import trajectory as tj
from trajectory.settings.flags import read
from trajectory.tuning.given import keep
from trajectory.tuning.members import Member, Sweep


def test_a_config_is_read_again_as_it_was_given(tmp_path):
    config = tj.preset("own_log:path=log.csv,model=gru", {"train.epochs": 3})
    config.model.width = 16
    text = keep(config, tmp_path / "out")
    assert read([f"--config={text}"]).to_dict() == config.to_dict()
    other = read([f"--config={text}:model=lstm"])
    assert other.model.backbone == "lstm"
    assert {*config.by_hand} < {*other.by_hand}


@pytest.mark.usefixtures("made_up_program")
def test_a_sweep_of_a_config_makes_its_members(tmp_path):
    config = tj.preset("user_a", {"train.monitor": "ndcg@10", "train.epochs": 3})
    members = Sweep(
        "slow", {"slow": Member({"optim.learning_rate": 0.1}), "fast": Member({"optim.learning_rate": 0.5})}
    )
    made = tj.sweep(config, members, tmp_path / "out", seeds=[0], settings={"note": "fail"})
    assert made.tables["failed"]["run"].to_list() == ["slow_0", "fast_0"]
    assert all("the made-up mistake" in lines for lines in made.tables["failed"]["lines"])
