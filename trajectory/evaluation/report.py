"""Everything that is reported of a trained run: ranking and conversion metrics, baselines, and the protocol."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from trajectory.baselines.conversion import ConversionBaselines
from trajectory.calibration.binary import BinaryCalibration
from trajectory.data.pipeline.splits import training_events
from trajectory.evaluation import conversion
from trajectory.evaluation.baseline_cache import baseline_results
from trajectory.evaluation.interest_choice import with_interest_forecast
from trajectory.evaluation.protocol import PARTS, confidence_intervals, evaluate, protocol, statement, table
from trajectory.inference.scorer import ModelScorer
from trajectory.metrics.ranking import Result
from trajectory.progress import progress
from trajectory.reading import NUMBER, NUMBER_OR_NONE, read_json
from trajectory.renamed import EVALUATION, with_evaluation
from trajectory.results.measured import Baselines, Evaluation
from trajectory.run import Run
from trajectory.run_card import write_card
from trajectory.schema import UserError
from trajectory.training.experiment import Experiment
from trajectory.training.logging import write_test
from trajectory.writing import write_json, write_parquet

AGAIN = "evaluate the run (tj.evaluate(run), or trajectory evaluate --workdir)"
NUMBERS = {str: NUMBER_OR_NONE}
BY_PART = dict.fromkeys(PARTS, NUMBERS)
INTERVALS = {str: NUMBERS}
BY_PART_INTERVALS = dict.fromkeys(PARTS, INTERVALS)
COUNTS = dict.fromkeys(PARTS, int)
FORM = {  # of evaluation.json, as far as others read it
    "metrics": BY_PART,
    "baselines": {str: BY_PART},
    "confidence_intervals": BY_PART_INTERVALS | {"baselines": {str: BY_PART_INTERVALS}},
    "conversion_calibration": {"checkpoint": str, "beta": dict.fromkeys("abcde", NUMBER)},
    "protocol": dict.fromkeys(("data", "fingerprint", "split", "guarantee", "checkpoint", "confidence_intervals"), str)
    | dict.fromkeys(("candidate_rule", "cold_rule", "ties"), str)
    | dict.fromkeys(("users", "targets", "cold_targets"), COUNTS)
    | {"candidates": int, "cutoffs": [int]},
}
STATED = ("data", "fingerprint", "split", "guarantee", "cutoffs", "confidence_intervals", "seed")
TABLED = (
    "confidence_intervals.test",
    "confidence_intervals.baselines",
    *(f"protocol.{name}" for name in STATED),
)  # what protocol.table reads


def evaluate_run(run: Run) -> tuple[dict[str, Any], pl.DataFrame]:
    """What evaluation.json and per_user.parquet hold, test measured once, with the best checkpoint.

    The layout of the first is that of protocol.evaluate, of the second that of `per_user`.
    """
    experiment, c = run.experiment, run.config
    scorer = ModelScorer(run.predictor())
    results = {part: Result({}, {}) for part in PARTS}
    facts = {"checkpoint": run.checkpoint, "backbone": c.model.backbone}
    if experiment.histories.interests:
        facts["interests"] = run.interests_are
    if c.heads.item:
        cold = cold_items(experiment)
        rows = baseline_results(experiment.histories, experiment.split, c, experiment.content, cold)
        evaluation, results = evaluate(scorer, rows, experiment.histories, experiment.split, c, cold=cold, **facts)
    else:
        evaluation = {name: {part: {} for part in PARTS} for name in ("metrics", "confidence_intervals", "paired")}
        evaluation |= {"baselines": {}, "confidence_intervals": evaluation["confidence_intervals"] | {"baselines": {}}}
        evaluation["protocol"] = protocol(experiment.histories, experiment.split, c, **facts)
    if c.heads.conversion:
        baselines = ConversionBaselines.fit(experiment.histories, experiment.split, c.conversion, c.seed)
        calibration = conversion.fit_calibration(scorer, experiment)
        if calibration:
            evaluation["conversion_calibration"] = {"checkpoint": run.checkpoint, "beta": calibration.to_dict()}
        for part in PARTS:
            fitted_elsewhere = calibration if part == "test" else None
            more = conversion.evaluate_with_baselines(scorer, experiment, part, baselines, fitted_elsewhere)
            _add(evaluation, part, more)
    return evaluation, per_user(experiment, results)


def evaluation_of(stored: dict[str, Any]) -> Evaluation:
    """The result that evaluation.json holds."""
    return Evaluation.of(measured_rows(stored), statement(stored["protocol"], "test"), table(stored))


def baselines_of(experiment: Experiment) -> Baselines:
    """What counting rules reach on each part, as an evaluation of a run says it."""
    c = experiment.config
    results = baseline_results(experiment.histories, experiment.split, c, experiment.content, cold_items(experiment))
    return Baselines.of(
        row
        for name, by_part in progress(results.items(), "resampling users", len(results))
        for part in PARTS
        for row in _rows(part, name, by_part[part].means(), confidence_intervals(by_part[part], c))
    )


def measured_rows(evaluation: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Rows of what evaluation.json holds, in the columns of `Evaluation`."""
    intervals = evaluation["confidence_intervals"]
    methods = {"ensemble" if "members" in evaluation else "model": (evaluation["metrics"], intervals)}
    for kind in ("members", "baselines"):
        methods |= {name: (by, intervals.get(kind, {}).get(name, {})) for name, by in evaluation.get(kind, {}).items()}
    for method, (by_part, of_method) in methods.items():
        for part in PARTS:
            yield from _rows(part, method, by_part[part], of_method.get(part, {}))


