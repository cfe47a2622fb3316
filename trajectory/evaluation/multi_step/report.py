"""Several steps ahead: a run beside the floors at each step, with spread, paired tests and the protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from trajectory.baselines.multi_step import Calibrated, horizon_floors
from trajectory.baselines.user_item_frequency import overall_rates
from trajectory.calibration.per_step import CalibratedForecaster, fit_steps
from trajectory.data.pipeline.splits import training_events
from trajectory.evaluation.event_sequences import evaluate_sequences
from trajectory.evaluation.multi_step.baseline_sets import floor_sets
from trajectory.evaluation.multi_step.metrics import evaluate_ahead
from trajectory.evaluation.multi_step.reliability import reliability
from trajectory.evaluation.multi_step.reliability import table as reliability_table
from trajectory.evaluation.multi_step.timing import ForecastTimes, evaluate_times
from trajectory.evaluation.protocol import PARTS, protocol
from trajectory.evaluation.reach import reach_sentence
from trajectory.metrics.significance import bootstrap, compare, holm
from trajectory.protocols import Forecaster, StepForecast, UncalibratedForecast
from trajectory.run import Run
from trajectory.schema import Histories, Split, UserError
from trajectory.writing import write_json

CUTOFFS = (5, 10)
PAIRED = ("hr@5", "recall@10", "ndcg@10", "within_recall@10", "within_ndcg@10", "nll")
LOWER_IS_BETTER = ("nll",)
LABELS = 400  # most items whose sequences are compared
TIME_SHOWN = ("median_error_days", "mean_error_days", "nll", "coverage_80")
SHOWN = ("ndcg@10", "recall@10", "hr@5", "within_ndcg@10", "nll")


def evaluate_steps(
    forecasters: Sequence[Forecaster[StepForecast]],
    histories: Histories,
    split: Split,
    config: ConfigDict,
    **facts: Any,
) -> dict[str, Any]:
    """What trajectories.json holds: forecasters and floors at each of the steps that a leave_last split holds out.

    The first forecaster is the one that is compared with the floors. Numbers and text only: `steps`, `unit`,
    `means` {name: {part: {metric: [H]}}}, `errors` (standard errors over users, alike), `paired` {part: {metric: [H]
    tests against the floor that is best there}} with p-values adjusted by Holm over the steps, `sequences` (test, see
    `evaluate_sequences`; absent for large catalogues and where the first forecaster is not timed), `floor_sets` (see
    there; of the floor that is likeliest at the step on validation), `times` (see `evaluate_times`; absent where the
    first forecaster is not timed) and `protocol`. A floor's likelihood is that of its calibrated distribution (see
    `Calibrated`). Raises UserError for another split.
    """
    _require_held_out(split)
    steps, e = config.split.steps, config.evaluation
    rows: dict[str, dict[str, dict[str, np.ndarray]]] = {part: {} for part in PARTS}
    for part in PARTS:
        for forecaster in forecasters:
            found = evaluate_ahead(forecaster, histories, split.queries(part), e, steps, CUTOFFS)
            rows[part][forecaster.name] = found
    chances: dict[str, Calibrated] = {}
    for floor in horizon_floors(histories, split, config, steps):
        calibrated = Calibrated(floor).fit(histories, split.validation, e)
        chances[floor.name] = calibrated
        for part in PARTS:
            found = evaluate_ahead(calibrated, histories, split.queries(part), e, steps, CUTOFFS)
            rows[part][floor.name] = found
    names = [forecaster.name for forecaster in forecasters]
    floors = list(chances)
    stated = protocol(histories, split, config, **facts)
    times = {}
    if forecasters[0].timed:
        times = {"times": evaluate_times(ForecastTimes(forecasters[0]), histories, split, config, PARTS)}
        if histories.num_items <= LABELS:
            options = {"steps": steps, "resamples": e.bootstrap, "seed": config.seed}
            times["sequences"] = evaluate_sequences(
                forecasters[0], [*chances.values()], histories, split, PARTS[1], **options
            )
    surprise = np.stack([np.nanmean(rows[PARTS[0]][name]["nll"], axis=0) for name in floors])
    best = [floors[i] for i in surprise.argmin(axis=0)]
    stated["floor_likelihood"] = "each floor mixed with popularity by shares fitted on validation, for each step"
    return {
        "steps": steps,
        "unit": "basket" if histories.baskets else "event",
        "forecasters": names,
        "floors": floors,
        "means": _by_name(rows, names + floors, lambda x: np.nanmean(x, axis=0)),
        "errors": _by_name(rows, names + floors, lambda x: bootstrap(x, e.bootstrap, config.seed).standard_error),
        **times,
        "floor_sets": floor_sets(chances, best, histories, split, config.seed),
        "paired": {part: _paired(rows[part], names[0], floors, config) for part in PARTS},
        "protocol": stated,
    }


def _require_held_out(split: Split) -> None:
    if split.kind != "leave_last":
        raise UserError(
            f"steps ahead are measured where the last H steps were held out: split.kind=leave_last, not {split.kind}"
        )


def write_steps(run: Run, forecasters: Sequence[Forecaster[UncalibratedForecast]]) -> dict[str, Any]:
    """Calibrates a run's first forecaster on validation, measures all on validation and, once, on test.

    Writes calibration.json (of direct forecasts), trajectories.json (see `evaluate_steps`; `reliability` is of the
    first one) and reliability.png into the run's folder; returns trajectories.json.
    """
    task, c = run.task, run.config
    histories, split, steps = task.histories, task.split, c.split.steps
    _require_held_out(split)  # before what is fitted on it
    facts = {"checkpoint": run.checkpoint, "backbone": c.model.backbone}
    overall = overall_rates(histories, training_events(histories, split))
    calibration = fit_steps(forecasters[0], histories, split.validation, steps, overall, c.seed)
    honest = CalibratedForecaster(forecasters[0], calibration, histories)
    found = evaluate_steps([honest, *forecasters], histories, split, c, **facts)
    picture = run.workdir / "reliability.png"
    found["reliability"] = reliability(forecasters[0], calibration, histories, split.test, steps, picture)
    if forecasters[0].name == "direct":  # what later forecasts of the run are made of
        calibration.write(run.workdir / "calibration.json", run.checkpoint)
    write_json(found, run.workdir / "trajectories.json")
    return found


def table(found: dict[str, Any], part: str = "test") -> str:
    """Markdown tables by step of the main measures on `part`, with the lead over the best floor of each step."""
    head = found["forecasters"][0]
    users = found["protocol"]["users"][part]
    lines, steps = [], [f"{found['unit']} {h + 1}" for h in range(found["steps"])]
    for metric in SHOWN:
        lines += [f"{metric}, {part}, {users:,} users", "", "| | " + " | ".join(steps) + " |"]
        lines.append("|---|" + "--:|" * found["steps"])
        for name in (*found["forecasters"], *found["floors"]):
            values = found["means"][name][part].get(metric)
            if values:
                lines.append(f"| {name} | " + " | ".join(f"{value:.4f}" for value in values) + " |")
        tests = found["paired"][part].get(metric)
        if tests:
            cells = [f"{t['difference']:+.4f} (p {t['p_value']:.2g})" for t in tests]
            lines.append(f"| **{head} - best floor** | " + " | ".join(cells) + " |")
        lines.append("")
    for measure in TIME_SHOWN if "times" in found else ():
        lines += [f"{measure}, {part}", "", "| | " + " | ".join(steps) + " |", "|---|" + "--:|" * found["steps"]]
        for name, by in found["times"].items():
            lines.append(f"| {name} | " + " | ".join(f"{value:.3f}" for value in by[part][measure]) + " |")
        lines.append("")
    if "sequences" in found and part == "test":
        lines += _sequences(found["sequences"])
    if "reliability" in found and part == "test":
        lines.append(reliability_table(found["reliability"], found["floor_sets"], found["unit"]))
    facts = found["protocol"]
    lines += [
        f"- split {facts['split']}: {facts['guarantee']}",
        f"- {facts['targets'][part]:,} targets, of which {facts['cold_targets'][part]:,} cold"
        + reach_sentence(facts, part),
        f"- p-values: paired randomisation test over users, adjusted over the {found['steps']} steps (Holm)",
        f"- nll: nats of a step's distinct items; floors: {facts['floor_likelihood']}",
    ]
    return "\n".join(lines)


def _sequences(found: dict[str, Any]) -> list[str]:
    lines = [
        f"sequences of {found['horizon_days']:.1f} days, a unit is {found['unit_days']:.1f} days; "
        f"{found['cut']:.0%} of users have fewer held-out days",
        "",
        "| | OTD (units) | T-mAP | T-mAP, weighted |",
        "|---|--:|--:|--:|",
    ]
    for name, row in found["rows"].items():
        lines.append(
            f"| {name} | {row['otd']:.3f} ± {row['otd_error']:.3f} | {row['t_map']:.4f} | {row['t_map_weighted']:.4f} |"
        )
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
    rows: dict[str, dict[str, np.ndarray]], name: str, floors: list[str], config: ConfigDict
) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for metric in PAIRED:
        sign = -1 if metric in LOWER_IS_BETTER else 1
        own = rows[name][metric]
        tests: list[dict[str, Any]] = []
        for h in range(own.shape[1]):
            means = {floor: sign * float(np.nanmean(rows[floor][metric][:, h])) for floor in floors}
            best = max(means, key=means.__getitem__)
            test = compare(own[:, h], rows[best][metric][:, h], config.evaluation.bootstrap, config.seed)
            tests.append({"floor": best, **test})
        for test, p in zip(tests, holm([test["p_value"] for test in tests]), strict=True):
            test["p_value"] = float(p)
        found[metric] = tests
    return found
