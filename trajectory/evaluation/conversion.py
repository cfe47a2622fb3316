"""Binary metrics of the conversion head, its calibration, and the baselines that know counts and recency alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import log_loss, roc_auc_score

from trajectory.baselines.conversion import BOOSTING, ConversionBaselines
from trajectory.calibration.binary import BinaryCalibration, fit_binary
from trajectory.data.pipeline.conversion_labels import asked, labels, stated
from trajectory.data.pipeline.featurize import slices
from trajectory.data.pipeline.splits import windows
from trajectory.metrics.auc import auc
from trajectory.metrics.reliability import calibration_error, event_pairs
from trajectory.metrics.significance import confidence_interval, user_weights
from trajectory.schema import Queries

CALIBRATED = "_calibrated"  # behind the name of a metric: of the calibrated probabilities


def conversion_metrics(probability: Any, label: Any) -> dict[str, float]:
    """AUC, accuracy at 0.5, log loss (nats) and expected calibration error of `probability` [n] against `label` [n]
    (0 / 1; -1 = unknown, left out).

    A metric that the labels do not define is NaN: AUC with one class only, all without labels. Raises ValueError if a
    probability is NaN or outside 0..1.
    """
    probability, label = np.asarray(probability, np.float64).ravel(), np.asarray(label).ravel()
    probability, label = probability[label >= 0], label[label >= 0]
    if not ((probability >= 0) & (probability <= 1)).all():
        raise ValueError("expected probabilities between 0 and 1, got others or NaN: pass probabilities, not logits")
    if not len(label):
        return dict.fromkeys(("auc", "accuracy", "log_loss", "calibration_error"), float("nan"))
    both = 0 < label.mean() < 1
    return {
        "auc": float(roc_auc_score(label, probability)) if both else float("nan"),
        "accuracy": float(((probability >= 0.5) == (label == 1)).mean()),
        "log_loss": float(log_loss(label, probability, labels=[0, 1])),
        "calibration_error": calibration_error(event_pairs(probability, label)),
    }


def evaluate(scorer: Any, experiment: Any, part: str, queries: Queries | None = None) -> dict[str, float]:
    """Metrics of a model's conversion head over the events of `part` (train, validation, test) with a known label.

    An event's label says whether a conversion follows. Of a temporal split the events of the window are asked for; of
    others the state after the last event before the held-out ones counts too. Where the log itself states labels, each
    held-out event's own is asked for. `queries`: see
    `conversion_queries`, the default.
    """
    queries = conversion_queries(experiment, part) if queries is None else queries
    first, _, _, label = events_asked(experiment, part, queries)
    return conversion_metrics(scorer.conversion(queries.start, first, queries.end), label)


def fit_calibration(scorer: Any, experiment: Any) -> BinaryCalibration | None:
    """What makes the head's probabilities mean what they say on validation; None where its labels are of one class."""
    queries = conversion_queries(experiment, "validation")
    first, _, _, label = events_asked(experiment, "validation", queries)
    if len(np.unique(label[label >= 0])) < 2:
        return None
    probability = scorer.conversion(queries.start, first, queries.end).astype(np.float64)
    return fit_binary(probability[label >= 0], label[label >= 0])


