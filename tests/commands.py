"""Runs a command as the command line would, but within this process, which is quicker."""

from __future__ import annotations

import contextlib
import io
import re
import sys
import warnings
from pathlib import Path
from typing import NamedTuple

import pytest
from absl import flags

from trajectory.cli.main import main

ROOT = Path(__file__).resolve().parents[1]


class Ran(NamedTuple):
    code: int
    out: str
    err: str


def without_beats(stderr: str) -> str:
    """What was said but for how long things took: a slow machine says that, a quick one does not."""
    return re.sub(r"^(loading libraries|working): \d+ s\n", "", stderr, flags=re.MULTILINE)


def run(name: str, *arguments: str) -> Ran:
    """run("train", "--config=...") -> exit status, stdout, stderr."""
    module = f"trajectory.cli.{name.replace('-', '_')}"
    code: object = 0
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", "the load_module", DeprecationWarning)  # of ml_collections
        patch.setattr(sys, "argv", ["trajectory", *arguments])
        patch.setattr("trajectory.cli.main.start", lambda: None)  # NumPy is there already
        try:
            main(name)
        except SystemExit as stop:
            code = stop.code or 0
        finally:
            sys.modules.pop(module, None)  # its flags are defined anew
            own = {flag.name for flag in flags.FLAGS.flags_by_module_dict().get(module, [])}
            for flag in [flag for flag in flags.FLAGS if flag in own or flag.partition(".")[0] in own]:
                delattr(flags.FLAGS, flag)
            flags.FLAGS.unparse_flags()
    assert isinstance(code, int)
    return Ran(code, *(stream.buffer.getvalue().decode() for stream in (out, err)))  # type: ignore[attr-defined]
