"""How SIGTERM and SIGINT (Ctrl-C) end a training: after the step at hand, which is saved."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trajectory import hints
from trajectory.signals import leave, taken
from trajectory.training import distributed


class Stop(contextlib.ExitStack):
    """Notes SIGTERM and SIGINT, so that the loop can save and leave; a second SIGINT interrupts at once.

    Several processes must leave at the same step. JAX's preemption service sees to it once one of them gets SIGTERM,
    which is left to it then, and SIGINT is passed on as SIGTERM.
    """

    def __init__(self) -> None:
        super().__init__()
        self.signal: str | None = None  # the name of the one that asks to leave
        self._noted = False

    def __enter__(self) -> Stop:
        numbers = (signal.SIGINT,) if distributed.is_multi_process() else (signal.SIGTERM, signal.SIGINT)
        self.enter_context(taken(numbers, self._note))
        return self

    @property
    def requested(self) -> bool:
        """Whether to leave."""
        return self.signal is not None

    def before(self, step: int) -> bool:
        """Whether to leave before this step."""
        if distributed.preempted(step):
            self.signal = signal.SIGTERM.name
        return self.requested

    def _note(self, number: int, _: object) -> None:
        if self._noted and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._noted = True
        os.write(2, b"stopping after this step ...\n")  # print may be in the middle of a line already
        if distributed.is_multi_process():
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            self.signal = signal.Signals(number).name


def leave_if_stopped(summary: Mapping[str, Any], workdir: Path) -> None:
    """Raises what Python raises of a signal, where one stopped a training, by its summary: KeyboardInterrupt of Ctrl-C.

    What was learned is saved, and the same call goes on with it.
    """
    if name := summary["stopped_by"]:
        leave(signal.Signals[name], f"training in {workdir} was stopped and is saved; {hints.again()} goes on with it")
