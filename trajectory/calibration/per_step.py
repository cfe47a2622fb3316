"""Calibration of multi-step forecasts, fitted on validation: each step has one of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from trajectory.baselines.user_item_frequency import shrunk_frequencies
from trajectory.calibration.binary import BinaryCalibration, fit_binary
from trajectory.calibration.categorical import Calibration, choose
from trajectory.calibration.conformal import Conformal, calibrate
from trajectory.calibration.waiting_time import TimeCalibration, fit_silent_times, fit_times
from trajectory.metrics.by_interest import by_interest, log_by_interest
from trajectory.metrics.step_targets import read_steps, read_within
from trajectory.metrics.waiting_time import observed_waits, quantiles
from trajectory.metrics.within_bounds import at_least_items, bounded
from trajectory.models.time_head import Wait
from trajectory.protocols import Forecaster, StepForecast, UncalibratedForecast
from trajectory.reading import NUMBER, read_json
from trajectory.schema import Histories, Queries, UserError
from trajectory.writing import write_json

FILE = "calibration.json"
ENTRIES = 8_000_000  # users x items that a step is fitted on: a few numbers need no more
FEW = 400  # columns: with more, a bias of each would be learned by heart
BINARY_ENTRIES = 2_000_000
FEWEST = 5  # users of a step: as many as folds
ALPHA = 0.1  # sets cover a line of the step with probability 1 - ALPHA


@dataclass(frozen=True)
class StepCalibration:
    """What was fitted for each step: distributions at it, probabilities within it, sets that cover it, times.

    Items' probabilities are pooled with the user's own rates of the item (see `shrunk_frequencies`, shrunk towards
    `overall`).
    """

    at: tuple[Calibration, ...]
    within: tuple[BinaryCalibration, ...]
    interests: tuple[Calibration, ...]
    interests_within: tuple[BinaryCalibration, ...]
    sets: tuple[Conformal, ...]
    times: tuple[TimeCalibration, ...]  # empty without a time head
    silent_times: tuple[TimeCalibration, ...]  # of the first step after a silence, on top; empty: too few to fit it
    overall: np.ndarray  # float64 [V + 1]

    def write(self, workdir: Path, checkpoint: str) -> None:
        """Writes calibration.json into the folder of a run, of its `checkpoint`."""
        named = {name: [x.to_dict() for x in getattr(self, name)] for name in _KINDS}
        write_json({"checkpoint": checkpoint, "overall": self.overall.tolist()} | named, workdir / FILE)

    @classmethod
    def find(cls, workdir: Path) -> tuple[StepCalibration, str] | None:
        """What `write` wrote: the calibration and the checkpoint that it is of; None if nothing was written.

        UserError for one that is damaged or of an older form.
        """
        path = workdir / FILE
        if not path.exists():
            return None
        advice = "run evaluate --multi-step=direct"
        stored = read_json(path, {"checkpoint": str, "overall": [NUMBER]} | {kind: [dict] for kind in _KINDS}, advice)
        stored.setdefault("silent_times", [])  # the release before fitted none
        if missing := {"checkpoint", "overall", *_KINDS} - set(stored):
            raise UserError(f"{path} is of an older form, without {', '.join(sorted(missing))}: {advice}")
        try:
            named = {name: tuple(kind.from_dict(x) for x in stored[name]) for name, kind in _KINDS.items()}
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UserError(f"{path} is damaged ({error}); {advice}") from None
        return cls(**named, overall=np.array(stored["overall"])), stored["checkpoint"]


class CalibratedForecaster:
    """A forecaster whose probabilities are recalibrated."""

    def __init__(
        self, forecaster: Forecaster[UncalibratedForecast], calibration: StepCalibration, histories: Histories
    ) -> None:
        self.forecaster, self.calibration, self.histories = forecaster, calibration, histories
        self.name, self.batch = f"{forecaster.name}, calibrated", forecaster.batch
        self.timed = forecaster.timed and bool(calibration.times)

    def forecast(self, queries: Queries) -> CalibratedForecast:
        """The steps after each query's history."""
        return CalibratedForecast(self, queries)


