"""Boosting of audiences with threads that sleep when idle (trajectory/threads.py) against the libraries' default."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from trajectory.insights.audiences.propensity import TREES
from trajectory.threads import SLEEPY

ROWS, COLUMNS = 60_000, 20
BUSY = "while True: pass"


def threads() -> None:
    """Seconds of one fit in a process of its own, alone and beside as many busy processes as there are cores."""
    free = {name: value for name, value in os.environ.items() if name not in SLEEPY}
    print(f"threads ({ROWS:,} x {COLUMNS}) | default | asleep when idle")
    for count in (0, os.cpu_count() or 1):
        with _busy(count):
            default, asleep = (_seconds(environment) for environment in (free, free | SLEEPY))
        print(f"{count} busy processes      | {default:5.2f} s | {asleep:.2f} s")


def _seconds(environment: dict[str, str]) -> float:
    """Of one fit under these settings, which libraries read when they are loaded."""
    ran = subprocess.run(
        [sys.executable, "-m", "trajectory.benchmarks.threads"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(ran.stdout)


@contextlib.contextmanager
def _busy(count: int) -> Iterator[None]:
    others = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def _fit() -> float:
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((ROWS, COLUMNS), np.float32)
    bought = rng.random(ROWS) < 1 / (1 + np.exp(-inputs[:, 0]))
    trees = HistGradientBoostingClassifier(**TREES, early_stopping=False, random_state=0)
    trees.fit(inputs[:1000], bought[:1000])
    began = time.perf_counter()
    trees.fit(inputs, bought)
    return time.perf_counter() - began


if __name__ == "__main__":
    print(_fit())
