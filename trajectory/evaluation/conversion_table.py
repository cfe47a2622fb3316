"""Conversions measured on test: backbones beside boosting, how many users its lead needs to show, and, of a made-up
shop, how near to the best that is possible.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from trajectory.baselines.conversion import BOOSTING, ConversionBaselines
from trajectory.evaluation.conversion import (
    conversion_metrics,
    conversion_queries,
    evaluate,
    events_asked,
    fit_calibration,
)
from trajectory.evaluation.shop_conversions import best_possible
from trajectory.inference.scorer import ModelScorer
from trajectory.metrics.auc import auc
from trajectory.metrics.significance import confidence_interval, user_weights
from trajectory.reading import read_json
from trajectory.run import Run

BEST = "best possible"


def rows_of_unit(runs: dict[str, list[Run]], shop: Path | None = None) -> Iterable[dict[str, Any]]:
    """Rows of the table of one unit: each backbone, the mean over its runs (seeds), and the baselines.

    `runs`: of each backbone, on one log, split and unit; `shop`: folder of the made-up shop that the log is of. The
    lead over boosting is that of the mean AUC over seeds, with its interval over users. `users_needed`: at as large a
    lead, how many users it takes until the interval excludes 0, an estimate: its width falls with their root.
    """
    run = next(iter(runs.values()))[0]
    experiment, c = run.experiment, run.config
    queries = conversion_queries(experiment, "test")
    first, row, event, label = events_asked(experiment, "test", queries)
    known = label >= 0
    user, event, outcome = row[known], event[known], label[known]
    baselines = ConversionBaselines.fit(experiment.histories, experiment.split, c.conversion, c.seed)
    weights = list(user_weights(user, c.evaluation.bootstrap, c.seed))

    def resampled(probability: np.ndarray) -> np.ndarray:
        return np.nan_to_num(np.concatenate([auc(outcome == 1, probability, w) for w in weights]), nan=0.5)

    stated = baselines.probabilities(event)
    if shop is not None and c.conversion.unit != "user":
        truth, parameters = (
            pl.read_parquet(shop / "truth" / "events.parquet"),
            read_json(shop / "truth" / "parameters.json", {}, "synthesize the shop"),
        )
        stated[BEST] = best_possible(experiment.histories, event, truth, parameters, c.conversion.unit)
    boosted, users = resampled(stated[BOOSTING]), len(np.unique(user))
    facts = {"unit": c.conversion.unit, "users": users, "events": len(event), "converting": int(outcome.sum())}
    for backbone, of_seeds in runs.items():
        metrics, areas = [], []
        for each in of_seeds:
            scorer = ModelScorer(each.predictor())
            probability = scorer.conversion(queries.start, first, queries.end)[known].astype(np.float64)
            calibration = fit_calibration(scorer, each.experiment)
            found = conversion_metrics(probability, outcome) | {
                "validation_auc": evaluate(scorer, each.experiment, "validation")["auc"]
            }
            if calibration is not None:
                found["calibrated"] = conversion_metrics(calibration.apply(probability), outcome)["calibration_error"]
            metrics.append(found)
            areas.append(resampled(probability))
        interval = confidence_interval(np.mean(areas, axis=0) - boosted)
        lead = float(np.mean([m["auc"] for m in metrics])) - conversion_metrics(stated[BOOSTING], outcome)["auc"]
        half = float(interval.high - interval.low) / 2
        yield {
            **facts,
            "method": backbone,
            **{name: float(np.mean([m[name] for m in metrics])) for name in metrics[0]},
            "auc_deviation": float(np.std([m["auc"] for m in metrics], ddof=1)) if len(metrics) > 1 else None,
            "lead": lead,
            "lead_low": float(interval.low),
            "lead_high": float(interval.high),
            "users_needed": round(users * (half / lead) ** 2) if lead > 0 else None,
        }
    for name, probability in stated.items():
        yield {**facts, "method": name, **conversion_metrics(probability, outcome)}


def markdown(rows: list[dict[str, Any]]) -> str:
    """The rows as a Markdown table."""
    lines = [
        "| unit | method | validation AUC | test AUC | log-loss | calibration error (calibrated) | "
        "lead in AUC over boosting | users until it shows |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        spread = "" if row.get("auc_deviation") is None else f" ± {row['auc_deviation']:.3f}"
        error = f"{row['calibration_error']:.3f}" + (f" ({row['calibrated']:.3f})" if "calibrated" in row else "")
        lead = f"{row['lead']:+.3f} ({row['lead_low']:+.3f} to {row['lead_high']:+.3f})" if "lead" in row else ""
        needed = "" if not row.get("users_needed") else f"{row['users_needed']:,}"
        if "lead" in row and not needed:
            needed = "it is behind"
        validation = f"{row['validation_auc']:.3f}" if "validation_auc" in row else ""
        lines.append(
            f"| {row['unit']} | {row['method']} | {validation} | {row['auc']:.3f}{spread} | {row['log_loss']:.3f} | "
            f"{error} | {lead} | {needed} |"
        )
    return "\n".join(lines)
