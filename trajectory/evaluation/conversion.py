"""Binary metrics of the conversion head, and the baselines that know only how often users convert."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import log_loss, roc_auc_score

from trajectory.data.pipeline.conversion_labels import labels
from trajectory.data.pipeline.featurize import slices
from trajectory.data.pipeline.splits import windows
from trajectory.metrics.auc import auc
from trajectory.metrics.significance import confidence_interval, user_weights
from trajectory.schema import Queries

MOST_COUNTED = 20  # conversions of a user; more are as good as this many


def conversion_metrics(probability: Any, label: Any) -> dict[str, float]:
    """AUC, accuracy at 0.5, log loss (nats) of `probability` [n] against `label` [n] (0 / 1; -1 = unknown, left out).

    A metric that the labels do not define is NaN: AUC with one class only, all three without labels. Raises
    ValueError if a probability is NaN or outside 0..1.
    """
    probability, label = np.asarray(probability, np.float64).ravel(), np.asarray(label).ravel()
    probability, label = probability[label >= 0], label[label >= 0]
    if not ((probability >= 0) & (probability <= 1)).all():
        raise ValueError("expected probabilities between 0 and 1, got others or NaN: pass probabilities, not logits")
    if not len(label):
        return {"auc": float("nan"), "accuracy": float("nan"), "log_loss": float("nan")}
    both = 0 < label.mean() < 1
    return {
        "auc": float(roc_auc_score(label, probability)) if both else float("nan"),
        "accuracy": float(((probability >= 0.5) == (label == 1)).mean()),
        "log_loss": float(log_loss(label, probability, labels=[0, 1])),
    }


def evaluate(scorer: Any, experiment: Any, part: str, queries: Queries | None = None) -> dict[str, float]:
    """Metrics of a model's conversion head over the events of `part` (train, validation, test) with a known label.

    An event's label says whether a conversion follows within the horizon, so the state after the last event before the
    held-out ones counts too; where the log itself states labels, each held-out event's own is asked for. Of `queries`
    the users are asked; of a temporal split all of their window (`_queries`).
    """
    queries = _queries(experiment, part, queries)
    first, _, _, label = _asked(experiment, part, queries)
    return conversion_metrics(scorer.conversion(queries.start, first, queries.end), label)


def evaluate_with_baselines(scorer: Any, experiment: Any, part: str) -> dict[str, Any]:
    """Metrics of the model and each baseline on the same events, their intervals over users, the model's lead in AUC.

    Returns `metrics` {metric: value}, `baselines` {baseline: {metric: value}}, `confidence_intervals` of the model with
    those of the baselines under "baselines", `paired` {"auc": ...} against the baseline that is best at it (as in
    protocol.evaluate), and `events`: how many were asked for, how many have a label and how many convert. All but the
    last is empty where the labels are of one class: whoever states this class is always right.
    """
    queries = _queries(experiment, part)
    first, row, event, label = _asked(experiment, part, queries)
    known = label >= 0
    events = {"asked": len(label), "labelled": int(known.sum()), "converting": int((label == 1).sum())}
    if not 0 < events["converting"] < events["labelled"]:
        return {
            "metrics": {},
            "baselines": {},
            "confidence_intervals": {"baselines": {}},
            "paired": {},
            "events": events,
        }
    stated = {"": scorer.conversion(queries.start, first, queries.end)}
    stated |= _baselines(experiment, queries.start[row], event)
    means = {name: conversion_metrics(probability, label) for name, probability in stated.items()}
    results: dict[str, Any] = {
        "metrics": means.pop(""),
        "baselines": means,
        "confidence_intervals": {"baselines": {}},
        "paired": {},
        "events": events,
    }
    # Events of one user are alike, so users are resampled, each with all its events.
    weights = user_weights(row[known], experiment.config.evaluation.bootstrap, experiment.config.seed)
    # A resample with one class only ranks nothing: 0.5.
    areas = [{n: auc(label[known] == 1, p[known], weight) for n, p in stated.items()} for weight in weights]
    aucs = {name: np.nan_to_num(np.concatenate([area[name] for area in areas]), nan=0.5) for name in stated}
    intervals = {name: {"auc": confidence_interval(values)._asdict()} for name, values in aucs.items()}
    results["confidence_intervals"] = intervals.pop("") | {"baselines": intervals}
    best = max(means, key=lambda name: np.nan_to_num(means[name]["auc"]))
    lead = confidence_interval(aucs[""] - aucs[best])
    results["paired"]["auc"] = {
        "baseline": best,
        "difference": results["metrics"]["auc"] - means[best]["auc"],
        "low": lead.low,
        "high": lead.high,
    }
    return results


def _baselines(experiment: Any, start: np.ndarray, event: np.ndarray) -> dict[str, np.ndarray]:
    """Probabilities [n] for always stating the training share, and for counting the user's conversions so far, after
    each `event` of the history that begins at `start`.

    Counting states the share of training events that convert among those with as many conversions before them.
    """
    known = labels(
        experiment.histories,
        experiment.split.train_end,
        experiment.split.cut_time("validation"),
        experiment.config.conversion,
    )
    trained = np.flatnonzero(known >= 0)
    offsets = experiment.histories.offsets
    began = offsets[np.searchsorted(offsets, trained, side="right") - 1]
    share = _share_by_count(_so_far(experiment, began, trained), known[trained])
    return {
        "base rate": np.full(len(event), known[trained].mean() if len(trained) else 0.5),
        "conversions so far": share[_so_far(experiment, start, event)],
    }


def _so_far(experiment: Any, start: np.ndarray, event: np.ndarray) -> np.ndarray:
    """Conversions int64 [n] of the history that begins at `start` when `event` has happened, at most MOST_COUNTED.

    Where the log states labels an event's own is what is asked, so it does not count yet; a purchase does.
    """
    histories = experiment.histories
    if (histories.label >= 0).any():
        total = np.append(0, np.cumsum(histories.label == 1))
        so_far = total[event] - total[start]
    else:
        total = histories.event_type_counts[:, histories.event_types.index(experiment.config.conversion.event_type)]
        so_far = total[event + 1] - total[start]
    return np.minimum(so_far, MOST_COUNTED)


def _share_by_count(count: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Share of conversions at each count [MOST_COUNTED + 1], with one event of the overall share added to each."""
    total, hit = (np.bincount(count, weights, MOST_COUNTED + 1) for weights in (None, label))
    overall = label.mean() if len(label) else 0.5
    return (hit + overall) / (total + 1)


def _queries(experiment: Any, part: str, of: Queries | None = None) -> Queries:
    """Of a temporal split all events of the window, of the users of `of`: the last ones alone (split.target=last) are
    those that hardly anything follows, so that few of them can convert.
    """
    queries = experiment.split.queries(part) if of is None else of
    if part == "train" or experiment.split.kind != "temporal" or (experiment.histories.label >= 0).any():
        return queries
    whole = windows(experiment.histories, experiment.split, part)
    chosen = np.isin(whole.user, queries.user)
    return Queries(*(column[chosen] for column in whole))


def _asked(experiment: Any, part: str, queries: Queries) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """First event asked of each query (up to its end); of all of them in order: the query's number, event, label."""
    histories = experiment.histories
    known = experiment.split.train_end.copy()
    known[queries.user] = queries.end
    until = experiment.split.cut_time({"train": "validation", "validation": "test"}.get(part, ""))
    if part == "test" and experiment.split.kind == "temporal":
        until = int(histories.time.max())
    label = labels(histories, known, until, experiment.config.conversion)
    first = queries.stop if (histories.label >= 0).any() else queries.stop - 1
    row, event = slices(first, queries.end)
    return first, row, event, label[event]
