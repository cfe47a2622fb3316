"""Parameters of one run as the beginning of another, with a report of what fitted and what did not."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path
from typing import Any

import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from trajectory.training.checkpoint import Checkpoints


def take_over(params: Any, workdir: Path, skipped: Set[str] = frozenset()) -> tuple[Any, str]:
    """Best parameters of `workdir` wherever name and shape are the same, the given ones elsewhere; and the report.

    Those that are `skipped` are not taken. The report lists, sorted: loaded, missing there, unexpected there, of
    another shape, skipped by rule.
    """
    checkpoints = Checkpoints(workdir, read_only=True)
    _, restored = checkpoints.restore_best()
    checkpoints.close()
    mine, theirs = flatten_dict(params, sep="/"), flatten_dict(restored, sep="/")
    shared = (mine.keys() & theirs.keys()) - skipped
    fits = {name for name in shared if np.shape(mine[name]) == np.shape(theirs[name])}
    groups = {
        "loaded": fits,
        "missing there": mine.keys() - theirs.keys(),
        "unexpected there": theirs.keys() - mine.keys(),
        "of another shape": shared - fits,
        "skipped by rule": mine.keys() & theirs.keys() & skipped,
    }
    report = [f"parameters from {workdir}:"]
    report += [f"  {title} ({len(names)}): {', '.join(sorted(names)) or '-'}" for title, names in groups.items()]
    merged = {name: np.asarray(theirs[name]) if name in fits else value for name, value in mine.items()}
    return unflatten_dict(merged, sep="/"), "\n".join(report)
