"""The long comparison: interests, items and campaigns beside all rivals, with what the page has no time for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from trajectory.insights.audiences.audience_targets import targets_by_kind
from trajectory.insights.audiences.evaluate import Audience, audience, measure, snapshot_at
from trajectory.insights.audiences.propensity import PARTS, fit
from trajectory.insights.campaigns import build, evaluate
from trajectory.metrics.auc import auc
from trajectory.run import Run
from trajectory.schema import UserError


def compare(run: Run, resamples: int, since: str = "", until: str = "", only: str = "all") -> dict[str, Any]:
    """What is measured, by name: "interest", "item" and their ablations, and of campaigns "redeem", "buy" and "uplift".

    Campaigns are those that start at `since` (ISO date; default: the run's cut) or later and before `until`. Raises
    UserError for a date that is none, or where the split is not by time.
    """
    measured: dict[str, Any] = {}
    if only != "campaigns":
        cut = {part: run.experiment.split.cut_time(part) for part in ("validation", "test")}
        asked = targets_by_kind(run.experiment.histories, cut["test"])
        validation, test = (snapshot_at(run, cut[part], asked) for part in ("validation", "test"))
        for goods in asked:
            found = audience(run, goods, validation, test)
            if found is not None:
                measured[goods.kind] = measure(found, found.counts.events, resamples, run.config.seed)
                measured[f"{goods.kind}, validation"] = ablation(found)
    if only != "goods":
        measured |= _campaigns(run, resamples, since, until)
    return measured


def ablation(found: Audience) -> dict[str, dict[str, float]]:
    """What each part brings: mean AUC over groups of one half of the users, learned from the other half, on validation.

    Of all users and of lapsed ones ("arriving").
    """
    counts, came, lines, chosen = found.then, found.then_bought, found.then_lines, found.model.chosen
    half = np.random.default_rng(0).random(len(came)) < 0.5
    mine, others = counts.of(half), counts.of(~half)
    measured = {}
    for parts in ((), ("forecast",), ("companions",), PARTS):
        chance = fit(mine, lines[half], came[half], chosen, parts).of(others, lines[~half])
        areas: dict[str, list[float]] = {"all users": [], "arriving": []}
        for j, group in enumerate(chosen):
            lapsed, outcome = others.lapsed[:, group], came[~half, group]
            areas["all users"].append(auc(outcome, chance[:, j])[0])
            areas["arriving"].append(auc(outcome[lapsed], chance[lapsed, j])[0])
        name = " and ".join(("counts", *parts))
        measured[name] = {of: float(np.nanmean(values)) for of, values in areas.items()}
    return measured


def _campaigns(run: Run, resamples: int, since: str, until: str) -> dict[str, Any]:
    log, campaigns = build.known_campaigns(run)
    if log is None:
        return {}
    begin = _seconds(since) if since else run.experiment.split.cut_time("test")
    if begin is None:
        raise UserError("this run's split is not by time: say from which date on campaigns are measured (--since)")
    end = _seconds(until) if until else log.end + 1
    asked = [one for one in evaluate.predict_responses(log, campaigns, begin) if one.campaign.start < end]
    held = evaluate.measure(asked, len(log.users), resamples, run.config.seed)
    within = [one for one in campaigns if one.start < end]
    lots = build.compare(log, within, begin, build.RESAMPLES, run.config.seed)
    return held | {"uplift": [one._asdict() for one in lots]}


def _seconds(date: str) -> int:
    try:
        return int(datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp())
    except ValueError:
        raise UserError(f"expected an ISO date like 2017-08-01, got {date!r}") from None


def markdown(measured: dict[str, Any]) -> str:
    """The tables as text."""
    lines = []
    for name, one in measured.items():
        if name == "uplift":
            lines += _uplift(one)
        elif name.endswith("validation"):
            lines += [f"\n{name}, half of the users", "", "| learned from | all users | arriving |", "|---|--:|--:|"]
            lines += [f"| {of} | {a['all users']:.4f} | {a['arriving']:.4f} |" for of, a in one.items()]
        elif "methods" in one:
            lines += [
                f"\n{name}: {len(one['campaigns'])} campaigns ({', '.join(one['campaigns'])}) of {one['expected']}"
            ]
            lines += [f"forecast; {one['recipients']:,} recipients, {one['answers']:,} answers", *_methods(one)]
        else:
            for of, part in one.items():
                lines += [f"\n{name}, {of}: {part['groups']} of them, {part['users']:,} users"]
                lines += [f"{part['asked']:,} pairs, {part['bought']:,} bought", *_methods(part)]
    return "\n".join(lines)


def _methods(one: dict[str, Any]) -> list[str]:
    lines = ["", "| ranked by | AUC | 95 % | lift at 10 % | ours less this | p (Holm) |", "|---|--:|--:|--:|--:|--:|"]
    for name, of in one["methods"].items():
        lead = one["leads"].get(name)
        told = f"{lead['difference']:+.4f} ({lead['low']:+.4f} to {lead['high']:+.4f})" if lead else ""
        p = f"{lead['p_value']:.3f}" if lead else ""
        lines.append(
            f"| {name} | {of['auc']:.4f} | {of['low']:.4f} to {of['high']:.4f} | {of['lift']:.2f} | {told} | {p} |"
        )
    of = one["calibration"]
    band = f"band of a perfect model {of['low']:.4f} to {of['high']:.4f}"
    within = f"within it for {of['share_within_sampling_error']:.0%} of them one by one"
    return [*lines, "", f"calibration error {of['ece']:.4f}, {band}; {within}"]


def _uplift(lots: list[dict[str, Any]]) -> list[str]:
    lines = ["\nuplift", "", "| campaign | recipients | others | as they are | weighted alike | the weeks before |"]
    lines.append("|---|--:|--:|--:|--:|--:|")
    for one in lots:
        parts = [f"{of[0]:+.3f} ({of[1]:+.3f} to {of[2]:+.3f})" for of in (one["during"], one["before"])]
        sizes = f"{one['recipients']:,} | {one['others']:,}"
        lines.append(f"| {one['campaign']} | {sizes} | {one['plain']:+.3f} | {' | '.join(parts)} |")
    return lines
