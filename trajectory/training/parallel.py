"""The only file that knows devices: pmap over local devices, or jit over a mesh of all processes' devices."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from trajectory.cores import usable_cores
from trajectory.schema import Batch, ItemContent, UserError
from trajectory.training import distributed
from trajectory.training.train_step import TrainState, TrainStep, in_table

AXIS = "data"


def start(devices: int = 0, coordinator: str = "", count: int = 1, process: int = 0) -> None:
    """To be called before JAX is used: a virtual device per core on a CPU, unrounded products, caches.

    What that brings on 2 cores depends on the model: 0.9 to 1.4 times the speed of one device on Complete Journey
    (trajectory bench --only=step). `devices` 0 = as many as cores. With a `coordinator` (see processes.join) this
    is number `process` of `count` processes of one run. Raises UserError.
    """
    if "xla_force_host_platform_device_count" not in os.environ.get("XLA_FLAGS", ""):
        jax.config.update("jax_num_cpu_devices", devices or len(usable_cores()))
    configure()
    if coordinator:
        distributed.join(coordinator, count, process)
    elif count > 1:
        raise UserError(f"--processes={count} needs --coordinator, host:port of process 0, like localhost:1234")


def configure() -> None:
    """Of JAX, wherever a run is trained or opened: unrounded products, and XLA's persistent compilation cache.

    The cache is in $TRAJECTORY_XLA_CACHE or ~/.cache/trajectory/xla, or where JAX keeps one already.
    """
    # GPUs would round the factors of float32 products to 10 bits; train.matmul_precision says where that may be.
    jax.config.update("jax_default_matmul_precision", "float32")
    if jax.config.values["jax_compilation_cache_dir"] is None:
        folder = Path(os.environ.get("TRAJECTORY_XLA_CACHE", "~/.cache/trajectory/xla")).expanduser()
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)


def devices(count: int, rows: int) -> list[jax.Device]:
    """The first `count` devices of each process (0 = all), process after process.

    Raises UserError if there are fewer, or `rows` do not divide.
    """
    available = [jax.local_devices(process_index=process) for process in range(jax.process_count())]
    fewest, most = min(map(len, available)), max(map(len, available))
    if fewest < most:
        raise UserError(f"the processes have {fewest} to {most} devices; expected as many in each, see train.devices")
    if count > fewest:
        raise UserError(f"train.devices={count}, but only {fewest} devices are here")
    chosen = [device for local in available for device in local[: count or fewest]]
    if rows % len(chosen):
        raise UserError(f"batch.rows={rows} cannot be shared by {len(chosen)} devices; use a multiple of {len(chosen)}")
    return chosen


class Parallel:
    """A train step over devices: `place` a state, `step` it, `host` it again. The state is replicated and donated.

    With `shard_items` the item table and its moments are split by rows over the devices instead.

    Both strategies give each device its rows of the batch and sum gradients over the devices explicitly. Left to find
    that out by itself, jit was many times slower (a GRU on Complete Journey, two processes on 2 cores).
    """

    def __init__(
        self,
        step: TrainStep,
        strategy: str,
        devices: list[jax.Device],
        shard_items: bool = False,
        content: ItemContent | None = None,
    ) -> None:
        self.train_step, self.shard_items = step, shard_items
        self.count, self.traces = len(devices), 0  # times the step was traced: more than once means changing shapes
        mesh = jax.sharding.Mesh(np.array(devices), (AXIS,), axis_types=(AxisType.Auto,))
        self.replicated, self.sharded = NamedSharding(mesh, PartitionSpec()), NamedSharding(mesh, PartitionSpec(AXIS))

        self.content = jax.tree.map(lambda x: _distribute(x, self.replicated), content)

        def pmapped(state: TrainState, batch: Batch, content: ItemContent | None) -> tuple[TrainState, dict[str, Any]]:
            self.traces += 1
            return step(state, batch, AXIS, content)

        def jitted(state: TrainState, batch: Batch, content: ItemContent | None) -> tuple[TrainState, dict[str, Any]]:
            self.traces += 1
            # The optimiser stays outside: within shard_map it made compiling many times slower.
            params = jax.tree.map(lambda sharding: sharding.spec, self._shardings(state.params))
            gradient = jax.shard_map(
                lambda params, key, batch, content: step.gradient(params, key, batch, AXIS, shard_items, content),
                mesh=mesh,
                in_specs=(params, PartitionSpec(), PartitionSpec(AXIS), PartitionSpec()),
                out_specs=(params, PartitionSpec()),
                check_vma=False,  # with it, differentiation would sum over devices once more
            )
            after = step.update(state, *gradient(state.params, step.key(state), batch, content))
            return jax.lax.with_sharding_constraint(after, self._shardings(after))

        if strategy == "jit":
            self._step: Callable = jax.jit(jitted, donate_argnums=(0,))
        elif distributed.is_multi_process():
            raise UserError("train.strategy=pmap is for one process; with several use train.strategy=jit")
        else:
            self._step = jax.pmap(
                pmapped,
                axis_name=AXIS,
                in_axes=(None, 0, None),
                out_axes=None,  # the state stays one replicated array, never a stack
                devices=devices,
                donate_argnums=(0,),
            )
        self.strategy = strategy

    def place(self, state: TrainState) -> TrainState:
        """A host state, the same in all processes, on every device."""
        return jax.tree.map(_distribute, self._filled(state), self._shardings(state))

    def host(self, state: Any) -> Any:
        """A placed tree as NumPy arrays (one copy); all processes must ask together."""

        def whole(path: Any, x: jax.Array) -> np.ndarray:
            if not self._splits(path):
                # A real copy: a view would change under a checkpoint being written once the buffer is donated.
                return np.array(x.addressable_data(0), copy=True)
            # Between processes, whole arrays pass through the devices, one at a time.
            rows = multihost_utils.process_allgather(x, tiled=True) if distributed.is_multi_process() else np.asarray(x)
            return np.array(rows[: self.train_step.model.spec.data.num_items + 1], copy=True)

        return jax.tree_util.tree_map_with_path(whole, state)

    def step(self, state: TrainState, batch: Batch) -> tuple[TrainState, dict[str, jax.Array]]:
        """One step on a batch, the same in all processes; the given state's buffers are gone afterwards.

        Each process makes the whole batch, which depends on nothing but seed and epoch, and its devices take their
        rows of it: simple, and the same for any number of processes; making batches is a small part of a step.
        """
        if self.strategy == "pmap":
            batch = jax.tree.map(lambda x: x.reshape(self.count, x.shape[0] // self.count, *x.shape[1:]), batch)
        else:
            batch = jax.tree.map(lambda x: _distribute(x, self.sharded), batch)
        return self._step(state, batch, self.content)

    def _splits(self, path: tuple[Any, ...]) -> bool:
        return self.shard_items and in_table(path)

    def _shardings(self, tree: Any) -> Any:
        return jax.tree_util.tree_map_with_path(
            lambda path, _: self.sharded if self._splits(path) else self.replicated, tree
        )

    def _filled(self, tree: Any) -> Any:
        """With empty rows after the last item, so that the table can be split evenly."""

        def fill(path: Any, x: Any) -> Any:
            return np.pad(x, ((0, -len(x) % self.count), (0, 0))) if self._splits(path) else x

        return jax.tree_util.tree_map_with_path(fill, tree)


def _distribute(x: Any, sharding: NamedSharding) -> jax.Array:
    """A host array over the devices of all processes; each process reads what its own devices hold."""
    whole = np.asarray(x)
    return jax.make_array_from_callback(whole.shape, sharding, whole.__getitem__)
