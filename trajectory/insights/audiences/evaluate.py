"""Who buys of an interest or item within D days from a moment, from the run's forecast: fitted, then measured."""

from __future__ import annotations

from typing import Any

import numpy as np

from trajectory.insights.audiences.audience import Audience, drawn_users
from trajectory.insights.audiences.baselines import goods_rivals
from trajectory.insights.audiences.ranking import auc_differences, lift
from trajectory.metrics.auc import auc
from trajectory.metrics.reliability import clustered_pairs, event_pairs, summary
from trajectory.metrics.significance import confidence_interval

OURS = "forecast, counts and what goes together"
SIMULATIONS = 200  # of each group's band
BLOCK = 50  # resamples at once
CHANCE = 0.5  # AUC of a ranking that tells nothing


def measure(audience: Audience, spent: np.ndarray, resamples: int, seed: int) -> dict[str, Any]:
    """Mean AUC and lift over groups of all users, of lapsed ones ("arriving") and of "new" ones, beside the rivals.

    `spent` [n]: of each user in the last 12 weeks. At most `SAMPLE` of the users are asked. Groups that nobody, or
    everybody, bought of are left out, and so are kinds of users for whom all groups are. Intervals and
    `auc_differences` (ours less each other, p-values adjusted by Holm) resample users as a whole. `calibration`:
    pooled, beside the band of a perfect model whose users buy much or little of all groups at once;
    `share_within_sampling_error`: of the groups, whose error lies in the band of a perfect model at that number of
    users.
    """
    sample = drawn_users(len(spent))
    audience, spent = audience.of(sample), spent[sample]
    scores = {OURS: audience.probability}
    scores |= goods_rivals(audience.counts, audience.then, audience.then_bought, audience.model.chosen, spent)
    never = audience.counts.ever[:, audience.model.chosen] == 0
    groups = {"all users": np.ones_like(audience.lapsed), "arriving": audience.lapsed, "new": never}
    measured = {name: _measure(audience, scores, mask, resamples, seed) for name, mask in groups.items()}
    return {name: values for name, values in measured.items() if values}


def counting_ahead(measured: dict[str, Any]) -> str:
    """Of those who had lapsed: the rival that ranks best of those ahead beyond chance, of others and of no ranking; ""
    where there is none.
    """
    arriving = measured["arriving"]
    ahead = [name for name, lead in arriving["leads"].items() if lead["high"] < 0]
    best = max(ahead, key=lambda name: arriving["methods"][name]["auc"], default="")
    return best if best and arriving["methods"][best]["low"] > CHANCE else ""


def _measure(
    audience: Audience, scores: dict[str, np.ndarray], mask: np.ndarray, resamples: int, seed: int
) -> dict[str, Any]:
    bought_then = audience.bought
    some = [j for j in range(bought_then.shape[1]) if 0 < bought_then[mask[:, j], j].sum() < mask[:, j].sum()]
    if not some:
        return {}
    rng, n = np.random.default_rng(seed), len(bought_then)
    means: dict[str, list[np.ndarray]] = {name: [] for name in scores}
    for at in range(0, resamples, BLOCK):
        # Resamples of one user lie side by side, as `auc` adds them up.
        weights = rng.multinomial(n, np.full(n, 1 / n), size=min(BLOCK, resamples - at)).astype(np.float64).T.copy()
        areas: dict[str, list[np.ndarray]] = {name: [] for name in scores}
        for j, rows in _rows(mask, some):
            some_weights = weights[rows].T
            for name, score in scores.items():
                areas[name].append(auc(bought_then[rows, j], score[rows, j], some_weights))
        for name, of in areas.items():
            means[name].append(np.nanmean(of, axis=0))
    drawn = {name: np.concatenate(parts) for name, parts in means.items()}
    methods = {}
    for name, score in scores.items():
        area = [float(auc(bought_then[rows, j], score[rows, j])[0]) for j, rows in _rows(mask, some)]
        rise = [lift(bought_then[rows, j], score[rows, j]) for j, rows in _rows(mask, some)]
        low, high = map(float, confidence_interval(drawn[name])[:2])
        methods[name] = {"auc": float(np.mean(area)), "low": low, "high": high, "lift": float(np.mean(rise))}
    pooled = clustered_pairs(audience.probability[mask], bought_then[mask].astype(np.int8), np.nonzero(mask)[0])
    by_group = [
        event_pairs(audience.probability[r, j], bought_then[r, j].astype(np.int8)) for j, r in _rows(mask, some)
    ]
    calibration = summary(pooled, seed=seed)
    calibration["share_within_sampling_error"] = float(
        np.mean([summary(pairs, SIMULATIONS, seed)["within_sampling_error"] for pairs in by_group])
    )
    return {
        "groups": len(some),
        "users": n,
        "asked": int(mask.sum()),
        "bought": int(bought_then[mask].sum()),
        "methods": methods,
        "leads": auc_differences(drawn),
        "calibration": calibration,
    }


def _rows(mask: np.ndarray, some: list[int]) -> list[tuple[int, np.ndarray]]:
    return [(j, np.flatnonzero(mask[:, j])) for j in some]
