"""A training step with the host's memory kept between steps, and without, each in a process of its own."""

import subprocess
import sys

# What memory.keep does cannot be undone, and both must have the same devices.
STEP = """
import sys
from trajectory import memory
if sys.argv[1] == "kept":
    memory.keep()
from trajectory.benchmarks.step import step_seconds
print(step_seconds("gru"))
"""


def memory() -> None:
    """Milliseconds of a step of the GRU on one device."""
    kept, thrown_away = _seconds("kept"), _seconds("thrown away")
    print(
        f"memory: a step in {1e3 * kept:.0f} ms with memory kept, {1e3 * thrown_away:.0f} ms without; "
        f"{kept / thrown_away:.2f} of the time"
    )


def _seconds(how: str) -> float:
    command = [sys.executable, "-c", STEP, how]
    # The last word: data that is not prepared yet says before what it came to.
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()[-1])
