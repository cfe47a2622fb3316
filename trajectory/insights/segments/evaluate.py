"""How far segments hold and what they are good for, beside rival segmentations with as many groups."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from sklearn.metrics import adjusted_rand_score, silhouette_score

from trajectory.data.context.campaigns import read_campaigns
from trajectory.data.context.demographics import read_demographics
from trajectory.data.ingest.source.side_files import as_known
from trajectory.insights.segments.association import associations
from trajectory.insights.segments.baselines import RIVALS, comparison_features, grouped
from trajectory.insights.segments.grouping import RESAMPLES
from trajectory.insights.segments.predictive_value import (
    predictive_losses,
    redemption_auc,
    redemptions_after,
    spend_after,
)
from trajectory.insights.segments.segmentation import Segmentation
from trajectory.metrics.significance import bootstrap, compare
from trajectory.run import Run

OURS, NONE = "segments", "no segments"
SAMPLE = 4000  # users of a silhouette


def measure(run: Run, segmentation: Segmentation, beside: tuple[str, ...] = RIVALS) -> dict[str, Any]:
    """Stability, separation, use (None where nothing is after the moment) and association, of segments and rivals."""
    c, t = run.config, segmentation.trajectories
    count = len(segmentation.names)
    features = {name: table for name, table in comparison_features(t).items() if name in beside}
    models = {name: grouped(table, count, c.seed) for name, table in features.items()}
    labels = {OURS: segmentation.label, **{name: model.labels_ for name, model in models.items()}}
    spaces = {OURS: np.concatenate([t.states(t.past), t.states(t.ahead)], 1), **features}
    return {
        "users": len(segmentation.label),
        "segments": count,
        "destinations": segmentation.stability.destinations,
        "stability": {
            OURS: {"seeds": segmentation.stability.seeds, "bootstrap": segmentation.stability.bootstrap},
            **{name: _stability(table, count, c.seed) for name, table in features.items()},
        },
        "separation": {name: _silhouette(spaces[name], label, c.seed) for name, label in labels.items()},
        "spend": _spend(segmentation, labels, c.evaluation.bootstrap, c.seed),
        "redemption": _redemption(run, segmentation, labels),
        "association": _association(run, segmentation, labels),
    }


def _stability(features: np.ndarray, count: int, seed: int) -> dict[str, float]:
    """As `grouping.stability`, of a plain k-means."""
    label = grouped(features, count, seed).labels_
    seeds, moved = [], []
    for again in range(1, RESAMPLES // 2 + 1):
        drawn = np.random.default_rng([seed, again]).integers(len(features), size=len(features))
        moved.append(adjusted_rand_score(label, grouped(features[drawn], count, seed + again).predict(features)))
        if again <= 3:
            seeds.append(adjusted_rand_score(label, grouped(features, count, seed + again).labels_))
    return {"seeds": float(np.mean(seeds)), "bootstrap": float(np.mean(moved))}


def _silhouette(space: np.ndarray, label: np.ndarray, seed: int) -> float:
    """Mean silhouette (Rousseeuw 1987) in the space that the groups were learned in; NaN of one group."""
    if len(np.unique(label)) < 2:
        return float("nan")
    size = min(len(label), SAMPLE)
    return float(silhouette_score(space, label, sample_size=size, random_state=seed))


def _spend(
    segmentation: Segmentation, labels: dict[str, np.ndarray], resamples: int, seed: int
) -> dict[str, Any] | None:
    """Explained share of squared error (R2) and mean absolute error, with the lead of the segments over each, and of
    each over no segments (paired).
    """
    outcome = spend_after(segmentation.trajectories)
    if outcome is None or not outcome.any():
        return None
    compared = {**labels, NONE: 0 * segmentation.label}
    losses = {name: predictive_losses(label, outcome, seed) for name, label in compared.items()}
    whole, ours = losses[NONE].squared.mean(), losses[OURS]
    told = {}
    for name, loss in losses.items():
        told[name] = {
            "r2": float(1 - loss.squared.mean() / whole),
            "absolute": float(loss.absolute.mean()),
            "absolute_interval": tuple(map(float, bootstrap(loss.absolute, resamples, seed)[:2])),
            "lead_r2": compare(loss.squared / whole, ours.squared / whole, resamples, seed),
            "lead_absolute": compare(loss.absolute, ours.absolute, resamples, seed),
            "over_none": compare(losses[NONE].squared / whole, loss.squared / whole, resamples, seed),
        }
    return told


def _redemption(run: Run, segmentation: Segmentation, labels: dict[str, np.ndarray]) -> dict[str, Any] | None:
    campaigns, c = read_campaigns(run.config.data), run.config
    redemptions = redemptions_after(segmentation.trajectories, campaigns) if campaigns else None
    if redemptions is None:
        return None
    told = redemption_auc(labels, redemptions, c.evaluation.bootstrap, c.seed)
    return {
        "recipients": len(np.unique(redemptions.user)),
        "asked": len(redemptions.user),
        "redeemed": int(redemptions.redeemed.sum()),
        "auc": {
            name: {
                "auc": auc,
                "interval": (float(own.low), float(own.high)),
                "lead": (float(lead.low), float(lead.high)),
            }
            for name, (auc, own, lead) in told.items()
        },
    }


def _association(run: Run, segmentation: Segmentation, labels: dict[str, np.ndarray]) -> dict[str, Any] | None:
    words = read_demographics(run.config.data)
    if words is None:
        return None
    t = segmentation.trajectories
    users = pl.DataFrame({"user": t.histories.users["user"].gather(t.queries.user)})
    words = words.with_columns(as_known(words["user"], users["user"])).unique("user", maintain_order=True)
    aligned = users.join(words, on="user", how="left", maintain_order="left").drop("user")
    return {
        name: [association._asdict() for association in associations(label, aligned, run.config.seed)]
        for name, label in labels.items()
    }
