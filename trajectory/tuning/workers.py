"""Commands in parallel: so many at a time, the cores shared out between them, each with a log, all stopped together."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import IO, Any, TypeVar

from trajectory import hints
from trajectory.cores import pin, usable_cores
from trajectory.expected import whole_number
from trajectory.locks import hold
from trajectory.schema import UserError
from trajectory.signals import leave, taken

PROGRAM = (sys.executable, "-m", "trajectory")
POLL = 0.2  # seconds between two looks at a command that runs
Item = TypeVar("Item")


class Workers(contextlib.ExitStack):
    """Entered, it notes SIGINT and SIGTERM and passes SIGTERM on to every command; a second signal kills them."""

    def __init__(self, count: int, cores: int = 0) -> None:
        """`cores` 0 = all that this process may use. Raises UserError if they cannot be shared by `count` workers."""
        super().__init__()
        count, cores, mine = whole_number("workers", count, 0), whole_number("cores", cores, 0), usable_cores()
        if not 1 <= count <= (cores or len(mine)) <= len(mine):
            names = f"{hints.argument('workers')} <= {hints.argument('cores')}"
            raise UserError(
                f"expected 1 <= {names} <= {len(mine)} (the cores here), got {count} workers and "
                f"{cores or len(mine)} cores"
            )
        mine = mine[: cores or len(mine)]
        self.shares = [mine[len(mine) * i // count : len(mine) * (i + 1) // count] for i in range(count)]
        self.stopped = 0  # number of the signal
        self._running: set[subprocess.Popen] = set()

    def __enter__(self) -> Workers:
        self.enter_context(taken((signal.SIGTERM, signal.SIGINT), self._stop))
        return self

    def leave_if_stopped(self) -> None:
        """Raises KeyboardInterrupt (SIGINT) or SystemExit (SIGTERM) where one stopped the workers.

        What is cut goes on when the same is called again.
        """
        if self.stopped:
            leave(self.stopped, f"stopped; {hints.again()} goes on from here")

    def for_each(self, do: Callable[[Item], None], items: Iterable[Item]) -> None:
        """Calls `do` on every item, as many at once as there are workers; no further one once stopped.

        An item is taken when a worker is free for it. What `do` raises is raised here when the other workers are done.
        """
        waiting, lock = iter(items), threading.Lock()
        with ThreadPoolExecutor(len(self.shares)) as pool:
            futures = [pool.submit(self._work, do, waiting, lock, share) for share in self.shares]
            wait(futures)
        for future in futures:
            future.result()

    def run(self, arguments: Sequence[str], log: IO[Any], watch: Callable[[], bool] = lambda: False) -> int:
        """`call` of a command of this program, such as ["train", "--workdir=runs/x"]."""
        return self.call([*PROGRAM, *arguments], log, watch)

    def call(self, command: Sequence[str], log: IO[Any], watch: Callable[[], bool] = lambda: False) -> int:
        """Runs a command with its output in `log`; returns its exit status. From within `for_each` only.

        `watch` is called now and then; once it returns True the command gets SIGTERM.
        """
        if self.stopped:
            return -self.stopped
        # A session of its own: Ctrl-C must not reach it twice, from the terminal and from here.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        self._running.add(process)
        if self.stopped:  # meanwhile
            process.terminate()
        try:
            told = False
            while True:
                try:
                    return process.wait(POLL)
                except subprocess.TimeoutExpired:
                    if not told and watch():
                        told = True
                        process.terminate()
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            self._running.discard(process)

    def _work(self, do: Callable[[Item], None], items: Iterator[Item], lock: threading.Lock, share: list[int]) -> None:
        pin(share)  # this thread; the commands it starts inherit it
        while not self.stopped:
            with lock:
                item = next(items, None)
            if item is None:
                return
            do(item)

    def _stop(self, number: int, _: object) -> None:
        for process in list(self._running):
            process.kill() if self.stopped else process.terminate()
        if not self.stopped:
            os.write(2, b"stopping: every run saves and leaves ...\n")  # print may be in the middle of a line already
        self.stopped = number


def claim(folder: Path) -> IO[str]:
    """Opens the folder's log.txt at its end and keeps others out while it, or a command that writes to it, is open.

    Raises UserError if another process has the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = (folder / "log.txt").open("a+")
    if not hold(log):
        log.close()
        raise UserError(f"another process is at work in {folder}; wait for it, or end it")
    return log


def last_lines(log: IO[str], begin: int, count: int = 5) -> str:
    """The last lines of a log, from byte `begin` on, without empty ones."""
    text = Path(log.name).read_bytes()[begin:].decode(errors="replace")
    return "\n".join([line for line in text.splitlines() if line.strip()][-count:])
