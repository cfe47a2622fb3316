"""One process at a time: a lock file that the system lets go of when its process dies, however that happens."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from trajectory.schema import UserError

try:
    import fcntl
except ImportError:
    raise ImportError("trajectory runs on Linux and macOS; on Windows, use WSL") from None


def hold(file: IO[Any], wait: bool = False) -> bool:
    """Locks an open file until it is closed; False, unless `wait`, where another process holds it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


_LOGGER = logging.getLogger(__name__)


@contextlib.contextmanager
def alone(lock: Path, doing: str, wait: bool = False) -> Iterator[None]:
    """Makes the file `lock` and keeps others out while entered.

    If another process is `doing` the same already, waits and says so, or raises UserError.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        if not hold(file):
            if not wait:
                raise UserError(f"another process is {doing}; wait for it or end it, or choose another folder")
            _LOGGER.info(f"waiting for another process that is {doing}")
            hold(file, wait=True)
        yield
