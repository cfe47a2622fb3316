"""What the library says of its work goes to the logger "trajectory": silent unless asked for, and printed by commands.

`logging.basicConfig(); logging.getLogger("trajectory").setLevel("INFO")` shows it, with bars of what takes long
(progress.py), and nothing of other libraries; warnings show in any case.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

LOGGER = logging.getLogger("trajectory")


class _Printed(logging.Handler):
    """Each message as a line of stdout, at once: the log of a job that is killed holds what it said."""

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), flush=True)  # a reader that has gone is told to who called: no handleError here


@contextlib.contextmanager
def root_logger_kept() -> Iterator[None]:
    """The root logger is the user's: handlers that it gets within, from an import or a call of Orbax, are taken off."""
    before = logging.root.handlers[:]
    try:
        yield
    finally:
        logging.root.handlers[:] = before


def print_messages() -> None:
    """Prints messages from now on, each once, as commands do."""
    LOGGER.setLevel(logging.INFO)
    LOGGER.propagate = False  # absl prints what comes to the root logger in a form of its own
    if not any(isinstance(handler, _Printed) for handler in LOGGER.handlers):
        LOGGER.addHandler(_Printed())
