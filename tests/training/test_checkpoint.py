"""Damage on disk is noticed, said and stepped over; a reader changes nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import jax
import numpy as np
import pytest

from trajectory.schema import UserError
from trajectory.training.checkpoint import Checkpoints, Progress
from trajectory.training.train_step import TrainState


def _position(step: int) -> dict[str, int]:
    return {"epoch": 0, "batch": step}


def _state(step: int) -> TrainState:
    rng = np.random.default_rng(step)
    params = {"a": {"kernel": rng.normal(size=(40, 8)).astype(np.float32)}, "b": np.float32([step, 1])}
    moments = (jax.tree.map(np.zeros_like, params), np.int32(step))
    return TrainState(np.int32(step), params, moments, np.arange(4, dtype=np.uint32))


LIKE = _state(99)

# Orbax reads arrays side by side; where one is damaged it closes its event loop, and TensorStore may still report on
# another to that loop ("Event loop is closed"), out of any test's or user's reach.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. None:pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def workdir(tmp_path) -> Path:
    """Checkpoints of steps 1, 2, 3 were saved, with the data one batch further each time; 2 and 3 are kept."""
    checkpoints = Checkpoints(tmp_path)
    for step in (1, 2, 3):
        checkpoints.save(_state(step), Progress(step, step / 10, step, 0, "mrr@1"), _position(step))
    checkpoints.save_best(2, _state(2).params)
    checkpoints.close()
    return tmp_path


def _restore(workdir: Path, **options) -> tuple[TrainState, Progress, dict]:
    checkpoints = Checkpoints(workdir, **options)
    try:
        return checkpoints.restore(LIKE)
    finally:
        checkpoints.close()


def _assert_is(found: tuple[TrainState, Progress, dict], step: int) -> None:
    state, progress, position = found
    for a, b in zip(jax.tree.leaves(state), jax.tree.leaves(_state(step)), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    assert progress == Progress(step, step / 10, step, 0, "mrr@1")
    assert position == _position(step)


def _largest(folder: Path) -> Path:
    return max((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)


def _flip(folder: Path) -> None:
    path = _largest(folder)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _truncate(folder: Path) -> None:
    path = _largest(folder)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _empty_metadata(folder: Path) -> None:
    (folder / "_CHECKPOINT_METADATA").write_bytes(b"")


def _remove(name: str):
    def remove(folder: Path) -> None:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return remove


DAMAGES = {
    "a flipped bit": _flip,
    "a file cut short": _truncate,
    "no state": _remove("state"),
    "no progress": _remove("progress"),
    "no data position": _remove("data"),
    "no array metadata": _remove("state/_METADATA"),
}


def test_the_newest_state_comes_back_bitwise_with_progress_and_data(workdir, capsys):
    _assert_is(_restore(workdir), 3)
    assert "damaged" not in capsys.readouterr().out
    assert sorted(path.name for path in (workdir / "checkpoints" / "last").iterdir()) == ["2", "3"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_newest_checkpoint_is_said_and_the_one_before_used(damage, workdir, capsys):
    DAMAGES[damage](workdir / "checkpoints" / "last" / "3")
    _assert_is(_restore(workdir), 2)
    assert "checkpoint 3 is damaged and is not used (" in capsys.readouterr().out
    assert sorted(path.name for path in (workdir / "checkpoints" / "last").iterdir()) == ["2"]
    checkpoints = Checkpoints(workdir)
    checkpoints.restore(LIKE)
    checkpoints.save(_state(3), Progress(3, 0.3, 3, 0, "mrr@1"), _position(3))
    checkpoints.close()
    _assert_is(_restore(workdir), 3)


def test_damaged_bookkeeping_of_orbax_does_not_matter(workdir):
    _empty_metadata(workdir / "checkpoints" / "last" / "3")
    _assert_is(_restore(workdir), 3)


def test_contents_that_read_well_but_differ_are_damage(workdir, capsys):
    # A state of another save with files that are whole: only the digest can tell.
    last = workdir / "checkpoints" / "last"
    shutil.rmtree(last / "3" / "state")
    shutil.copytree(last / "2" / "state", last / "3" / "state")
    _assert_is(_restore(workdir), 2)
    assert "its contents differ from what was saved" in capsys.readouterr().out


def test_all_damaged_is_an_error_and_nothing_is_removed(workdir):
    last = workdir / "checkpoints" / "last"
    for step in ("2", "3"):
        _flip(last / step)
    with pytest.raises(UserError, match=r"all checkpoints in .*last are damaged; train again in a new folder"):
        _restore(workdir)
    assert sorted(path.name for path in last.iterdir()) == ["2", "3"]


def test_no_checkpoint_is_no_error(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    assert checkpoints.restore(LIKE) is None
    with pytest.raises(UserError, match=r"no checkpoint in .*best; train the run first"):
        checkpoints.restore_best()
    checkpoints.close()


def test_the_best_parameters_come_back_and_damage_is_an_error(workdir):
    checkpoints = Checkpoints(workdir, read_only=True)
    step, params = checkpoints.restore_best()
    assert step == 2
    np.testing.assert_array_equal(params["a"]["kernel"], _state(2).params["a"]["kernel"])
    checkpoints.close()
    _flip(workdir / "checkpoints" / "best" / "2" / "params")
    checkpoints = Checkpoints(workdir, read_only=True)
    with pytest.raises(UserError, match=r"the best checkpoint in .*best is damaged \(.*\); train again"):
        checkpoints.restore_best()
    checkpoints.close()


def test_a_reader_leaves_a_save_under_way_alone(workdir):
    # As a training process that is writing leaves it; only the next training process may clean up.
    half = workdir / "checkpoints" / "last" / "4.orbax-checkpoint-tmp"
    shutil.copytree(workdir / "checkpoints" / "last" / "3", half)
    _flip(workdir / "checkpoints" / "last" / "3")
    _assert_is(_restore(workdir, read_only=True), 2)
    names = {"2", "3", half.name}
    assert {path.name for path in half.parent.iterdir()} == names
    _assert_is(_restore(workdir), 2)
    assert {path.name for path in half.parent.iterdir()} == {"2"}


def test_a_better_state_replaces_the_best_even_if_written_before(workdir):
    checkpoints = Checkpoints(workdir)
    checkpoints.save_best(2, _state(5).params)
    checkpoints.wait()
    step, params = checkpoints.restore_best()
    assert (step, params["b"][0]) == (2, 5)
    checkpoints.close()


def test_the_best_state_is_on_disk_before_the_progress_that_speaks_of_it(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save_best(1, {"a": np.ones((1000, 4000), np.float32)})
    checkpoints.save(_state(1), Progress(1, 0.1, 1, 0, "mrr@1"), _position(1))
    assert (tmp_path / "checkpoints" / "best" / "1").is_dir()
    checkpoints.close()
