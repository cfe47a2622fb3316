"""How far a long job is, on stderr: on a terminal, in a notebook, and in the log file of a job that has neither.

As messages (messages.py) it is silent unless asked for: the level of the logger "trajectory" switches both.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

from tqdm.auto import tqdm

SECONDS = 2  # what is over sooner says nothing; in a file a line follows after as many
_LOGGER = logging.getLogger("trajectory")
UP = "\x1b[A"  # what a bar within another writes to go back to its line
_doing: list[tuple[str, float]] = []  # what is being done and since when, innermost last


def bars_hidden() -> bool:
    """Whether bars are not asked for, or neither a terminal nor a notebook would show them."""
    return not (_asked() and (sys.stderr.isatty() or "ipykernel" in sys.modules))


def _asked() -> bool:
    return _LOGGER.isEnabledFor(logging.INFO)


class _Lines:
    """stderr for a file or a pipe: each state of a bar is a line of its own, not written over the one before."""

    def write(self, text: str) -> None:
        if line := text.replace("\r", "").replace(UP, "").strip():
            sys.stderr.write(f"{line}\n")

    def flush(self) -> None:
        sys.stderr.flush()


class _Bar(tqdm):
    spoke = 0.0  # when any bar last did

    def display(self, *args: Any, **kwargs: Any) -> Any:
        _Bar.spoke = time.monotonic()
        return super().display(*args, **kwargs)


def progress(
    items: Iterable[Any] | None, label: str, total: int | None = None, unit: str = "it", disable: bool = False
) -> tqdm:
    """`items` (None: the caller counts with `update`) with a bar on stderr."""
    often = 0.1 if sys.stderr.isatty() else SECONDS
    hidden = disable or not _asked()
    settings = {"unit": unit, "delay": SECONDS, "mininterval": often, "leave": False, "disable": hidden}
    settings |= {"file": _Lines()} if bars_hidden() else {}
    return _Bar(items, label or None, total, **settings)


@contextlib.contextmanager
def working(label: str) -> Iterator[None]:
    """Names what goes on within, for `heartbeat`."""
    _doing.append((label, time.monotonic()))
    try:
        yield
    finally:
        _doing.pop()


@contextlib.contextmanager
def heartbeat(label: str) -> Iterator[None]:
    """Says what goes on within (`working`), and for how long, whenever no bar has spoken for SECONDS.

    Compilers and other libraries say nothing while they work. In a file or a pipe each time is a line of its own.
    """
    over = threading.Event()
    on_terminal = sys.stderr.isatty()

    def beat() -> None:
        said, width = time.monotonic(), 0
        while not over.wait(SECONDS / 8):
            now, (name, since) = time.monotonic(), _doing[-1]
            if now - max(said, _Bar.spoke) >= SECONDS:
                text = f"{name}: {now - since:.0f} s"
                said, width = now, max(width, len(text))
                _write(f"\r{text.ljust(width)}\r" if on_terminal else f"{text}\n")
        if width and on_terminal:
            _write(f"\r{' ' * width}\r")  # whatever comes next writes over it

    with working(label):
        thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def _write(text: str) -> None:
    with tqdm.get_lock(), contextlib.suppress(OSError, ValueError):  # who read it may have gone
        sys.stderr.write(text)
        sys.stderr.flush()
