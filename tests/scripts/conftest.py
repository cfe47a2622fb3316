"""Runs a script of scripts/ as the command line would, but within this process, which is quicker."""

from __future__ import annotations

import runpy
import sys
import warnings
from pathlib import Path
from typing import NamedTuple

import pytest
from absl import flags

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
    """script("train", "--config=...") -> exit status, stdout, stderr. A path names a script elsewhere."""
    # The devices of this process are there already.
    monkeypatch.setenv("XLA_FLAGS", "--xla_force_host_platform_device_count=8")
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(ROOT / "scripts")

    def run(name: str, *arguments: str) -> Ran:
        path = str(ROOT / "scripts" / f"{name}.py")
        monkeypatch.setattr(sys, "argv", [path, *arguments])
        capsys.readouterr()
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "the load_module", DeprecationWarning)  # of ml_collections
                runpy.run_path(path, run_name="__main__")
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        finally:
            defined = flags.FLAGS.flags_by_module_dict().items()
            own = {
                flag.name
                for module, found in defined
                if module.endswith(f"scripts/{Path(name).name}.py")
                for flag in found
            }
            for flag in [flag for flag in flags.FLAGS if flag in own or flag.partition(".")[0] in own]:
                delattr(flags.FLAGS, flag)
            flags.FLAGS.unparse_flags()
        return Ran(code, *capsys.readouterr())

    return run


@pytest.fixture
def trained_here(monkeypatch):
    """The runs of a sweep are trained within this process, which is quicker, and not evaluated; a list of them."""
    made = []

    def make(runs, workers, scripts):
        for run in runs:
            built = experiment.build(read_flags(run.flags))
            loop.train(built, run.folder, Watch(built))
            made.append(run)
        return {}

    monkeypatch.setattr(sweep, "make", make)
    return made