class CalibratedForecast(StepForecast):
    """A forecast with its probabilities recalibrated; those within steps are kept to what the steps' own allow."""

    calibrated = True

    def __init__(self, forecaster: CalibratedForecaster, queries: Queries) -> None:
        self._plain, self._timed = forecaster.forecaster.forecast(queries), forecaster.timed
        self._fitted, self._histories, self._queries = forecaster.calibration, forecaster.histories, queries

    @cached_property
    def log_probability(self) -> np.ndarray:
        """Of each item at each step, float64 [n, H, V + 1]."""
        log_p = self._plain.log_probability
        with np.errstate(divide="ignore"):
            log_rates = np.log(self._rates)
        return np.stack([self._fitted.at[h].apply(log_p[:, h], log_rates) for h in range(log_p.shape[1])], axis=1)

    @cached_property
    def in_sets(self) -> np.ndarray:
        """Whether each item is in the conformal set of the step, bool [n, H, V + 1]."""
        log_p = self.log_probability.astype(np.float32)  # as the sets are measured
        log_p[:, :, 0] = -np.inf
        return np.stack([self._fitted.sets[h].members(log_p[:, h]) for h in range(log_p.shape[1])], axis=1)

    @cached_property
    def within(self) -> np.ndarray:
        """Probability of each item within steps 1..h, [n, H, V + 1]."""
        p = self._bounded(self._plain.within_given(self.log_probability), self.probability)
        fitted = [self._fitted.within[h].apply(p[:, h], _within(self._rates, h)) for h in range(p.shape[1])]
        return self._bounded(np.stack(fitted, axis=1), self.probability)

    @cached_property
    def log_interests(self) -> np.ndarray:
        """Of each interest at each step, [n, H, K + 1]."""
        log_p = log_by_interest(self._histories, self.log_probability)
        return np.stack([self._fitted.interests[h].apply(log_p[:, h]) for h in range(log_p.shape[1])], axis=1)

    @cached_property
    def interests_within(self) -> np.ndarray:
        """Probability of each interest within steps 1..h, [n, H, K + 1]."""
        p = self._bounded(self._plain.interests_within_given(self.log_interests), self.interests)
        fitted = [self._fitted.interests_within[h].apply(p[:, h]) for h in range(p.shape[1])]
        within = self._bounded(np.stack(fitted, axis=1), self.interests)
        return at_least_items(within, self.within, self._histories.item_interest)

    @cached_property
    def wait(self) -> Wait | None:
        """How the days until each step are distributed; None where no times were fitted."""
        if not self._timed:
            return None
        return _by_step(jax.tree.map(np.asarray, self._plain.wait), self._fitted.times)

    def days(self, silent: np.ndarray) -> np.ndarray | None:
        """Quantiles of the days until each step, given the silence so far."""
        if self.wait is None:
            return None
        if not self._fitted.silent_times:
            return quantiles(self.wait, silent)
        after = self._fitted.silent_times[0].apply(_of_step(self.wait, 0))
        return quantiles(self.wait, silent, jax.tree.map(lambda x: x[:, None], after))

    def days_calibrated(self, silent: np.ndarray) -> np.ndarray:
        """Whether `days` were fitted to outcomes of such silences, bool [n]."""
        return (silent <= 0) | bool(self._fitted.silent_times)

    def _bounded(self, within: np.ndarray, probability: np.ndarray) -> np.ndarray:
        return bounded(within, probability, self._histories.baskets)

    @cached_property
    def _rates(self) -> np.ndarray:
        """The users' own rates of the items."""
        return shrunk_frequencies(self._histories, self._queries, self._fitted.overall)


