"""One process at a time: a lock file that the system lets go of when its process dies, however that happens."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from trajectory.schema import UserError


@contextlib.contextmanager
def alone(folder: Path, doing: str, wait: bool = False) -> Iterator[None]:
    """Makes the folder and keeps others out of the same while entered.

    If another process is `doing` it already, waits and says so, or raises UserError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait:
                raise UserError(
                    f"another process is {doing} {folder}; wait for it or end it, or choose another folder"
                ) from None
            print(f"waiting for another process that is {doing} {folder}", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
