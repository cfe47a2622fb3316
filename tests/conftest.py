"""Eight virtual devices, the compilation cache, and small logs for every test."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from trajectory.threads import sleep_when_idle

sleep_when_idle()  # as commands do, before NumPy comes
for number in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # tests run beside tests, and all that they compute is small
    os.environ.setdefault(number, "1")

import jax  # noqa: E402
import pytest  # noqa: E402

jax.config.update("jax_num_cpu_devices", 8)

from trajectory import hints, messages  # noqa: E402
from trajectory.training import parallel  # noqa: E402
from trajectory.tuning import workers  # noqa: E402

parallel.configure()
messages.print_messages()  # what is said is looked for on stdout, where commands say it
hints.for_commands()  # and so are hints, but in the tests of them


@pytest.fixture(scope="module", autouse=True)
def _programs(request):
    """Compiled programs go after each file: all of them at once pass Linux's vm.max_map_count, and XLA then crashes.

    Those of files marked `compiled_quickly` run slower and are compiled in half the time.
    """
    quickly = request.node.get_closest_marker("compiled_quickly") is not None
    jax.config.update("jax_disable_most_optimizations", quickly)
    yield
    jax.clear_caches()


@pytest.fixture
def made_up_program(monkeypatch):
    """The runs of sweeps and searches are made by tests/made_up, which takes no time."""
    monkeypatch.setattr(workers, "PROGRAM", (sys.executable, str(Path(__file__).with_name("made_up"))))
