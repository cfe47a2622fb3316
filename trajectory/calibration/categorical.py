"""Recalibration of categorical forecasts, fitted on validation users and applied to others.

All forms are log p' = scale * log p + bias + pool * log q, normalised: the scale is a temperature (Guo et al. 2017, its
inverse), with a second forecast q it is a log-linear pool (Genest & Zidek 1986), and each column may have a bias. What
cannot come (-inf) still cannot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

from trajectory.calibration.cross_validation import held_out_losses
from trajectory.metrics.categorical import LOG_FLOOR, blocks, check, proper_scores

FORMS = ("identity", "temperature", "pool", "bias")  # each has a scale; bias: per column, and pooled if there is a q
LEAST_SCALE, MOST_SCALE = 0.01, 100.0
SHRINKAGE = 1.0  # of what is fitted per column, towards the identity: a Gaussian prior of variance 1 / SHRINKAGE


@dataclass(frozen=True)
class Calibration:
    """A fitted recalibration; `bias` has one value for all columns or one for each."""

    form: str
    scale: float = 1.0
    bias: tuple[float, ...] = (0.0,)
    pool: float = 0.0

    def apply(self, log_p: np.ndarray, log_q: np.ndarray | None = None) -> np.ndarray:
        """Recalibrated log-probabilities float64 [n, C] of `log_p` [n, C]; `log_q` [C] or [n, C] is the pool's second.

        Raises ValueError if there is a pool and `log_q` is missing, or if it was fitted on other columns.
        """
        if len(self.bias) not in (1, log_p.shape[1]):
            raise ValueError(f"expected the {len(self.bias)} columns that it was fitted on, got {log_p.shape[1]}")
        score = log_p.astype(np.float64) * self.scale + np.array(self.bias)
        if self.pool:
            score += self.pool * _second(log_q, log_p.shape)
        total = logsumexp(score, axis=1, keepdims=True)
        return score - np.where(np.isfinite(total), total, 0)  # a row may have nothing that can come

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Calibration:
        """What `to_dict` gave, possibly after a way through JSON."""
        return cls(**(values | {"bias": tuple(values["bias"])}))


class Choice(NamedTuple):
    """The form that did best on held-out users, fitted on all, and what each form reached there."""

    calibration: Calibration
    held_out_nll: dict[str, float]  # form -> mean, nats
    held_out: np.ndarray  # float64 [n, C], each row's log-probabilities by a fit of that form without its user


def fit(
    form: str,
    log_p: np.ndarray,
    target: np.ndarray,
    log_q: np.ndarray | None = None,
    start: Calibration | None = None,
) -> Calibration:
    """The calibration of this form with the least negative log-likelihood (convex; found by L-BFGS-B from `start` on).

    `log_p` [n, C]; `target` int [n] or weights [n, C]; `log_q` [C] or [n, C] is the pool's second; `start` is of the
    same form and columns. Targets of probability 0 do not count: no form could help them. Values per column shrink to
    the identity. Raises ValueError for another form, or if the arrays are no forecast and target.
    """
    check(log_p, target)
    if form == "identity":
        return Calibration(form)
    if form not in FORMS:
        raise ValueError(f"expected a form out of {', '.join(FORMS)}, got {form!r}")
    n = len(log_p)
    biases = log_p.shape[1] if form == "bias" else 0
    pooled = form == "pool" or (form == "bias" and log_q is not None)
    second = _second(log_q, log_p.shape) if pooled else None

    def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
        scale, bias, pool = np.split(values, [1, 1 + biases])
        total, slope = 0.0, np.zeros(len(values))
        for rows, part, weight in blocks(log_p, target):
            can = np.isfinite(part)
            part, weight = np.where(can, part, 0), np.where(can, weight, 0)
            score = part * scale + (bias if biases else 0)
            if second is not None:
                score += pool * second[rows]
            score = np.where(can, score, -np.inf)
            top = score.max(axis=1, keepdims=True)
            weighted = np.exp(score - top)
            mass = weighted.sum(axis=1, keepdims=True)
            total += float((weight * np.where(can, np.log(mass) + top - score, 0)).sum())
            excess = weighted * (weight.sum(axis=1, keepdims=True) / mass) - weight
            moved = [[(excess * part).sum()]]
            moved += [excess.sum(axis=0)] * bool(biases)
            moved += [] if second is None else [[(excess * second[rows]).sum()]]
            slope += np.concatenate(moved)
        away = np.concatenate([[0.0], bias, np.zeros_like(pool)])
        return (total + SHRINKAGE / 2 * float(away @ away)) / n, (slope + SHRINKAGE * away) / n

    begin = np.concatenate([[1.0], np.zeros(biases + pooled)])
    if start:
        begin = np.concatenate([[start.scale], start.bias if biases else [], [start.pool] * pooled])
    bounds = [(LEAST_SCALE, MOST_SCALE)] + [(None, None)] * biases + [(0, MOST_SCALE)] * pooled
    best = minimize(loss, begin, jac=True, method="L-BFGS-B", bounds=bounds).x.tolist()
    return Calibration(form, best[0], tuple(best[1 : 1 + biases]) or (0.0,), best[-1] if pooled else 0.0)


def choose(
    log_p: np.ndarray,
    target: np.ndarray,
    log_q: np.ndarray | None = None,
    *,
    forms: Sequence[str] = ("identity", "temperature", "bias"),
    user: np.ndarray | None = None,
    folds: int = 5,
    seed: int = 0,
) -> Choice:
    """The form with the least negative log-likelihood on held-out folds of users (of equals the first), fitted on all.

    `log_p` [n, C]; `target` int [n] or weights [n, C]; `log_q` [C] or [n, C] is the pool's second; `user` [n] =
    whose row it is (default: each row another's). Raises ValueError as `fit` and `held_out_losses` do.
    """
    check(log_p, target)

    def part(rows: np.ndarray) -> np.ndarray | None:
        return log_q if log_q is None or log_q.ndim == 1 else log_q[rows]

    whole = {form: fit(form, log_p, target, log_q) for form in forms}
    fits: list[tuple[Calibration, np.ndarray]] = []

    def loss(fitted: Calibration, rows: np.ndarray) -> np.ndarray:
        fits.append((fitted, rows))
        return proper_scores(fitted.apply(log_p[rows], part(rows)), target[rows]).nll

    losses = held_out_losses(
        forms,
        lambda form, rows: fit(form, log_p[rows], target[rows], part(rows), whole[form]),
        loss,
        np.arange(len(log_p)) if user is None else user,
        folds,
        seed,
    )
    best = min(losses, key=lambda form: losses[form])
    held_out = np.empty(log_p.shape)
    for fitted, rows in fits:
        if fitted.form == best:
            held_out[rows] = fitted.apply(log_p[rows], part(rows))
    return Choice(whole[best], losses, held_out)


def _second(log_q: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
    """The pool's second forecast [n, C]: floored, for it weighs columns and forbids none."""
    if log_q is None or log_q.shape not in (shape, shape[1:]):
        got = None if log_q is None else log_q.shape
        raise ValueError(f"expected a second forecast log_q of shape {shape} or {shape[1:]} for a pool, got {got}")
    return np.broadcast_to(np.maximum(log_q, LOG_FLOOR), shape)
