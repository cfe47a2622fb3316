"""Parameters of another run: what fits is taken, and the report says what does not."""

from __future__ import annotations

import numpy as np
import pytest

from trajectory.schema import UserError
from trajectory.training.checkpoint import Checkpoints
from trajectory.training.transfer import take_over


def _params(seed: int, **shapes: tuple[int, ...]):
    rng = np.random.default_rng(seed)
    arrays = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    return {
        "params": {
            "encoder": {n: a for n, a in arrays.items() if n < "m"},
            **{n: a for n, a in arrays.items() if n >= "m"},
        }
    }


def test_the_report_has_four_sorted_lists_and_only_what_fits_is_taken(tmp_path):
    theirs = _params(0, c=(3,), b=(2, 2), a=(4, 2), z=(5,), y=(1,))
    mine = _params(1, c=(3,), b=(2, 2), a=(6, 2), x=(5,), w=(1,))
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save_best(7, theirs)
    checkpoints.close()
    merged, report = take_over(mine, tmp_path)
    assert report.splitlines() == [
        f"parameters from {tmp_path}:",
        "  loaded (2): params/encoder/b, params/encoder/c",
        "  missing there (2): params/w, params/x",
        "  unexpected there (2): params/y, params/z",
        "  of another shape (1): params/encoder/a",
        "  skipped by rule (0): -",
    ]
    expected = {**mine["params"], "encoder": {**theirs["params"]["encoder"], "a": mine["params"]["encoder"]["a"]}}
    assert merged["params"].keys() == expected.keys()
    assert merged["params"]["encoder"].keys() == expected["encoder"].keys()
    for name in ("a", "b", "c"):
        np.testing.assert_array_equal(merged["params"]["encoder"][name], expected["encoder"][name])
    for name in ("w", "x"):
        np.testing.assert_array_equal(merged["params"][name], expected[name])


def test_a_folder_without_a_best_checkpoint_is_refused_and_left_alone(tmp_path):
    with pytest.raises(UserError, match="no checkpoint in"):
        take_over(_params(0, a=(1,)), tmp_path)
    assert not list(tmp_path.iterdir())
