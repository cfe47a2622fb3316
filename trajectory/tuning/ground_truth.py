"""Whether attributions find planted causes: a log, a run, and explanations of other users."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import polars as pl

from trajectory import hints
from trajectory.data.simulate.synthetic import Synthetic, write
from trajectory.explain import ground_truth_table
from trajectory.explain.comparison import METHODS
from trajectory.explain.ground_truth import find_causes, read_planted
from trajectory.inference.new_users import read_histories
from trajectory.reading import read_json
from trajectory.run import Run, load_run
from trajectory.schema import Histories, UserError
from trajectory.training import parallel
from trajectory.tuning import sweep
from trajectory.tuning.members import Member, Sweep
from trajectory.writing import write_csv, write_text

EFFECT = "probability of the target after its trigger"
LAG, DISTRACTORS = "longest lag (events)", "distractors beside it"
# Values, and how many times the users make about as many causes as at the first value.
VARIED: dict[str, dict[float, float]] = {
    EFFECT: {0.6: 1, 0.3: 1, 0.15: 1, 0.08: 1},
    LAG: {5: 1, 10: 1.75, 20: 3.55},
    DISTRACTORS: {1: 1, 2: 1.6, 4: 4.1},
}
Point = tuple[str, float]  # what is varied, and its value


class GroundTruth(NamedTuple):
    """What is compared on which logs."""

    users: int = 2000  # of the default log
    vary: bool = False  # also weaker causes, longer lags and more distractors
    model: str = "gru"  # backbone
    methods: Sequence[str] = METHODS
    forecasts: int = 512  # explained of each log, drawn
    settings: Sequence[str] = ()  # fields of all runs, "train.epochs=2"
    seed: int = 0  # of the logs, the other ones' is the next, and of the runs


def compare(experiment: GroundTruth, out: Path, workers: int = 1) -> str:
    """Makes logs and runs that are missing, explains, and writes ground_truth.csv, .md (also returned) and .png.

    Raises UserError where logs of other numbers lie in `out`.
    """
    logs = _logs(experiment, out)
    members = {log: Member({"data.source": str(out / "logs" / log)}) for log in dict.fromkeys(logs.values())}
    runs = sweep.plan(
        f"synthetic:model={experiment.model}", Sweep("default", members), [experiment.seed], experiment.settings, out
    )
    sweep.make_all(runs, workers)
    parallel.start()
    rows = {run.member: _explain(run, experiment, out) for run in runs}
    table = pl.DataFrame(
        {"log": f"{name} {value:g}", "varied": name, "value": float(value), **row}
        for (name, value), log in logs.items()
        for row in rows[log]
    )
    write_csv(table, out / "ground_truth.csv")
    ground_truth_table.draw(table, out / "ground_truth.png")
    text = ground_truth_table.markdown(table)
    write_text(f"{text}\n", out / "ground_truth.md")
    return text


def _logs(experiment: GroundTruth, out: Path) -> dict[Point, str]:
    """The log of each point, written where it is missing, with another one of the same kind beside it."""
    points = [(name, value) for name, values in VARIED.items() for value in values]
    logs = {}
    for point in points if experiment.vary else points[:1]:
        given = _parameters(experiment.users, *point)
        synthetic = Synthetic(**given)
        is_default = synthetic == Synthetic(users=experiment.users)
        logs[point] = "default" if is_default else f"{list(VARIED).index(point[0])}_{point[1]:g}"
        write_pair(partial(write, synthetic), given, out / "logs" / logs[point], experiment.seed)
    return logs


def write_pair(write: Callable[[Path, int], Any], given: Mapping[str, Any], folder: Path, seed: int) -> None:
    """Calls `write` with the folder and the seed of a log that is missing, and of another one of the same kind beside
    it, `_other`, of the next seed.

    Raises UserError where a log lies there that was not made with the parameters `given`.
    """
    for number, name in ((seed, folder.name), (seed + 1, f"{folder.name}_other")):
        log = folder.with_name(name)
        written = log / "truth" / "parameters.json"  # the last file of a log
        if not written.exists():
            write(log, number)
        elif not {**given, "seed": number}.items() <= read_json(written, {str: object}, "remove that log").items():
            raise UserError(f"{log} was made with other numbers; choose another {hints.argument('out')}")


def _parameters(users: int, name: str, value: float) -> dict[str, Any]:
    """What a log is made with: longer lags need longer blocks, more distractors larger baskets."""
    given: dict[str, Any] = {"users": round(users * VARIED[name][value])}
    if name == EFFECT:
        return given | {"probability_with": value}
    if name == LAG:
        return given | {"reach": int(value), "spacing": int(value) + 3}
    return given | {"distractors": int(value), "basket_size": 8}


def _explain(made: sweep.SweepRun, experiment: GroundTruth, out: Path) -> list[dict[str, Any]]:
    """How well causes are found in the other log, of users whom the run has never seen."""
    run, other, histories = load_with_other(made, out)
    rows = find_causes(run, histories, read_planted(other, histories), experiment.methods, experiment.forecasts)
    jax.clear_caches()  # nothing of it is used again, and a process may map only so much
    return rows


def load_with_other(made: sweep.SweepRun, out: Path) -> tuple[Run, Path, Histories]:
    """A run, the folder of the log beside its own, and that log's histories, of users whom the run has never seen."""
    run, other = load_run(made.folder), out / "logs" / f"{made.member}_other"
    return run, other, read_histories(other / "interactions.parquet", run.vocabulary)[0]
