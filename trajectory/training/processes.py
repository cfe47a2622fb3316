"""Several processes of one run: how they meet, which of them speaks, and how they stop together."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import jax
import numpy as np
from jax.experimental import multihost_utils

from trajectory.schema import UserError

PATIENCE_SECONDS = 30  # for a process that has gone silent, before the others give up
BLOCK = 4096  # bytes; what is sent between processes is filled up to a multiple, as each size is compiled for
T = TypeVar("T")


def join(coordinator: str, processes: int, process: int) -> None:
    """Meets the other processes of a run; from then on only the first one prints to stdout.

    `coordinator` is "host:port" of process 0, or "auto" on a cluster that JAX knows (Slurm, Open MPI, Kubernetes, Cloud
    TPU), which also says how many processes there are and which this is. Raises UserError.
    """
    patience: Any = {"heartbeat_timeout_seconds": PATIENCE_SECONDS, "shutdown_timeout_seconds": PATIENCE_SECONDS}
    if coordinator == "auto":
        try:
            jax.distributed.initialize(**patience)
        except ValueError as error:
            raise UserError(
                f"--coordinator=auto: this is no cluster that JAX knows ({error}); "
                "give --coordinator=host:port, --processes and --process"
            ) from error
    else:
        if not coordinator.rpartition(":")[2].isdigit():
            raise UserError(f"--coordinator={coordinator}: expected host:port, like localhost:1234, or auto")
        if not 0 <= process < processes:
            raise UserError(f"--process={process} is none of --processes={processes}; expected 0 to {processes - 1}")
        jax.distributed.initialize(coordinator, processes, process, **patience)
    if not leads():
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - until the process ends


def several() -> bool:
    """Whether this is one of several processes of one run."""
    return jax.process_count() > 1


def leads() -> bool:
    """Whether this is the process that writes, logs, prints and validates."""
    return jax.process_index() == 0


def led(do: Callable[[], T]) -> T:
    """What `do` returns in the first process, in every process; it runs there only. All must call this together.

    What it raises is raised in every process, so that none waits for one that has gone; what it returns is pickled.
    """
    if not several():
        return do()
    result: Any = None
    error: Exception | None = None
    message = b""
    if leads():
        try:
            result = do()
        except Exception as raised:
            error = raised
        # Other errors may not survive pickling; the first process shows them whole.
        tellable = error is None or isinstance(error, UserError)
        told = error if tellable else RuntimeError(f"the first process failed: {error!r}")
        message = pickle.dumps((result, told))
    size = int(multihost_utils.broadcast_one_to_all(np.int32(-(-len(message) // BLOCK))))
    sent = np.frombuffer(message.ljust(size * BLOCK, b"\0"), np.uint8)
    received = multihost_utils.broadcast_one_to_all(sent)
    if not leads():
        result, error = pickle.loads(received.tobytes())
    if error is not None:
        raise error
    return result


def preempted(step: int) -> bool:
    """Whether all processes stop before this step because one of them got SIGTERM; to be asked once a step by each."""
    return several() and multihost_utils.reached_preemption_sync_point(step)
