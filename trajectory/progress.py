"""How far a long job is: on a terminal, in a notebook, and in the log file of a job that has neither."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from tqdm.auto import tqdm

SECONDS = 2  # what is over sooner says nothing; in a file a line follows after as many


def unseen() -> bool:
    """Whether neither a terminal nor a notebook would show a bar."""
    return not (sys.stderr.isatty() or "ipykernel" in sys.modules)


def progress(items: Iterable[Any] | None, label: str, total: int | None = None, unit: str = "it") -> tqdm:
    """`items` (None: the caller counts with `update`) with a bar on stderr."""
    often = 0.1 if sys.stderr.isatty() else SECONDS
    return tqdm(items, label or None, total, unit=unit, delay=SECONDS, mininterval=often, leave=False)
