"""Which cores this process may use, and keeping work to some of them."""

from __future__ import annotations

import os
from collections.abc import Sequence


def usable_cores() -> list[int]:
    """Numbers of the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))  # macOS gives no process cores of its own


def pin(share: Sequence[int]) -> None:
    """Keeps this thread, and the processes it starts, to these cores, where the system can: macOS cannot."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, share)
