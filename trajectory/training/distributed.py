"""Several processes of one run: how they meet, which of them speaks, and how they stop together."""

from __future__ import annotations

import json
import os
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
    if not is_leader():
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - until the process ends


def is_multi_process() -> bool:
    """Whether this is one of several processes of one run."""
    return jax.process_count() > 1


def is_leader() -> bool:
    """Whether this is the process that writes, logs, prints and validates."""
    return jax.process_index() == 0


def on_leader(do: Callable[[], T]) -> T:
    """What `do` returns in the first process, in every process; it runs there only. All must call this together.

    What it raises is raised in every process, so that none waits for one that has gone; what it returns goes through
    JSON, so that of tuples lists arrive.
    """
    if not is_multi_process():
        return do()
    message, error = b"", None
    if is_leader():
        try:
            message = json.dumps({"result": do()}).encode()
        except Exception as raised:
            error, mistake = raised, isinstance(raised, UserError)
            failed = str(raised) if mistake else f"the first process failed: {raised!r}"
            message = json.dumps({"failed": failed, "mistake": mistake}).encode()
    size = BLOCK * int(multihost_utils.broadcast_one_to_all(np.int32(-(-len(message) // BLOCK))))
    received = json.loads(_sent(np.frombuffer(message.ljust(size), np.uint8)).tobytes())
    if error is not None:
        raise error
    if "failed" in received:
        raise (UserError if received["mistake"] else RuntimeError)(received["failed"])
    return received["result"]


def broadcast_from_leader(tree: T) -> T:
    """The first process's arrays, bit for bit, in every process; all give trees of the same shapes, together."""
    if not is_multi_process():
        return tree
    leaves, structure = jax.tree.flatten(tree)
    leaves = [np.asarray(leaf) for leaf in leaves]
    received = _sent(np.concatenate([np.frombuffer(leaf.tobytes(), np.uint8) for leaf in leaves]))
    parts = np.split(received, np.cumsum([leaf.nbytes for leaf in leaves])[:-1])
    pairs = zip(parts, leaves, strict=True)
    arrays = [np.frombuffer(part.tobytes(), leaf.dtype).reshape(leaf.shape) for part, leaf in pairs]
    return jax.tree.unflatten(structure, arrays)


def _sent(own: np.ndarray) -> np.ndarray:
    """The first process's bytes."""
    return np.asarray(multihost_utils.broadcast_one_to_all(own))


def preempted(step: int) -> bool:
    """Whether all processes stop before this step because one of them got SIGTERM; to be asked once a step by each."""
    return is_multi_process() and multihost_utils.reached_preemption_sync_point(step)
