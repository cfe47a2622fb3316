"""A forecaster of several steps made honest on validation: each step has a calibration of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from trajectory.data.rows import slices
from trajectory.evaluation.binary_calibration import BinaryCalibration, binary_nll, fit_binary
from trajectory.evaluation.calibration import Calibration, choose
from trajectory.evaluation.conformal import Conformal, calibrate
from trajectory.evaluation.horizon import step_bounds
from trajectory.evaluation.horizon_times import Times, waits
from trajectory.evaluation.scorer import timing
from trajectory.evaluation.time_calibration import TimeCalibration, fit_times
from trajectory.models.time_head import Wait
from trajectory.schema import Histories, Queries

ENTRIES = 8_000_000  # users x items that a step is fitted on: two or three numbers need no more
FEW = 400  # columns: with more, a bias of each would be learned by heart
BINARY_ENTRIES = 4_000_000
ALPHA = 0.1  # sets cover a line of the step with probability 1 - ALPHA


class Step(NamedTuple):
    """A forecast of one step beside what came, of the n users that have such a step of the catalogue."""

    row: np.ndarray  # int64 [n], of the queries
    log_p: np.ndarray  # float32 [n, V + 1]
    target: np.ndarray  # int64 [n], or equal shares of the basket's distinct items float32 [n, V + 1]
    lines: np.ndarray | None  # int64 [n], distinct items of the basket; None where steps are single events


@dataclass(frozen=True)
class StepCalibration:
    """What was fitted for each step: the distribution at it, chances of coming within it, and sets that cover it."""

    at: tuple[Calibration, ...]
    within: tuple[BinaryCalibration, ...]
    honest_within: bool  # `within` starts from calibrated chances at each step, not from plain ones
    sets: tuple[Conformal, ...]
    times: tuple[TimeCalibration, ...]  # empty without a time head
    log_popularity: np.ndarray  # float64 [V + 1], what a pool is with

    def write(self, path: Path) -> None:
        """Writes calibration.json (the popularity is of the training data, which a run has)."""
        named = {name: [x.to_dict() for x in getattr(self, name)] for name in ("at", "within", "sets", "times")}
        path.write_text(json.dumps(named | {"honest_within": self.honest_within}) + "\n")

    @classmethod
    def read(cls, path: Path, log_popularity: np.ndarray) -> StepCalibration:
        """What `write` wrote."""
        named = json.loads(path.read_text())
        return cls(
            tuple(Calibration.from_dict(x) for x in named["at"]),
            tuple(BinaryCalibration.from_dict(x) for x in named["within"]),
            named["honest_within"],
            tuple(Conformal.from_dict(x) for x in named["sets"]),
            tuple(TimeCalibration.from_dict(x) for x in named["times"]),
            log_popularity,
        )


class CalibratedForecast:
    """A forecaster whose chances are recalibrated, as a forecaster."""

    log_probabilities = True

    def __init__(self, forecaster: Any, calibration: StepCalibration) -> None:
        self.forecaster, self.calibration = forecaster, calibration
        self.name, self.batch = f"{forecaster.name}, calibrated", forecaster.batch

    def ahead(self, queries: Queries) -> np.ndarray:
        """Log-probability of each item at each step [n, H, V + 1]."""
        self._plain = np.asarray(self.forecaster.ahead(queries))
        return np.stack([self._at(h, self._plain[:, h]) for h in range(self._plain.shape[1])], axis=1)

    def within(self, queries: Queries, ahead: np.ndarray) -> np.ndarray:
        """Probability of each item within the first h steps, shaped as `ahead`; never below that of fewer steps.

        Of the queries last asked for `ahead`.
        """
        plain = np.asarray(self.forecaster.within(queries, ahead if self.calibration.honest_within else self._plain))
        fitted = [self.calibration.within[h].apply(plain[:, h]) for h in range(plain.shape[1])]
        return np.maximum.accumulate(np.stack(fitted, axis=1), axis=1)

    def times(self, queries: Queries, observed: np.ndarray) -> Times:
        """Quantiles of the days until each step, and the likelihood of the `observed` days [n, H]."""
        wait = self.forecaster.waits(queries)
        by_step = [fitted.apply(_of_step(wait, h)) for h, fitted in enumerate(self.calibration.times)]
        return timing(jax.tree.map(lambda *x: jnp.stack(x, axis=1), *by_step), observed)

    def _at(self, h: int, log_p: np.ndarray) -> np.ndarray:
        fitted = self.calibration.at[h]
        return fitted.apply(log_p, self.calibration.log_popularity if fitted.form == "pool" else None)


def fit_steps(
    forecaster: Any,
    histories: Histories,
    queries: Queries,
    steps: int,
    log_popularity: np.ndarray,
    seed: int,
    timed: bool = False,
) -> StepCalibration:
    """Fits every step on (validation) queries, of which a random part is read where the catalogue is large.

    `timed`: the forecaster has `waits`, whose times are fitted too.
    """
    queries = _some(queries, max(ENTRIES // (histories.num_items + 1), 1), seed)
    forms = ["identity", "temperature", "pool"] + ["bias"] * (histories.num_items <= FEW)
    at, sets = [], []
    for _, step in read_steps(forecaster, histories, queries, steps):
        chosen = choose(step.log_p, step.target, log_popularity, forms=forms, seed=seed).calibration
        at.append(chosen)
        honest = chosen.apply(step.log_p, log_popularity if chosen.form == "pool" else None)
        sets.append(calibrate(honest, step.target, alpha=ALPHA, seed=seed))
    times: tuple[TimeCalibration, ...] = ()
    if timed:
        observed = waits(histories, queries, steps)
        found = [forecaster.waits(chunk) for chunk in queries.chunks(forecaster.batch)]
        wait = jax.tree.map(lambda *x: np.concatenate(x), *found)
        times = tuple(fit_times(_of_step(wait, h), observed[:, h]) for h in range(steps))
    unchanged = (BinaryCalibration("identity"),) * steps
    begun = StepCalibration(tuple(at), unchanged, True, tuple(sets), times, log_popularity)
    binary = _some(queries, max(BINARY_ENTRIES // (histories.num_items + 1), 1), seed + 1)
    # Calibrated steps have items' shares of a basket right; plain ones may tell better what large baskets bring.
    options = [(begun, CalibratedForecast(forecaster, begun)), (replace(begun, honest_within=False), forecaster)]
    fitted = [(start, *_fit_within(source, histories, binary, steps)) for start, source in options]
    start, within, _ = min(fitted, key=lambda one: one[2])
    return replace(start, within=within)


def _fit_within(
    forecaster: Any, histories: Histories, queries: Queries, steps: int
) -> tuple[tuple[BinaryCalibration, ...], float]:
    """The calibrations of chances within steps, and their summed negative log-likelihood in nats."""
    found, total = [], 0.0
    for _, chance, came in read_within(forecaster, histories, queries, steps):
        found.append(fit_binary("beta", chance, came))
        total += float(binary_nll(found[-1].apply(chance), came).sum())
    return tuple(found), total


def log_popularity(histories: Histories, training: np.ndarray) -> np.ndarray:
    """Log-counts of each item among the `training` events (bool [E]), from one on; float64 [V + 1]."""
    item = histories.item[training]
    count = np.bincount(item[item <= histories.num_items], minlength=histories.num_items + 1) + 1.0
    return np.log(count / count[1:].sum())


def read_steps(forecaster: Any, histories: Histories, queries: Queries, steps: int) -> Iterator[tuple[int, Step]]:
    """Each step's forecast beside what came; users without a target that may come are left out of it."""
    bounds = step_bounds(histories, queries, steps)
    chunks = queries.chunks(forecaster.batch)
    ahead = np.concatenate([np.asarray(forecaster.ahead(chunk), np.float32) for chunk in chunks])
    ahead[:, :, 0] = -np.inf
    for h in range(steps):
        log_p = ahead[:, h]
        row, index = slices(bounds[:, h], bounds[:, h + 1])
        item = histories.item[index]
        real = (item > 0) & (item <= histories.num_items)
        row, item = row[real], item[real]
        possible = np.isfinite(log_p[row, item])
        row, item = row[possible], item[possible]
        lines = np.bincount(row, minlength=len(log_p))
        some = np.flatnonzero(lines)
        if histories.baskets:
            share = np.zeros(log_p.shape, np.float32)
            share[row, item] = 1.0
            lines = share.sum(axis=1).astype(np.int64)
            yield h, Step(some, log_p[some], share[some] / lines[some, None], lines[some])
        else:
            target = np.zeros(len(log_p), np.int64)
            target[row] = item
            yield h, Step(some, log_p[some], target[some], None)


def read_within(
    forecaster: Any, histories: Histories, queries: Queries, steps: int
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Each item's chance within the first h steps, float64 [n, V], and whether it came, int8 [n, V]."""
    bounds = step_bounds(histories, queries, steps)
    parts = []
    for chunk in queries.chunks(forecaster.batch):
        ahead = np.asarray(forecaster.ahead(chunk))
        parts.append(np.asarray(forecaster.within(chunk, ahead), np.float32)[:, :, 1:])
    chance = np.concatenate(parts)
    came = np.zeros((len(chance), histories.num_items + 1), np.int8)
    for h in range(steps):
        row, index = slices(bounds[:, h], bounds[:, h + 1])
        item = histories.item[index]
        known = item <= histories.num_items
        came[row[known], item[known]] = 1
        yield h, chance[:, h].astype(np.float64), came[:, 1:].copy()


def _of_step(wait: Wait, h: int) -> Wait:
    return jax.tree.map(lambda x: x[:, h], wait)


def _some(queries: Queries, count: int, seed: int) -> Queries:
    if len(queries.user) <= count:
        return queries
    chosen = np.sort(np.random.default_rng(seed).choice(len(queries.user), count, replace=False))
    return Queries(*(column[chosen] for column in queries))
