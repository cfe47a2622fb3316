"""The long comparison: interests, items and campaigns beside all rivals, with what the page has no time for."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from trajectory.insights.audiences.audience import Audience, audience, snapshot_at
from trajectory.insights.audiences.audience_targets import targets_by_kind
from trajectory.insights.audiences.evaluate import measure
from trajectory.insights.audiences.propensity import PARTS, fit
from trajectory.insights.campaigns.comparison import compare_campaigns
from trajectory.metrics.auc import auc
from trajectory.run import Run


class Asked(NamedTuple):
    """What is compared: "all", "targets" (interests and items) or "campaigns", with so many `resamples` (bootstrap).

    Campaigns are those that start at `since` (ISO date; default: the run's cut) or later and before `until`.
    """

    resamples: int = 500
    only: str = "all"
    since: str = ""
    until: str = ""


def compare(run: Run, asked: Asked) -> dict[str, Any]:
    """What is measured, by name: "interest", "item" and their ablations, and of campaigns "redeem", "buy" and "uplift".

    Raises UserError for a date that is none, or where the split is not by time.
    """
    measured: dict[str, Any] = {}
    if asked.only != "campaigns":
        cut = {part: run.experiment.split.cut_time(part) for part in ("validation", "test")}
        targets = targets_by_kind(run.experiment.histories, cut["test"])
        validation, test = (snapshot_at(run, cut[part], targets) for part in ("validation", "test"))
        for goods in targets:
            predicted = audience(run, goods, validation, test)
            if predicted is not None:
                measured[goods.kind] = measure(predicted, predicted.counts.events, asked.resamples, run.config.seed)
                measured[f"{goods.kind}, validation"] = ablation(predicted)
    if asked.only != "targets":
        measured |= compare_campaigns(run, asked.resamples, asked.since, asked.until)
    return measured


def ablation(predicted: Audience) -> dict[str, dict[str, float]]:
    """What each part brings: mean AUC over groups of one half of the users, learned from the other half, on validation.

    Of all users and of lapsed ones ("arriving").
    """
    counts, bought, lines, chosen = predicted.then, predicted.then_bought, predicted.then_lines, predicted.model.chosen
    half = np.random.default_rng(0).random(len(bought)) < 0.5
    mine, others = counts.of(half), counts.of(~half)
    measured = {}
    for parts in ((), ("forecast",), ("companions",), PARTS):
        chance = fit(mine, lines[half], bought[half], chosen, parts).of(others, lines[~half])
        areas: dict[str, list[float]] = {"all users": [], "arriving": []}
        for j, group in enumerate(chosen):
            lapsed, outcome = others.lapsed[:, group], bought[~half, group]
            areas["all users"].append(auc(outcome, chance[:, j])[0])
            areas["arriving"].append(auc(outcome[lapsed], chance[lapsed, j])[0])
        name = " and ".join(("counts", *parts))
        measured[name] = {of: float(np.nanmean(values)) for of, values in areas.items()}
    return measured
