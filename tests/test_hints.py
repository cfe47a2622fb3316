"""A hint names flags to who gave a command, and arguments to who called a function."""

from __future__ import annotations

import pytest

from trajectory import hints


@pytest.fixture
def in_python():
    hints.for_commands(False)
    yield
    hints.for_commands()


def test_a_command_is_told_flags():
    assert hints.setting("data.order", "file") == "--config.data.order=file"
    assert hints.setting("data.event_type_map", {"": "view"}) == "--config.data.event_type_map=\"{'': 'view'}\""
    assert hints.argument("multi_step", "direct") == "--multi-step=direct"
    assert hints.argument("out") == "--out"
    assert hints.again() == "the same command"


@pytest.mark.usefixtures("in_python")
def test_a_call_is_told_arguments():
    assert hints.setting("data.order", "file") == 'settings={"data.order": "file"}'
    assert hints.setting("optim.warmup_steps", 3) == 'settings={"optim.warmup_steps": 3}'
    assert hints.argument("multi_step", "direct") == 'multi_step="direct"'
    assert hints.argument("out") == "out"
    assert hints.again() == "the same call"