def evaluate_with_baselines(
    scorer: Any,
    experiment: Any,
    part: str,
    baselines: ConversionBaselines | None = None,
    calibration: BinaryCalibration | None = None,
) -> dict[str, Any]:
    """Metrics of the model and each baseline on the same events, their intervals over users, the model's lead in AUC.

    `baselines`: as fitted before, if they were. With a `calibration` that other events fitted, also what the calibrated
    probabilities reach, under names that end with CALIBRATED.

    Returns `metrics` {metric: value}, `baselines` {baseline: {metric: value}}, `confidence_intervals` of the model with
    those of the baselines under "baselines", `paired` {"auc": ...} against the baseline that is best at it (as in
    protocol.evaluate) and, where boosting is not, {"auc_boosting": ...} against it, and `events`: how many were asked
    for, how many have a label and how many convert. All but the last is empty where the labels are of one class:
    whoever states this class is always right.
    """
    c, queries = experiment.config, conversion_queries(experiment, part)
    first, row, event, label = events_asked(experiment, part, queries)
    known = label >= 0
    events = {
        "asked": int(asked(experiment.histories, c.conversion)[event].sum()),
        "labelled": int(known.sum()),
        "converting": int((label == 1).sum()),
    }
    if not 0 < events["converting"] < events["labelled"]:
        return {
            "metrics": {},
            "baselines": {},
            "confidence_intervals": {"baselines": {}},
            "paired": {},
            "events": events,
        }
    stated_by = {"": np.asarray(scorer.conversion(queries.start, first, queries.end), np.float64)[known]}
    baselines = baselines or ConversionBaselines.fit(experiment.histories, experiment.split, c.conversion, c.seed)
    stated_by |= baselines.probabilities(event[known])
    label, user = label[known], row[known]
    means = {name: conversion_metrics(probability, label) for name, probability in stated_by.items()}
    if calibration is not None:
        better = conversion_metrics(calibration.apply(stated_by[""]), label)
        means[""] |= {f"{name}{CALIBRATED}": better[name] for name in ("log_loss", "calibration_error")}
    results: dict[str, Any] = {
        "metrics": means.pop(""),
        "baselines": means,
        "confidence_intervals": {"baselines": {}},
        "paired": {},
        "events": events,
    }
    # Events of one user are alike, so users are resampled, each with all its events.
    weights = user_weights(user, c.evaluation.bootstrap, c.seed)
    # A resample with one class only ranks nothing: 0.5.
    areas = [{n: auc(label == 1, p, weight) for n, p in stated_by.items()} for weight in weights]
    aucs = {name: np.nan_to_num(np.concatenate([area[name] for area in areas]), nan=0.5) for name in stated_by}
    intervals = {name: {"auc": confidence_interval(values)._asdict()} for name, values in aucs.items()}
    results["confidence_intervals"] = intervals.pop("") | {"baselines": intervals}
    best = max(means, key=lambda name: np.nan_to_num(means[name]["auc"]))
    for name, baseline in {"auc_boosting": BOOSTING, "auc": best}.items():
        if (name, baseline) == ("auc_boosting", best):  # the same as "auc"
            continue
        lead = confidence_interval(aucs[""] - aucs[baseline])
        results["paired"][name] = {
            "baseline": baseline,
            "difference": results["metrics"]["auc"] - means[baseline]["auc"],
            "low": lead.low,
            "high": lead.high,
        }
    return results


def conversion_queries(experiment: Any, part: str) -> Queries:
    """Whose events are asked in "validation" or "test": of a temporal split all of the window, of every user with one.

    Those that the split asks for items would not do: the last events alone (split.target=last) are those that hardly
    anything follows, and users of whom something that is predicted came (data.target_types) are those who convert.
    """
    histories, split = experiment.histories, experiment.split
    if split.kind != "temporal" or stated(histories):
        return split.queries(part)
    whole = windows(histories, split, part)
    # With split.train_users only some users validate: those who train.
    chosen = (split.train_end > histories.offsets[:-1])[whole.user] | (part == "test")
    return Queries(*(column[chosen] for column in whole))


def events_asked(experiment: Any, part: str, queries: Queries) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """First event asked of each query (up to its end); of all of them in order: the query's number, event, label."""
    histories = experiment.histories
    known = experiment.split.train_end.copy()
    known[queries.user] = queries.end
    until = experiment.split.cut_time({"train": "validation", "validation": "test"}.get(part, ""))
    if part == "test" and experiment.split.kind == "temporal":
        until = int(histories.time.max())
    label = labels(histories, known, until, experiment.config.conversion)
    window = stated(histories) or experiment.split.kind == "temporal"
    first = queries.stop if window else queries.stop - 1
    row, event = slices(first, queries.end)
    return first, row, event, label[event]
