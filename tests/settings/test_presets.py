"""Presets are found by name or by path, and a name that is none gets the nearest."""

from __future__ import annotations

from pathlib import Path

import pytest

from trajectory.schema import UserError
from trajectory.settings import presets
from trajectory.settings.flags import read

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")  # of ml_collections


def test_a_name_and_a_path_give_the_same_config():
    named = read(["--config=complete_journey:model=gru,tiny", "--config.train.epochs=1"])
    given = read([f"--config={ROOT}/configs/complete_journey.py:model=gru,tiny", "--config.train.epochs=1"])
    assert named.to_dict() == given.to_dict()
    assert (named.model.backbone, named.train.epochs, named.by_hand) == ("gru", 1, ("train.epochs",))


def test_a_sweep_has_a_name_too():
    assert presets.file("backbone", presets.SWEEPS).read_text().startswith('"""The backbones')
    assert "backbone" in presets.names(presets.SWEEPS)
    assert "sweeps" not in presets.names()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("complete_jorney:tiny", "no preset 'complete_jorney'; did you mean complete_journey?"),
        ("elsewhere/complete_journey.py", "is named complete_journey alone"),
        ("configs/user_b.py", "did you mean configs/user_a.py?"),
        ("__init__", "no preset"),
    ],
)
def test_a_preset_that_is_none_is_told_from_the_nearest(text, words, monkeypatch):
    monkeypatch.chdir(ROOT)
    with pytest.raises(UserError, match=words.replace("?", r"\?")):
        presets.find(text)
