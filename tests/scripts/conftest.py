"""Runs a command as the command line would, but within this process, which is quicker."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import NamedTuple

import pytest
from absl import flags

from trajectory.cli.main import main
from trajectory.evaluation.validation import Watch
from trajectory.settings.flags import read as read_flags
from trajectory.training import experiment, loop
from trajectory.tuning import sweep

ROOT = Path(__file__).resolve().parents[2]


class Ran(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def script(monkeypatch, capsys):
    """script("train", "--config=...") -> exit status, stdout, stderr."""
    # The devices of this process are there already.
    monkeypatch.setenv("XLA_FLAGS", "--xla_force_host_platform_device_count=8")
    monkeypatch.chdir(ROOT)

    def run(name: str, *arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["trajectory", *arguments])
        monkeypatch.setattr("trajectory.cli.main.start", lambda: None)  # NumPy is there already
        module = f"trajectory.cli.{name.replace('-', '_')}"
        capsys.readouterr()
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "the load_module", DeprecationWarning)  # of ml_collections
                main(name)
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        finally:
            sys.modules.pop(module, None)  # its flags are defined anew
            own = {flag.name for flag in flags.FLAGS.flags_by_module_dict().get(module, [])}
            for flag in [flag for flag in flags.FLAGS if flag in own or flag.partition(".")[0] in own]:
                delattr(flags.FLAGS, flag)
            flags.FLAGS.unparse_flags()
        return Ran(code, *capsys.readouterr())

    return run


@pytest.fixture
def trained_here(monkeypatch):
    """The runs of a sweep are trained within this process, which is quicker, and not evaluated; a list of them."""
    made = []

    def make(runs, workers):
        for run in runs:
            built = experiment.build(read_flags(run.flags))
            loop.train(built, run.folder, Watch(built))
            made.append(run)
        return {}

    monkeypatch.setattr(sweep, "make", make)
    return made
