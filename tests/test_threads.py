"""Threads that have nothing to do leave the processor to others."""

from __future__ import annotations

import os
import subprocess
import sys

from trajectory.threads import SLEEPY

SET = "import os; from trajectory.cli.main import start; start(); print(*(os.environ.get(name) for name in {names}))"


def test_scripts_set_waiting_before_the_libraries_are_loaded():
    free = {name: value for name, value in os.environ.items() if name not in SLEEPY}
    command = [sys.executable, "-c", SET.format(names=list(SLEEPY))]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, env=free)
    assert ran.stdout.split() == list(SLEEPY.values())
    ran = subprocess.run(command, capture_output=True, text=True, check=True, env=free | {"OMP_WAIT_POLICY": "ACTIVE"})
    assert ran.stdout.split()[0] == "ACTIVE", "what the user has set stays"
