"""A forecaster of several steps made honest on validation: each step has a calibration of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from trajectory.baselines.user_item_frequency import own_rates
from trajectory.calibration.binary import BinaryCalibration, fit_binary
from trajectory.calibration.categorical import Calibration, choose
from trajectory.calibration.conformal import Conformal, calibrate
from trajectory.calibration.waiting_time import TimeCalibration, fit_times
from trajectory.metrics.by_interest import by_interest, log_by_interest
from trajectory.metrics.step_targets import read_steps, read_within
from trajectory.metrics.waiting_time import Times, timing, waits
from trajectory.models.time_head import Wait
from trajectory.reading import NUMBER, read_json
from trajectory.schema import Histories, Queries, UserError
from trajectory.writing import write_json

ENTRIES = 8_000_000  # users x items that a step is fitted on: a few numbers need no more
FEW = 400  # columns: with more, a bias of each would be learned by heart
BINARY_ENTRIES = 2_000_000
FEWEST = 5  # users of a step: as many as folds
ALPHA = 0.1  # sets cover a line of the step with probability 1 - ALPHA


@dataclass(frozen=True)
class StepCalibration:
    """What was fitted for each step: distributions at it, chances of coming within it, sets that cover it, times.

    Items' chances are pooled with the user's own rates of the item (see `own_rates`, drawn to `overall`).
    """

    at: tuple[Calibration, ...]
    within: tuple[BinaryCalibration, ...]
    interests: tuple[Calibration, ...]
    interests_within: tuple[BinaryCalibration, ...]
    sets: tuple[Conformal, ...]
    times: tuple[TimeCalibration, ...]  # empty without a time head
    overall: np.ndarray  # float64 [V + 1]

    def write(self, path: Path, checkpoint: str) -> None:
        """Writes calibration.json, of the run's `checkpoint`."""
        named = {name: [x.to_dict() for x in getattr(self, name)] for name in _KINDS}
        write_json({"checkpoint": checkpoint, "overall": self.overall.tolist()} | named, path)

    @classmethod
    def read(cls, path: Path) -> tuple[StepCalibration, str]:
        """What `write` wrote: the calibration and the checkpoint that it is of. UserError for one of an older form."""
        advice = "run evaluate.py --ahead=direct"
        stored = read_json(path, {"checkpoint": str, "overall": [NUMBER]} | {kind: [dict] for kind in _KINDS}, advice)
        if missing := {"checkpoint", "overall", *_KINDS} - set(stored):
            raise UserError(f"{path} is of an older form, without {', '.join(sorted(missing))}: {advice}")
        try:
            named = {name: tuple(kind.from_dict(x) for x in stored[name]) for name, kind in _KINDS.items()}
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UserError(f"{path} is damaged ({error}); {advice}") from None
        return cls(**named, overall=np.array(stored["overall"])), stored["checkpoint"]


class CalibratedForecast:
    """A forecaster whose chances are recalibrated, as a forecaster."""

    log_probabilities = True

    def __init__(self, forecaster: Any, calibration: StepCalibration, histories: Histories) -> None:
        self.forecaster, self.calibration, self.histories = forecaster, calibration, histories
        self.name, self.batch = f"{forecaster.name}, calibrated", forecaster.batch

    def ahead(self, queries: Queries) -> np.ndarray:
        """Log-probability of each item at each step [n, H, V + 1]."""
        plain = np.asarray(self.forecaster.ahead(queries))
        log_rates = _log_rates(self.histories, queries, self.calibration.overall)
        return np.stack([self.calibration.at[h].apply(plain[:, h], log_rates) for h in range(plain.shape[1])], axis=1)

    def within(self, queries: Queries, ahead: np.ndarray) -> np.ndarray:
        """Probability of each item within the first h steps, shaped as `ahead`; never below that of fewer steps."""
        chance = np.asarray(self.forecaster.within(queries, ahead))
        rates = own_rates(self.histories, queries, self.calibration.overall)
        fitted = [self.calibration.within[h].apply(chance[:, h], _within(rates, h)) for h in range(chance.shape[1])]
        return np.maximum.accumulate(np.stack(fitted, axis=1), axis=1)

    def interests(self, queries: Queries, ahead: np.ndarray) -> np.ndarray:
        """Log-probability of each interest at each step [n, H, K + 1], given `ahead` (column 0: items without one)."""
        plain = log_by_interest(self.histories, ahead)
        return np.stack([self.calibration.interests[h].apply(plain[:, h]) for h in range(plain.shape[1])], axis=1)

    def interests_within(self, queries: Queries, log_shares: np.ndarray) -> np.ndarray:
        """Probability of each interest within the first h steps [n, H, K + 1], given what `interests` said."""
        chance = np.asarray(self.forecaster.interests_within(queries, log_shares))
        fitted = [self.calibration.interests_within[h].apply(chance[:, h]) for h in range(chance.shape[1])]
        return np.maximum.accumulate(np.stack(fitted, axis=1), axis=1)

    def times(self, queries: Queries, observed: np.ndarray) -> Times:
        """Quantiles of the days until each step, and the likelihood of the `observed` days [n, H]."""
        wait = jax.tree.map(np.asarray, self.forecaster.waits(queries))
        by_step = [self.calibration.times[h].apply(_of_step(wait, h)) for h in range(observed.shape[1])]
        return timing(jax.tree.map(lambda *x: jnp.stack(x, axis=1), *by_step), observed)