def _rows(
    part: str, method: str, means: dict[str, float], intervals: dict[str, dict[str, float]]
) -> Iterator[tuple[Any, ...]]:
    for metric, value in means.items():
        interval = intervals.get(metric, {})
        yield part, method, metric, value, *map(interval.get, ("standard_error", "low", "high"))


def cold_items(experiment: Experiment) -> np.ndarray | None:
    """Items [V + 1] without a training event, where something else is known of them or few users train."""
    c = experiment.config
    if experiment.content is None and "content" not in c.init.item_vectors and c.split.train_users == 1:
        return None
    h = experiment.histories
    seen = np.zeros(h.num_items + 1, bool)
    item = h.item[training_events(h, experiment.split)]
    seen[item[item <= h.num_items]] = True
    return ~seen


def write_evaluation(run: Run) -> dict[str, Any]:
    """Evaluates the run, writes per_user.parquet and evaluation.json into its folder, and returns the latter.

    What was measured on test goes to where training logged its metrics.
    """
    run = with_interest_forecast(run)
    evaluation = write_results(*evaluate_run(run), run.workdir)
    write_test(run.workdir, run.config, run.step, evaluation["metrics"]["test"])
    write_card(run.workdir)
    return evaluation


def write_results(evaluation: dict[str, Any], users: pl.DataFrame, folder: Path) -> dict[str, Any]:
    """Writes evaluation.json and per_user.parquet, and returns the former."""
    write_parquet(users, folder / "per_user.parquet")
    write_json(evaluation, folder / "evaluation.json")
    return evaluation


def read_evaluation(folder: Path, *needs: str) -> dict[str, Any]:
    """evaluation.json of a run that was evaluated, with what is named. Raises UserError if it is missing or damaged."""
    needs = ("metrics.test", "baselines", "protocol.users.test", *needs)
    return read_json(folder / "evaluation.json", FORM, AGAIN, *needs, renamed=with_evaluation)


def conversion_calibration(run: Run) -> BinaryCalibration | None:
    """How the evaluation of this run's checkpoint recalibrates conversions; None where there is none of it.

    Raises UserError if evaluation.json is damaged.
    """
    if not (run.workdir / "evaluation.json").exists():
        return None
    stored = read_evaluation(run.workdir).get("conversion_calibration")
    if not stored or stored["checkpoint"] != run.checkpoint:
        return None
    return BinaryCalibration.from_dict(stored["beta"])


def read_per_user(folder: Path) -> pl.DataFrame:
    """per_user.parquet of such a run. Raises UserError if it is missing or damaged."""
    path = folder / "per_user.parquet"
    try:
        stored = pl.read_parquet(path)
        stored = stored.rename({old: new for old, new in EVALUATION.items() if old in stored.columns})
        return stored.select(pl.col("part").cast(pl.String), pl.col("user"), pl.exclude("part", "user"))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UserError(f"{path} is missing or damaged ({str(error).splitlines()[0]}); {AGAIN}") from None


def per_user(experiment: Experiment, results: dict[str, Result]) -> pl.DataFrame:
    """Part, user and each ranking metric of `results` by part (null where a user does not count)."""

    def rows(part: str, result: Result) -> pl.DataFrame:
        user = experiment.histories.users["user"].gather(experiment.split.queries(part).user)
        columns = {name: pl.Series(values, nan_to_null=True) for name, values in result.per_user.items()}
        return pl.DataFrame({"part": [part] * len(user), "user": user, **columns})

    return pl.concat([rows(part, result) for part, result in results.items()], how="diagonal")


def _add(evaluation: dict[str, Any], part: str, more: dict[str, Any]) -> None:
    """Adds what is measured of the conversion head on one part, each metric under the head's name."""

    def named(values: dict[str, Any]) -> dict[str, Any]:
        return {f"conversion_{name}": value for name, value in values.items() if name != "baselines"}

    evaluation["metrics"][part] |= named(more["metrics"])
    evaluation["confidence_intervals"][part] |= named(more["confidence_intervals"])
    evaluation["paired"][part] |= named(more["paired"])
    evaluation["protocol"].setdefault("conversion_events", {})[part] = more["events"]
    for baseline, values in more["baselines"].items():
        evaluation["baselines"].setdefault(baseline, {})[part] = named(values)
    for baseline, values in more["confidence_intervals"]["baselines"].items():
        evaluation["confidence_intervals"]["baselines"].setdefault(baseline, {})[part] = named(values)
