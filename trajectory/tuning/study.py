"""Where the trials of a search are kept, and when one is pruned."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Study:
    """Of Optuna's. No trial is pruned before `startup_trials` are complete, nor in its first `warmup_epochs`; then one
    whose best epoch is worse than the median of the complete ones up to that epoch.
    """

    storage: str = ""  # a database's URL or a journal file, which several machines may share; "": a journal in `out`
    startup_trials: int = 5
    warmup_epochs: int = 1
