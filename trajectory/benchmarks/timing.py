"""Seconds of several ways to do one thing, taken in turn, and the peak memory of this process."""

import os
import resource
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax

from trajectory.schema import UserError


def least(ways: Sequence[Callable[[], Any]], rounds: int = 12) -> list[float]:
    """Least seconds of each way, in turn; the first round compiles."""
    seconds: list[list[float]] = [[] for _ in ways]
    for _ in range(rounds):
        for way, taken in zip(ways, seconds, strict=True):
            began = time.perf_counter()
            jax.block_until_ready(way())
            taken.append(time.perf_counter() - began)
    return [min(taken[1:]) for taken in seconds]


def peak_gib() -> float:
    """The most memory that this process ever had, in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def torch_python() -> str:
    """The Python of an environment that has torch. Raises UserError if none is named."""
    python = os.environ.get("TRAJECTORY_TORCH_PYTHON", "")
    if not python:
        raise UserError("TRAJECTORY_TORCH_PYTHON names no Python; set it to one that has torch, rectools and polars")
    return python
