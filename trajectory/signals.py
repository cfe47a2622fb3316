"""Signals while something runs; only the main thread can take them, and in another, who started it must stop it."""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from types import FrameType
from typing import NoReturn

_LOGGER = logging.getLogger(__name__)


@contextlib.contextmanager
def taken(numbers: Iterable[int], handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Within, `handler` takes these signals; in another thread than the main one they stay as they are."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, other in before.items():
            signal.signal(number, other)


def leave(number: int, message: str) -> NoReturn:
    """Ends what a signal has stopped as Python does: KeyboardInterrupt of SIGINT, else the exit that it asks for."""
    if number == signal.SIGINT:
        raise KeyboardInterrupt(message)
    _LOGGER.warning(message)
    raise SystemExit(128 + number)
