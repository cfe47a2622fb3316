"""Eight virtual devices, the compilation cache, and small logs for every test."""

from __future__ import annotations

import sys
from pathlib import Path

import jax
import pytest

jax.config.update("jax_num_cpu_devices", 8)

from trajectory import hints, messages  # noqa: E402
from trajectory.training import parallel  # noqa: E402
from trajectory.tuning import workers  # noqa: E402

parallel.configure()
messages.print_messages()  # what is said is looked for on stdout, where commands say it
hints.for_commands()  # and so are hints, but in the tests of them


@pytest.fixture(scope="module", autouse=True)
def _release_programs():
    """Compiled programs go after each file: all of them at once pass Linux's vm.max_map_count, and XLA then crashes."""
    yield
    jax.clear_caches()


@pytest.fixture
def made_up_program(monkeypatch):
    """The runs of sweeps and searches are made by tests/made_up, which takes no time."""
    monkeypatch.setattr(workers, "PROGRAM", (sys.executable, str(Path(__file__).with_name("made_up"))))
