"""Whether reasons are the model's own: what its forecasts do when the events that a method names are taken away."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)  # of the events, of comprehensiveness and sufficiency (ERASER)
STEPS = 10  # of the curves of deletion and insertion

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


def _rank(there: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Place [B, L] of each event by decreasing score, from 0; of equal scores the newer is first."""
    newest_first = np.where(there, score, -np.inf)[:, ::-1]
    order = np.argsort(-newest_first, axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(order.shape[1])[None], axis=1)
    return rank[:, ::-1]
