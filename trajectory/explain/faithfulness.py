"""Faithfulness of attributions: what forecasts do when the events that a method ranks first are taken away."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from trajectory.explain.attribution import Attribution
from trajectory.explain.target_function import Inputs

SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)  # of the events, of comprehensiveness and sufficiency (ERASER)
STEPS = 10  # of the curves of deletion and insertion
MASKS = 32  # of infidelity

# Forecasts [U] of rows [U] with only the events in `kept` bool [U, L].
MaskedForecast = Callable[[np.ndarray, np.ndarray], np.ndarray]


def removal_metrics(forecast: MaskedForecast, mask: np.ndarray, score: np.ndarray) -> dict[str, np.ndarray]:
    """Deletion, insertion, comprehensiveness and sufficiency [B], in nats, of events ranked by their scores [B, L].

    `mask` bool [B, L]: which events there are.

    `deletion`: how much lower the forecast lies on average while the first events are taken away one after the other,
    and `insertion`: how much higher than with none while they are put in, both at STEPS equal steps (Petsiuk et al.
    2018, RISE, on log-probabilities): higher is better. `comprehensiveness`: how much it falls without the first
    events, higher is better, and `sufficiency`: how much it falls with nothing but them, lower is better; means over
    SHARES of the events, at least one (DeYoung et al. 2020, ERASER).
    """
    count = mask.sum(axis=1)
    rank = _rank(mask, score)
    steps = np.arange(1, STEPS + 1) / STEPS
    tops = {"curve": steps, "shares": np.array(SHARES)}
    first = {name: np.maximum(np.ceil(share * count[:, None] - 1e-9), 1) for name, share in tops.items()}
    variants = [(name, keep_first, n) for name, ns in first.items() for keep_first in (True, False) for n in ns.T]
    kept = [mask & ((rank < n[:, None]) == keep_first) for _, keep_first, n in variants] + [mask, np.zeros_like(mask)]
    value = forecast(np.tile(np.arange(len(mask)), len(kept)), np.concatenate(kept)).reshape(len(kept), -1)
    full, none = value[-2], value[-1]
    grouped: dict[tuple[str, bool], list] = {(name, keep_first): [] for name in tops for keep_first in (True, False)}
    for (name, keep_first, _), forecasts in zip(variants, value, strict=False):
        grouped[name, keep_first].append(forecasts)
    mean = {key: np.mean(forecasts, axis=0) for key, forecasts in grouped.items()}
    return {
        "deletion": full - mean["curve", False],
        "insertion": mean["curve", True] - none,
        "comprehensiveness": full - mean["shares", False],
        "sufficiency": full - mean["shares", True],
    }


def infidelity(forecast: MaskedForecast, mask: np.ndarray, attribution: Attribution, seed: int = 0) -> np.ndarray:
    """Infidelity [B], in nats² (Yeh et al. 2019), with random halves of the events taken away as perturbations: mean
    square of the attributions' sum less the fall of the forecast, scaled as they do by the best factor, not below 0.
    """
    rng = np.random.default_rng(seed)
    rows, length = mask.shape
    kept = mask[None] & (rng.random((MASKS, rows, length)) < 0.5)
    value = forecast(np.tile(np.arange(rows), MASKS), kept.reshape(-1, length)).reshape(MASKS, rows)
    attributed = ((mask[None] & ~kept) * attribution.events).sum(axis=2)
    observed = attribution.forecast - value
    factor = np.maximum((attributed * observed).mean(axis=0), 0) / np.maximum((attributed**2).mean(axis=0), 1e-12)
    return ((factor * attributed - observed) ** 2).mean(axis=0)


def max_sensitivity(
    explain: Callable[[Inputs], np.ndarray], inputs: Inputs, radius: float = 0.1, draws: int = 5, seed: int = 0
) -> np.ndarray:
    """Max-sensitivity [B] (Yeh et al. 2019): the largest relative change of attributions `explain(inputs)` [B, L] when
    the events' vectors move by up to `radius` of their standard deviation; here their reference moves with them.
    """
    rng, before = np.random.default_rng(seed), explain(inputs)
    deviation = radius * np.std(np.asarray(inputs.vectors)[np.asarray(inputs.mask)])
    change = np.zeros((draws, len(before)))
    for draw in change:
        constant = inputs.constant + deviation * rng.uniform(-1, 1, inputs.constant.shape)
        moved = explain(inputs._replace(constant=constant.astype(np.float32)))
        draw[:] = np.linalg.norm(moved - before, axis=1) / np.maximum(np.linalg.norm(before, axis=1), 1e-9)
    return change.max(axis=0)


def rank_agreement(mask: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Spearman's rank correlation [B] of two scores [B, L] over the events of each row; NaN for fewer than two events.

    Between attributions of a trained and of a random model it should be near 0 (Adebayo et al. 2018).
    """
    first, second = (np.where(mask, _rank(mask, score), 0.0).astype(np.float64) for score in (left, right))
    count = mask.sum(axis=1)
    middle = (count - 1) / 2
    a, b = ((x - middle[:, None]) * mask for x in (first, second))
    with np.errstate(invalid="ignore", divide="ignore"):
        return (a * b).sum(axis=1) / np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))


def _rank(mask: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Rank [B, L] of each event by decreasing score, from 0; of equal scores the newer is first."""
    newest_first = np.where(mask, score, -np.inf)[:, ::-1]
    order = np.argsort(-newest_first, axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(order.shape[1])[None], axis=1)
    return rank[:, ::-1]
