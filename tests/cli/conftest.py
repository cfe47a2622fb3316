"""What tests of commands share."""

from __future__ import annotations

import pytest

from tests.commands import ROOT, run
from trajectory.evaluation.validation import ValidationMonitor
from trajectory.settings.flags import read as read_flags
from trajectory.training import experiment, loop
from trajectory.tuning import sweep


@pytest.fixture
def script(monkeypatch):
    """script("train", "--config=...") -> exit status, stdout, stderr."""
    # The devices of this process are there already.
    monkeypatch.setenv("XLA_FLAGS", "--xla_force_host_platform_device_count=8")
    monkeypatch.chdir(ROOT)
    return run


@pytest.fixture
def trained_here(monkeypatch):
    """The runs of a sweep are trained within this process, which is quicker, and not evaluated; a list of them."""
    made = []

    def make(runs, workers):
        for member in runs:
            built = experiment.build(read_flags(member.flags))
            loop.train(built, member.folder, ValidationMonitor(built))
            made.append(member)
        return {}

    monkeypatch.setattr(sweep, "make", make)
    return made
