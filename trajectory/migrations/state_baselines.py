"""Baselines of a user's interest state in the next window, by counting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from trajectory.metrics.mixture import mixture_weights
from trajectory.migrations.step_windows import StepWindows, shares

MEMBERS = {  # what each baseline mixes; the weights are fitted
    "persistence": ("last window", "whole history", "population"),
    "history density": ("whole history", "population"),
    "Markov": ("Markov", "population"),
    "all of these": ("last window", "whole history", "Markov", "population"),
}


@dataclass(frozen=True)
class StateBaselines:
    """Fitted baselines: a user stays, does as always, or moves as users did between windows; each is smoothed."""

    transition: csr_array  # float64 [K, K], share of each interest in the window after one of only this interest
    popularity: np.ndarray  # float64 [K], shares of all users' interests, each counted from one on
    weights: dict[str, np.ndarray]  # of each baseline's members

    def states(self, windows: StepWindows, name: str) -> np.ndarray:
        """Distribution over interests in the window to come, float64 [n, K]."""
        members = self._members(windows)
        mixed = sum(weight * members[member] for weight, member in zip(self.weights[name], MEMBERS[name], strict=True))
        # A member says nothing where a history holds no interest, or none that was seen to be followed by any.
        return mixed + (1 - mixed.sum(1, keepdims=True)) * self.popularity

    def _members(self, windows: StepWindows) -> dict[str, np.ndarray]:
        last = shares(windows.last())
        return {
            "last window": last,
            "whole history": shares(windows.past()),
            "Markov": last @ self.transition,
            "population": np.broadcast_to(self.popularity, last.shape),
        }


def fit_baselines(windows: StepWindows, outcome: np.ndarray) -> StateBaselines:
    """Baselines whose weights maximise the likelihood of `outcome`, the mass [n, K] of the window after `windows` (EM).

    Transitions are counted between all consecutive windows of these histories (a first-order Markov chain of states,
    where a state moves by its shares).
    """
    mass = windows.mass
    row = csr_array(mass.multiply(1 / np.maximum(mass.sum(1), 1e-12)[:, None]))
    older = np.setdiff1d(np.arange(mass.shape[0]), windows.offsets[:-1])
    followed = csr_array(row[older].T @ row[older - 1])
    total = np.asarray(followed.sum(1)).ravel()
    transition = csr_array(followed.multiply(1 / np.maximum(total, 1e-12)[:, None]))
    popularity = np.asarray(mass.sum(0)).ravel() + 1.0
    unfitted = StateBaselines(transition, popularity / popularity.sum(), {})
    members = unfitted._members(windows)
    user, interest = np.nonzero(outcome)
    weight = shares(outcome)[user, interest]
    with np.errstate(divide="ignore"):
        log = {name: np.log(member[user, interest]) for name, member in members.items()}
    fitted = {
        name: mixture_weights(np.stack([log[member] for member in mixed], axis=1), weight / weight.sum())
        for name, mixed in MEMBERS.items()
    }
    return StateBaselines(unfitted.transition, unfitted.popularity, fitted)
