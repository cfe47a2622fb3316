"""One process at a time: a lock file that the system lets go of when its process dies, however that happens."""

from __future__ import annotations

import contextlib
import fcntl
import logging
from collections.abc import Iterator
from pathlib import Path

from trajectory.schema import UserError

_LOGGER = logging.getLogger(__name__)


@contextlib.contextmanager
def alone(lock: Path, doing: str, wait: bool = False) -> Iterator[None]:
    """Makes the file `lock` and keeps others out while entered.

    If another process is `doing` the same already, waits and says so, or raises UserError.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait:
                raise UserError(
                    f"another process is {doing}; wait for it or end it, or choose another folder"
                ) from None
            _LOGGER.info(f"waiting for another process that is {doing}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
