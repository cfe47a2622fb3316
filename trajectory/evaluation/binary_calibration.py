"""Recalibration of binary forecasts ("visited within the horizon"), fitted on validation users and applied to others.

Beta calibration (Kull, Silva Filho & Flach 2017): logit p' = a ln p - b ln(1 - p) + c with a, b >= 0; with a = b it is
Platt's (1999) on the log-odds. Shares of S sampled paths should come as (k + 1/2) / (S + 1): a share of 0 is not
certainty, and here a probability of 0 or 1 is read as 1e-6 off it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from trajectory.evaluation.held_out import held_out_losses

BINARY_FORMS = ("identity", "platt", "beta")
CLIP = 1e-6


@dataclass(frozen=True)
class BinaryCalibration:
    """A fitted recalibration of probabilities; keeps their order."""

    form: str
    a: float = 1.0
    b: float = 1.0
    c: float = 0.0

    def apply(self, p: np.ndarray) -> np.ndarray:
        """Recalibrated probabilities, float64 of the shape of `p`."""
        chance, against = _logs(p)
        return expit(self.a * chance + self.b * against + self.c)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> BinaryCalibration:
        """What `to_dict` gave, possibly after a way through JSON."""
        return cls(**values)


class BinaryChoice(NamedTuple):
    """The form that did best on held-out users, fitted on all, and what each form reached there."""

    calibration: BinaryCalibration
    held_out_nll: dict[str, float]  # form -> mean, nats


def check_binary(p: np.ndarray, outcome: np.ndarray) -> None:
    """Raises ValueError unless `p` are probabilities and `outcome` are 0 / 1 of the same shape, [n] or [n, K]."""
    if p.shape != outcome.shape or p.ndim not in (1, 2) or not p.size:
        raise ValueError(f"expected p and outcome of one shape [n] or [n, K], got {p.shape} and {outcome.shape}")
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("expected probabilities between 0 and 1, got others or NaN: pass probabilities, not logits")
    if not ((outcome == 0) | (outcome == 1)).all():
        raise ValueError("expected outcomes 0 or 1, got others")


def binary_nll(p: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    """Negative log-likelihood in nats of each outcome (0 / 1), of the shape of `p`."""
    chance = np.where(np.asarray(outcome) == 1, p, 1 - np.asarray(p, np.float64))
    return -np.log(np.maximum(chance, CLIP))


def fit_binary(form: str, p: np.ndarray, outcome: np.ndarray) -> BinaryCalibration:
    """The calibration of this form with the least negative log-likelihood (convex; found by L-BFGS-B).

    `p` and `outcome` (0 / 1) are [n] or [n, K]. Raises ValueError for another form, or if they are no such arrays.
    """
    check_binary(p, outcome)
    if form not in BINARY_FORMS:
        raise ValueError(f"expected a form out of {', '.join(BINARY_FORMS)}, got {form!r}")
    if form == "identity":
        return BinaryCalibration(form)
    chance, against = (part.ravel() for part in _logs(p))
    inputs = [chance + against] if form == "platt" else [chance, against]
    design = np.stack([*inputs, np.ones(p.size)], axis=1)
    sign = np.where(outcome.ravel() == 1, 1.0, -1.0)

    def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
        margin = sign * (design @ values)
        return float(np.logaddexp(0, -margin).mean()), -(sign * expit(-margin)) @ design / len(sign)

    start = np.array([*np.ones(len(inputs)), 0.0])
    bounds = [(0, None)] * len(inputs) + [(None, None)]
    *slopes, constant = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x.tolist()
    return BinaryCalibration(form, slopes[0], slopes[-1], constant)


def choose_binary(
    p: np.ndarray,
    outcome: np.ndarray,
    *,
    forms: Sequence[str] = BINARY_FORMS,
    user: np.ndarray | None = None,
    folds: int = 5,
    seed: int = 0,
) -> BinaryChoice:
    """The form with the least negative log-likelihood on held-out folds of users (of equals the first), fitted on all.

    `p` and `outcome` (0 / 1) are [n] or [n, K]; `user` [n] = whose row it is (default: each row another's). Raises
    ValueError as `fit_binary` and `held_out_losses` do.
    """
    check_binary(p, outcome)

    def loss(fitted: BinaryCalibration, rows: np.ndarray) -> np.ndarray:
        return binary_nll(fitted.apply(p[rows]), outcome[rows]).reshape(len(rows), -1).mean(axis=1)

    losses = held_out_losses(
        forms,
        lambda form, rows: fit_binary(form, p[rows], outcome[rows]),
        loss,
        np.arange(len(p)) if user is None else user,
        folds,
        seed,
    )
    return BinaryChoice(fit_binary(min(losses, key=lambda form: losses[form]), p, outcome), losses)


def _logs(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ln p and -ln(1 - p)."""
    clipped = np.clip(np.asarray(p, np.float64), CLIP, 1 - CLIP)
    return np.log(clipped), -np.log1p(-clipped)
