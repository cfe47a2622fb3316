"""Whether reasons are the model's own: what its forecasts do when the events that a method names are taken away."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from trajectory.explain.attribution import Attribution
from trajectory.explain.target_function import Inputs

SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)  # of the events, of comprehensiveness and sufficiency (ERASER)
STEPS = 10  # of the curves of deletion and insertion
MASKS = 32  # of infidelity

# Forecasts [U] of rows [U] with only the events in `kept` bool [U, L].
Forecast = Callable[[np.ndarray, np.ndarray], np.ndarray]


def by_order(forecast: Forecast, there: np.ndarray, score: np.ndarray) -> dict[str, np.ndarray]:
    """Of each row [B], in nats, for events `there` bool [B, L] in the order of their scores [B, L]:

    `deletion`: how much lower the forecast lies on average while the first events are taken away one after the other,
    and `insertion`: how much higher than with none while they are put in, both at STEPS equal steps (Petsiuk et al.
    2018, RISE, on log-probabilities): higher is better. `comprehensiveness`: how much it falls without the first
    events, higher is better, and `sufficiency`: how much it falls with nothing but them, lower is better; means over
    SHARES of the events, at least one (DeYoung et al. 2020, ERASER).
    """
    count = there.sum(axis=1)
    rank = _rank(there, score)
    steps = np.arange(1, STEPS + 1) / STEPS
    tops = {"curve": steps, "shares": np.array(SHARES)}
    first = {name: np.maximum(np.ceil(share * count[:, None] - 1e-9), 1) for name, share in tops.items()}
    asked = [(name, inside, n) for name, ns in first.items() for inside in (True, False) for n in ns.T]
    rows = np.arange(len(there))
    masks = [there & ((rank < n[:, None]) == inside) for _, inside, n in asked] + [there, np.zeros_like(there)]
    value = forecast(np.tile(rows, len(masks)), np.concatenate(masks)).reshape(len(masks), -1)
    full, none = value[-2], value[-1]
    picked: dict[tuple[str, bool], list] = {(name, inside): [] for name in tops for inside in (True, False)}
    for (name, inside, _), found in zip(asked, value, strict=False):
        picked[name, inside].append(found)
    mean = {key: np.mean(found, axis=0) for key, found in picked.items()}
    return {
        "deletion": full - mean["curve", False],
        "insertion": mean["curve", True] - none,
        "comprehensiveness": full - mean["shares", False],
        "sufficiency": full - mean["shares", True],
    }


def infidelity(forecast: Forecast, there: np.ndarray, attribution: Attribution, seed: int = 0) -> np.ndarray:
    """Mean square [B], in nats², of what attributions say of random halves of the events taken away, less what the
    forecast does (Yeh et al. 2019, with subsets as perturbations), scaled as they do by the best factor, not below 0.
    """
    rng = np.random.default_rng(seed)
    rows, length = there.shape
    kept = there[None] & (rng.random((MASKS, rows, length)) < 0.5)
    value = forecast(np.tile(np.arange(rows), MASKS), kept.reshape(-1, length)).reshape(MASKS, rows)
    told = ((there[None] & ~kept) * attribution.events).sum(axis=2)
    fell = attribution.value - value
    factor = np.maximum((told * fell).mean(axis=0), 0) / np.maximum((told**2).mean(axis=0), 1e-12)
    return ((factor * told - fell) ** 2).mean(axis=0)


def max_sensitivity(
    explain: Callable[[Inputs], np.ndarray], inputs: Inputs, radius: float = 0.1, draws: int = 5, seed: int = 0
) -> np.ndarray:
    """Largest relative change [B] of attributions `explain(inputs)` [B, L] when the events' vectors, and those of the
    baseline with them, move by up to `radius` of their standard deviation (Yeh et al. 2019, who leave the baseline).
    """
    rng, before = np.random.default_rng(seed), explain(inputs)
    spread = radius * np.std(np.asarray(inputs.x)[np.asarray(inputs.there)])
    change = np.zeros((draws, len(before)))
    for draw in change:
        constant = inputs.constant + spread * rng.uniform(-1, 1, inputs.constant.shape)
        moved = explain(inputs._replace(constant=constant.astype(np.float32)))
        draw[:] = np.linalg.norm(moved - before, axis=1) / np.maximum(np.linalg.norm(before, axis=1), 1e-9)
    return change.max(axis=0)


def rank_agreement(there: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Spearman's correlation [B] of two scores [B, L] over the events of each row; NaN for fewer than two events.

    Between attributions of a trained and of a random model it should be near 0 (Adebayo et al. 2018).
    """
    first, second = (np.where(there, _rank(there, score), 0.0).astype(np.float64) for score in (one, other))
    count = there.sum(axis=1)
    middle = (count - 1) / 2
    a, b = ((x - middle[:, None]) * there for x in (first, second))
    with np.errstate(invalid="ignore", divide="ignore"):
        return (a * b).sum(axis=1) / np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))


def _rank(there: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Place [B, L] of each event by decreasing score, from 0; of equal scores the newer is first."""
    newest_first = np.where(there, score, -np.inf)[:, ::-1]
    order = np.argsort(-newest_first, axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(order.shape[1])[None], axis=1)
    return rank[:, ::-1]