def fit_steps(
    forecaster: Any,
    histories: Histories,
    queries: Queries,
    steps: int,
    overall: np.ndarray,
    seed: int,
    timed: bool = False,
) -> StepCalibration:
    """Fits every step on (validation) queries, of which a random part is read where the catalogue is large.

    `overall` are the rates of `overall_rates`. `timed`: the forecaster has `waits`, whose times are fitted too. Raises
    UserError where fewer than FEWEST users have a target that may come.
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
        # Held-out chances: those of the very users that were fitted on look better than others' will be.
        sets.append(calibrate(chosen.held_out, step.target, alpha=ALPHA, seed=seed))
        forms = ["identity", "temperature", *_biased(len(histories.interests))] if histories.interests else ["identity"]
        shares, target = interest_step(histories, chosen.held_out, step.target)
        interests.append(choose(shares, target, forms=forms, seed=seed).calibration)
    times: tuple[TimeCalibration, ...] = ()
    if timed:
        observed = waits(histories, queries, steps)
        found = [forecaster.waits(chunk) for chunk in queries.chunks(forecaster.batch)]
        wait = jax.tree.map(lambda *x: np.concatenate(x), *found)
        times = tuple(fit_times(_of_step(wait, h), observed[:, h]) for h in range(steps))
    unchanged = (BinaryCalibration(),) * steps
    begun = StepCalibration(tuple(at), unchanged, tuple(interests), unchanged, tuple(sets), times, overall)
    honest = CalibratedForecast(forecaster, begun, histories)
    few = some_queries(histories, queries, seed + 1, BINARY_ENTRIES)
    rates = own_rates(histories, few, overall)[:, 1:]
    within = [fit_binary(p, came, _within(rates, h)) for h, p, came in read_within(honest, histories, few, steps)]
    begun = replace(begun, within=tuple(within))
    if histories.interests:
        read = read_within(honest, histories, few, steps, "interest")
        begun = replace(begun, interests_within=tuple(fit_binary(p, came) for _, p, came in read))
    return begun


def some_queries(histories: Histories, queries: Queries, seed: int, entries: int = ENTRIES) -> Queries:
    """A random part of the queries, in order: as many as have `entries` chances of items at a step; all if fewer."""
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
        return np.log(own_rates(histories, queries, overall))


def _within(rates: np.ndarray, h: int) -> np.ndarray:
    """Chance within steps 1 to h + 1 of what comes at each with the same rate."""
    return 1 - (1 - rates) ** (h + 1)


def _of_step(wait: Wait, h: int) -> Wait:
    return jax.tree.map(lambda x: x[:, h], wait)


_KINDS: dict[str, Any] = {
    "at": Calibration,
    "within": BinaryCalibration,
    "interests": Calibration,
    "interests_within": BinaryCalibration,
    "sets": Conformal,
    "times": TimeCalibration,
}