def fit_steps(
    forecaster: Forecaster[UncalibratedForecast],
    histories: Histories,
    queries: Queries,
    steps: int,
    overall: np.ndarray,
    seed: int,
) -> StepCalibration:
    """Fits every step on (validation) queries, of which a random part is read where the catalogue is large.

    `overall` are the rates of `overall_rates`. Times are fitted too where the forecaster is timed. Raises UserError
    where fewer than FEWEST users have a target that may come.
    """
    queries = some_queries(histories, queries, seed)
    log_rates = _log_rates(histories, queries, overall)
    at, interests, sets = [], [], []
    for h, step in read_steps(forecaster, histories, queries, steps):
        if len(step.row) < FEWEST:
            raise UserError(
                f"step {h + 1}: {len(step.row)} of {len(queries.user)} validation users have a target that their list "
                f"can hold, and a calibration needs {FEWEST}; use a larger log, fewer steps (split.steps), or "
                "evaluation.seen=keep where users take the same items again"
            )
        log_q = log_rates[step.row]
        forms = ["identity", "temperature", "pool", *_biased(histories.num_items)]
        chosen = choose(step.log_p, step.target, log_q, forms=forms, seed=seed)
        at.append(chosen.calibration)
        # Held-out probabilities: those of the very users that were fitted on look better than others' will be.
        sets.append(calibrate(chosen.held_out, step.target, alpha=ALPHA, seed=seed))
        forms = ["identity", "temperature", *_biased(len(histories.interests))] if histories.interests else ["identity"]
        shares, target = interest_step(histories, chosen.held_out, step.target)
        interests.append(choose(shares, target, forms=forms, seed=seed).calibration)
    times: tuple[TimeCalibration, ...] = ()
    silent_times: tuple[TimeCalibration, ...] = ()
    if forecaster.timed:
        observed = observed_waits(histories, queries, steps)
        parts = [forecaster.forecast(chunk).wait for chunk in queries.chunks(forecaster.batch)]
        wait = jax.tree.map(lambda *x: np.concatenate(x), *parts)
        times = tuple(fit_times(_of_step(wait, h), observed[:, h]) for h in range(steps))
        after = fit_silent_times(_of_step(_by_step(wait, times), 0), observed[:, 0])
        silent_times = () if after is None else (after,)
    unchanged = (BinaryCalibration(),) * steps
    fitted = StepCalibration(
        tuple(at), unchanged, tuple(interests), unchanged, tuple(sets), times, silent_times, overall
    )
    calibrated = CalibratedForecaster(forecaster, fitted, histories)
    few = some_queries(histories, queries, seed + 1, BINARY_ENTRIES)
    rates = shrunk_frequencies(histories, few, overall)[:, 1:]
    read = read_within(calibrated, histories, few, steps)
    within = [fit_binary(p, observed, _within(rates, h)) for h, p, observed in read]
    fitted = replace(fitted, within=tuple(within))
    if histories.interests:
        read = read_within(calibrated, histories, few, steps, "interest")
        fitted = replace(fitted, interests_within=tuple(fit_binary(p, observed) for _, p, observed in read))
    return fitted


def some_queries(histories: Histories, queries: Queries, seed: int, entries: int = ENTRIES) -> Queries:
    """A random part of the queries, in order: as many as have `entries` probabilities at a step; all if fewer."""
    count = max(entries // (histories.num_items + 1), 1)
    if len(queries.user) <= count:
        return queries
    chosen = np.sort(np.random.default_rng(seed).choice(len(queries.user), count, replace=False))
    return Queries(*(column[chosen] for column in queries))


def interest_step(histories: Histories, log_p: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A forecast [n, V + 1] and its target, int [n] or weights [n, V + 1], over interests (column 0: none)."""
    shares = log_by_interest(histories, log_p)
    if target.ndim == 1:
        return shares, histories.item_interest[target].astype(np.int64)
    return shares, by_interest(histories, target)


def _biased(columns: int) -> list[str]:
    return ["bias"] if columns <= FEW else []


def _log_rates(histories: Histories, queries: Queries, overall: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(shrunk_frequencies(histories, queries, overall))


def _within(rates: np.ndarray, h: int) -> np.ndarray:
    """Probability within steps 1 to h + 1 of what comes at each with the same rate."""
    return 1 - (1 - rates) ** (h + 1)


def _by_step(wait: Wait, fitted: tuple[TimeCalibration, ...]) -> Wait:
    """Each step's times recalibrated by its own."""
    by_step = [fitted[h].apply(_of_step(wait, h)) for h in range(wait.zero.shape[1])]
    return jax.tree.map(lambda *x: jnp.stack(x, axis=1), *by_step)


def _of_step(wait: Wait, h: int) -> Wait:
    return jax.tree.map(lambda x: x[:, h], wait)


_KINDS: dict[str, Any] = {
    "at": Calibration,
    "within": BinaryCalibration,
    "interests": Calibration,
    "interests_within": BinaryCalibration,
    "sets": Conformal,
    "times": TimeCalibration,
    "silent_times": TimeCalibration,
}
