"""The only file that knows devices: pmap over local devices, or jit over a mesh."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from trajectory.schema import Batch, UserError
from trajectory.training import memory
from trajectory.training.steps import TrainState, TrainStep

AXIS = "data"


def start(devices: int = 0) -> None:
    """To be called before JAX is used: a virtual device per core on a CPU, memory kept, the compilation cache.

    What that brings on 2 cores depends on the model: 0.9 to 1.4 times the speed of one device on Complete Journey
    (scripts/bench.py --only=step). `devices` 0 = as many as cores.
    """
    if "xla_force_host_platform_device_count" not in os.environ.get("XLA_FLAGS", ""):
        jax.config.update("jax_num_cpu_devices", devices or len(os.sched_getaffinity(0)))
    memory.keep()
    cache()


def cache() -> None:
    """Switches XLA's persistent compilation cache on, in $TRAJECTORY_XLA_CACHE or ~/.cache/trajectory/xla."""
    folder = Path(os.environ.get("TRAJECTORY_XLA_CACHE", "~/.cache/trajectory/xla")).expanduser()
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)


def local_devices(count: int, rows: int) -> list[jax.Device]:
    """The first `count` local devices (0 = all). Raises UserError if there are fewer or `rows` do not divide."""
    available = jax.local_devices()
    if count > len(available):
        raise UserError(f"train.devices={count}, but only {len(available)} devices are here")
    chosen = available[: count or len(available)]
    if rows % len(chosen):
        raise UserError(f"batch.rows={rows} cannot be shared by {len(chosen)} devices; use a multiple of {len(chosen)}")
    return chosen


class Parallel:
    """A train step over devices: `place` a state, `step` it, `host` it again. The state is replicated and donated."""

    def __init__(self, step: TrainStep, strategy: str, devices: list[jax.Device]) -> None:
        self.count, self.traces = len(devices), 0  # times the step was traced: more than once means changing shapes

        def traced(state: TrainState, batch: Batch, axis: str | None = None) -> tuple[TrainState, dict[str, Any]]:
            self.traces += 1
            return step(state, batch, axis)

        mesh = jax.sharding.Mesh(np.array(devices), (AXIS,), axis_types=(AxisType.Auto,))
        self.replicated, self.sharded = NamedSharding(mesh, PartitionSpec()), NamedSharding(mesh, PartitionSpec(AXIS))
        match strategy:
            case "pmap":
                self._step: Callable = jax.pmap(
                    lambda state, batch: traced(state, batch, AXIS),
                    axis_name=AXIS,
                    in_axes=(None, 0),
                    out_axes=None,  # the state stays one replicated array, never a stack
                    devices=devices,
                    donate_argnums=(0,),
                )
            case "jit":
                self._step = jax.jit(
                    traced,
                    in_shardings=(self.replicated, self.sharded),
                    out_shardings=(self.replicated, self.replicated),
                    donate_argnums=(0,),
                )
            case other:
                raise UserError(f"train.strategy={other!r} is unknown; expected pmap or jit")
        self.strategy = strategy

    def place(self, state: TrainState) -> TrainState:
        """A host state, on every device."""
        return jax.device_put(state, self.replicated)

    def host(self, state: Any) -> Any:
        """A replicated tree as NumPy arrays (one copy)."""
        # A real copy: a view would change under a checkpoint being written once the buffer is donated.
        return jax.tree.map(lambda x: np.array(x.addressable_data(0), copy=True), state)

    def step(self, state: TrainState, batch: Batch) -> tuple[TrainState, dict[str, jax.Array]]:
        """One step; the given state's buffers are gone afterwards."""
        if self.strategy == "pmap":
            batch = jax.tree.map(lambda x: x.reshape(self.count, x.shape[0] // self.count, *x.shape[1:]), batch)
        return self._step(state, batch)
