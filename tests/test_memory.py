import subprocess
import sys

import pytest

FAULTS = """
import resource
import numpy as np
from trajectory import memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.zeros(50_000_000, np.float32).fill(1.0)
    np.empty(50_000_000, np.float32).fill(1.0)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

thrown_away = faults()
kept = memory.keep()
faults()
print(kept, thrown_away, faults())
"""


def test_large_buffers_are_used_again_instead_of_being_cleared_page_by_page():
    kept, thrown_away, again = subprocess.run(
        [sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True
    ).stdout.split()
    if kept == "False":
        pytest.skip("the C library is not glibc")
    assert int(again) < 100 < int(thrown_away)


FIRST = """
import sys
from trajectory import memory
memory.keep = lambda: print("numpy" in sys.modules)
from trajectory.cli.main import start
start()
import trajectory.cli.command
print("numpy" in sys.modules)
"""


def test_scripts_keep_memory_before_numpy_starts_threads():
    ran = subprocess.run([sys.executable, "-c", FIRST], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "True"]
