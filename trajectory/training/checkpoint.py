"""The only importer of Orbax: the two last states of a run and the best one; damage is noticed and stepped over."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from trajectory.messages import root_logger_kept
from trajectory.schema import UserError
from trajectory.training.train_step import TrainState

with root_logger_kept():
    import orbax.checkpoint as ocp


_LOGGER = logging.getLogger(__name__)


class Progress(NamedTuple):
    """Where training stands besides its arrays: what a resumed run needs to go on as if nothing had happened."""

    epoch: int  # epochs finished
    best_metric: float | None
    best_epoch: int
    stale_epochs: int  # epochs since the best one
    monitor: str


class Checkpoints:
    """`<workdir>/checkpoints/last` keeps the two newest states, `<workdir>/checkpoints/best` the best parameters."""

    def __init__(self, workdir: Path, read_only: bool = False) -> None:
        """`read_only`: nothing of the folder is changed; its run may be under way in another process."""
        folder = workdir.resolve() / "checkpoints"
        self.last = self._manager(folder / "last", 2, read_only)
        self.best = self._manager(folder / "best", 1, read_only)

    @staticmethod
    def _manager(folder: Path, keep: int, read_only: bool) -> ocp.CheckpointManager:
        # Of several processes only the first comes here: it must not wait for the others.
        alone: Any = {
            "multiprocessing_options": ocp.options.MultiprocessingOptions(active_processes={0}),
            "create": False,  # Orbax makes no folders for a part of the processes
        }
        if read_only:
            options = ocp.CheckpointManagerOptions(read_only=True, save_interval_steps=0, **alone)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            options = ocp.CheckpointManagerOptions(max_to_keep=keep, cleanup_tmp_directories=True, **alone)
        said = logging.getLogger("absl")
        level = said.level
        said.setLevel(logging.ERROR)  # that a folder opened to be read is read only
        try:
            return ocp.CheckpointManager(folder, options=options)
        finally:
            said.setLevel(level)

    def save(self, state: TrainState, progress: Progress, position: dict[str, int]) -> None:
        """Writes a host state (NumPy arrays), the progress and the position of the data pipeline, in the background."""
        step = int(state.step)
        if step in self.last.all_steps():
            return
        self.best.wait_until_finished()  # the progress must not speak of a best state that a kill could still lose
        self.last.save(
            step,
            args=ocp.args.Composite(
                state=ocp.args.StandardSave(state._asdict()),
                progress=ocp.args.JsonSave(progress._asdict() | {"digest": _digest(state._asdict())}),
                data=ocp.args.JsonSave(position),
            ),
        )

    def save_best(self, step: int, params: Any) -> None:
        """Keeps these parameters (NumPy arrays) as the best so far."""
        for other in self.best.all_steps():
            if other >= step:  # left by a run that was killed after this save; it is written again, the same
                self.best.delete(other)
        self.best.save(
            step,
            args=ocp.args.Composite(
                params=ocp.args.StandardSave(params), digest=ocp.args.JsonSave({"digest": _digest(params)})
            ),
        )

    def restore(self, like: TrainState) -> tuple[TrainState, Progress, dict[str, int]] | None:
        """The newest undamaged state, progress and position of the data; None if the run has no checkpoint.

        A damaged checkpoint is reported and the one before it is used, which removes the damaged one. Raises
        UserError if all are damaged.
        """
        steps = sorted(self.last.all_steps(), reverse=True)
        for number, step in enumerate(steps):
            try:
                items = {
                    "state": ocp.args.StandardRestore(jax.tree.map(np.asarray, like._asdict())),
                    "progress": ocp.args.JsonRestore(),
                    "data": ocp.args.JsonRestore(),
                }
                restored = self.last.restore(step, args=ocp.args.Composite(**items))
                progress = dict(restored["progress"])
                if progress.pop("digest") != _digest(restored["state"]):
                    raise ValueError("its contents differ from what was saved")
                for damaged in steps[:number]:
                    self.last.delete(damaged)
                return TrainState(**restored["state"]), Progress(**progress), restored["data"]
            except Exception as error:  # Orbax raises many kinds for a damaged folder
                _LOGGER.warning(f"checkpoint {step} is damaged and is not used ({_short(error)})")
        if steps:
            raise UserError(f"all checkpoints in {self.last.directory} are damaged; train again in a new folder")
        return None

    def restore_best(self) -> tuple[int, Any]:
        """Step and parameters (NumPy arrays) of the best checkpoint. UserError if there is none or it is damaged."""
        step = self.best.latest_step()
        if step is None:
            raise UserError(f"no checkpoint in {self.best.directory}; train the run first (trajectory train)")
        try:
            items = ocp.args.Composite(params=ocp.args.StandardRestore(), digest=ocp.args.JsonRestore())
            restored = self.best.restore(step, args=items)
            if restored["digest"]["digest"] != _digest(restored["params"]):
                raise ValueError("its contents differ from what was saved")
        except Exception as error:
            self.best.reload()
            if self.best.latest_step() != step:  # training goes on in another process and has found a better one
                return self.restore_best()
            raise UserError(
                f"the best checkpoint in {self.best.directory} is damaged ({_short(error)}); train again"
            ) from error
        return step, restored["params"]

    def wait(self) -> None:
        """Returns when everything saved is on disk."""
        self.last.wait_until_finished()
        self.best.wait_until_finished()

    def close(self) -> None:
        """Waits, then releases the background threads."""
        self.last.close()
        self.best.close()


def _digest(tree: Any) -> str:
    """Hash of all names, shapes and bytes: a flipped bit on disk must not pass for a state."""
    digest = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]:
        array = np.ascontiguousarray(leaf)
        digest.update(f"{jax.tree_util.keystr(path)}{array.shape}{array.dtype}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0][:160] if str(error) else ''}"
