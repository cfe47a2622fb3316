"""Multi-step forecasts of a run compared with baselines: standard errors, paired tests and the protocol, by step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from trajectory.baselines.multi_step import Calibrated, multi_step_baselines
from trajectory.baselines.user_item_frequency import overall_rates
from trajectory.calibration.per_step import CalibratedForecaster, fit_steps
from trajectory.data.pipeline.splits import training_events
from trajectory.evaluation.event_sequences import evaluate_sequences
from trajectory.evaluation.multi_step.baseline_sets import baseline_sets
from trajectory.evaluation.multi_step.metrics import evaluate_multi_step
from trajectory.evaluation.multi_step.reliability import reliability
from trajectory.evaluation.multi_step.reliability import table as reliability_table
from trajectory.evaluation.multi_step.timing import ForecastTimes, evaluate_times
from trajectory.evaluation.protocol import PARTS, protocol
from trajectory.evaluation.reach import reach_sentence
from trajectory.inference.multi_step import require_held_out
from trajectory.metrics.significance import bootstrap, compare, holm
from trajectory.protocols import Forecaster, StepForecast, StepScores, UncalibratedForecast
from trajectory.reading import NUMBER, read_json
from trajectory.renamed import with_evaluation
from trajectory.run import Run
from trajectory.run_card import write_card
from trajectory.schema import Histories, Split
from trajectory.writing import write_json

FILE = "trajectories.json"
AGAIN = "evaluate the run's steps again (trajectory evaluate --multi-step=direct)"
TEST = {"baseline": str, "high": NUMBER}
FORM = {  # as far as others read it
    "unit": str,
    "paired": {"test": {str: [TEST]}},
    "protocol": {"checkpoint": str},
}
CUTOFFS = (5, 10)
PAIRED = ("hr@5", "recall@10", "ndcg@10", "within_recall@10", "within_ndcg@10", "log_loss")
LOWER_IS_BETTER = ("log_loss",)
LABELS = 400  # most items whose sequences are compared
TIME_SHOWN = ("median_error_days", "mean_error_days", "log_loss", "coverage_80")
SHOWN = ("ndcg@10", "recall@10", "hr@5", "within_ndcg@10", "log_loss")


def evaluate_steps(
    forecasters: Sequence[Forecaster[StepForecast]],
    histories: Histories,
    split: Split,
    config: ConfigDict,
    **facts: Any,
) -> dict[str, Any]:
    """What trajectories.json holds: forecasters and baselines at each of the steps that a leave_last split holds out.

    The first forecaster is compared with the baselines. Numbers and text only: `steps`, `unit`, `means` {name: {part:
    {metric: [H]}}}, `standard_errors` (over users, alike), `paired` {part: {metric: [H] tests against the
    baseline that is best there}} with p-values adjusted by Holm over the steps (`least_p_value`: the smallest that so
    many resamples can give), `sequences` (test, see
    `evaluate_sequences`; absent for large catalogues and where the first forecaster is not timed), `baseline_sets` (see
    there; of the baseline with the least negative log-likelihood of the step on validation), `times` (see
    `evaluate_times`; absent where the first forecaster is not timed) and `protocol`. A baseline's likelihood is that of
    its calibrated distribution (see `Calibrated`). Raises UserError for another split.
    """
    require_held_out(split.kind)
    steps, e = config.split.steps, config.evaluation
    rows: dict[str, dict[str, dict[str, np.ndarray]]] = {part: {} for part in PARTS}

    def measure(forecaster: Forecaster[StepScores]) -> None:
        for part in PARTS:
            queries = split.queries(part)
            rows[part][forecaster.name] = evaluate_multi_step(forecaster, histories, queries, e, steps, CUTOFFS)

    for forecaster in forecasters:
        measure(forecaster)
    counted: dict[str, Calibrated] = {}
    for baseline in multi_step_baselines(histories, split, config, steps):
        counted[baseline.name] = Calibrated(baseline).fit(histories, split.validation, e)
        measure(counted[baseline.name])
    names, baselines = [forecaster.name for forecaster in forecasters], list(counted)
    stated = protocol(histories, split, config, **facts)
    times = {}
    if forecasters[0].timed:
        times = {"times": evaluate_times(ForecastTimes(forecasters[0]), histories, split, config, PARTS)}
        if histories.num_items <= LABELS:
            options = {"steps": steps, "resamples": e.bootstrap, "seed": config.seed}
            times["sequences"] = evaluate_sequences(
                forecasters[0], [*counted.values()], histories, split, PARTS[1], **options
            )

    def standard_error(values: np.ndarray) -> np.ndarray:
        return bootstrap(values, e.bootstrap, config.seed).standard_error

    log_loss = np.stack([np.nanmean(rows[PARTS[0]][name]["log_loss"], axis=0) for name in baselines])
    best = [baselines[i] for i in log_loss.argmin(axis=0)]
    stated["baseline_likelihood"] = "each baseline mixed with popularity by shares fitted on validation, for each step"
    return {
        "steps": steps,
        "unit": histories.step_unit,
        "forecasters": names,
        "baselines": baselines,
        "means": _by_name(rows, names + baselines, lambda x: np.nanmean(x, axis=0)),
        "standard_errors": _by_name(rows, names + baselines, standard_error),
        **times,
        "baseline_sets": baseline_sets(counted, best, histories, split, config.seed),
        "paired": {part: _paired(rows[part], names[0], baselines, config) for part in PARTS},
        "least_p_value": min(steps / (e.bootstrap + 1), 1.0),
        "protocol": stated,
    }


def write_steps(run: Run, forecasters: Sequence[Forecaster[UncalibratedForecast]]) -> dict[str, Any]:
    """Calibrates a run's first forecaster on validation, measures all on validation and, once, on test.

    Writes calibration.json (of direct forecasts), trajectories.json (see `evaluate_steps`; `reliability` is of the
    first one) and reliability.png into the run's folder; returns trajectories.json.
    """
    experiment, c = run.experiment, run.config
    histories, split, steps = experiment.histories, experiment.split, c.split.steps
    require_held_out(split.kind)  # before what is fitted on it
    facts = {"checkpoint": run.checkpoint, "backbone": c.model.backbone}
    overall = overall_rates(histories, training_events(histories, split))
    calibration = fit_steps(forecasters[0], histories, split.validation, steps, overall, c.seed)
    calibrated = CalibratedForecaster(forecasters[0], calibration, histories)
    results = evaluate_steps([calibrated, *forecasters], histories, split, c, **facts)
    picture = run.workdir / "reliability.png"
    results["reliability"] = reliability(forecasters[0], calibration, histories, split.test, steps, picture)
    if forecasters[0].name == "direct":  # what later forecasts of the run are made of
        calibration.write(run.workdir, run.checkpoint)
        vars(run)["calibration"] = (calibration, run.checkpoint)
    write_json(results, run.workdir / FILE)
    write_card(run.workdir)
    return results


def read_steps_measured(folder: Path) -> dict[str, Any]:
    """trajectories.json of a run that `write_steps` measured. Raises UserError if it is missing or damaged."""
    needs = ("unit", "paired.test", "protocol.checkpoint")
    return read_json(folder / FILE, FORM, AGAIN, *needs, renamed=with_evaluation)


def table(results: dict[str, Any], part: str = "test") -> str:
    """Markdown tables by step of the main measures on `part`, with the lead over the best baseline of each step."""
    head = results["forecasters"][0]
    users = results["protocol"]["users"][part]
    lines, steps = [], [f"{results['unit']} {h + 1}" for h in range(results["steps"])]
    for metric in SHOWN:
        lines += [f"{metric}, {part}, {users:,} users", "", "| | " + " | ".join(steps) + " |"]
        lines.append("|---|" + "--:|" * results["steps"])
        for name in (*results["forecasters"], *results["baselines"]):
            values = results["means"][name][part].get(metric)
            if values:
                lines.append(f"| {name} | " + " | ".join(f"{value:.4f}" for value in values) + " |")
        tests = results["paired"][part].get(metric)
        if tests:
            cells = [f"{t['difference']:+.4f} (p {t['p_value']:.2g})" for t in tests]
            lines.append(f"| **{head} - best baseline** | " + " | ".join(cells) + " |")
        lines.append("")
    for measure in TIME_SHOWN if "times" in results else ():
        lines += [f"time: {measure}, {part}", "", "| | " + " | ".join(steps) + " |"]
        lines.append("|---|" + "--:|" * results["steps"])
        for name, by in results["times"].items():
            lines.append(f"| {name} | " + " | ".join(f"{value:.3f}" for value in by[part][measure]) + " |")
        lines.append("")
    if "sequences" in results and part == "test":
        lines += _sequences(results["sequences"])
    if "reliability" in results and part == "test":
        lines.append(reliability_table(results["reliability"], results["baseline_sets"], results["unit"]))
    return "\n".join([*lines, *(f"- {line}" for line in stated(results, part))])


def stated(results: dict[str, Any], part: str = "test") -> list[str]:
    """What a reader must know of the numbers on `part`, in sentences."""
    facts = results["protocol"]
    return [
        f"split {facts['split']}: {facts['guarantee']}",
        *([facts["predicted"]] if facts.get("predicted") else []),
        f"{facts['targets'][part]:,} targets, of which {facts['cold_targets'][part]:,} cold"
        + reach_sentence(facts, part),
        f"p-values: paired randomisation test over users, adjusted over the {results['steps']} steps (Holm); "
        f"none can be below {results['least_p_value']:.2g} here, as resamples are limited (evaluation.bootstrap)",
        f"log_loss: nats of a step's distinct items; baselines: {facts['baseline_likelihood']}",
    ]


def _sequences(results: dict[str, Any]) -> list[str]:
    lines = [
        f"the next {results['horizon_days']:.1f} days as one sequence of timed items; the mean time between steps is "
        f"{results['unit_days']:.1f} days; {results['cut']:.0%} of users were observed for fewer days than these",
        "",
        "| | OTD (mean times between steps) | T-mAP | T-mAP, weighted |",
        "|---|--:|--:|--:|",
    ]
    for name, row in results["rows"].items():
        otd = f"{row['otd']:.3f} ± {row['otd_standard_error']:.3f}"
        lines.append(f"| {name} | {otd} | {row['t_map']:.4f} | {row['t_map_weighted']:.4f} |")
    return [*lines, ""]


def _by_name(rows: dict[str, Any], names: list[str], reduce: Any) -> dict[str, Any]:
    return {
        name: {
            part: {metric: np.asarray(reduce(values)).tolist() for metric, values in rows[part][name].items()}
            for part in PARTS
        }
        for name in names
    }


def _paired(
    rows: dict[str, dict[str, np.ndarray]], name: str, baselines: list[str], config: ConfigDict
) -> dict[str, list[dict[str, Any]]]:
    paired: dict[str, list[dict[str, Any]]] = {}
    for metric in PAIRED:
        sign = -1 if metric in LOWER_IS_BETTER else 1
        own = rows[name][metric]
        tests: list[dict[str, Any]] = []
        for h in range(own.shape[1]):
            means = {other: sign * float(np.nanmean(rows[other][metric][:, h])) for other in baselines}
            best = max(means, key=means.__getitem__)
            test = compare(own[:, h], rows[best][metric][:, h], config.evaluation.bootstrap, config.seed)
            tests.append({"baseline": best, **test})
        for test, p in zip(tests, holm([test["p_value"] for test in tests]), strict=True):
            test["p_value"] = float(p)
        paired[metric] = tests
    return paired
