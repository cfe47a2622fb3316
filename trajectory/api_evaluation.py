"""How well runs and counting rules predict, each in one call; `trajectory` exports it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, overload

from ml_collections import ConfigDict

from trajectory.api import config_of, prepare
from trajectory.expected import Combination, MultiStep, a_folder, one_of, several
from trajectory.results.measured import Baselines, Comparison, Evaluation, StepEvaluation
from trajectory.results.prepared import Prepared
from trajectory.run import Run, load_run
from trajectory.schema import UserError

if TYPE_CHECKING:
    from trajectory.data.ingest.source.data_frames import Log


@overload
def evaluate(run: Run | Path | str) -> Evaluation: ...
@overload
def evaluate(
    run: Run | Path | str | Sequence[Run | Path | str], *, multi_step: MultiStep | Sequence[MultiStep]
) -> StepEvaluation: ...
def evaluate(
    run: Run | Path | str | Sequence[Run | Path | str], *, multi_step: MultiStep | Sequence[MultiStep] = ()
) -> Evaluation | StepEvaluation:
    """Measures a run's best checkpoint on validation and test, compared with baselines, and keeps it in its folder.

    Args:
      run: a run or its folder; with `multi_step` also several, which are measured one by one and put together as seeds.
      multi_step: "direct" (of a run with heads.horizon > 1), "sampled" or both: measures each of the steps that
        split.kind=leave_last held out instead. The first of them is calibrated on validation: direct forecasts of the
        run, opened again, then are.

    Returns the metrics, in the shares and nats that their names say, of the run and of each baseline. `notes` is the
    protocol.

    Raises UserError where the run's log is not here, or does not fit `multi_step`.

    Example:
      >>> evaluation = tj.evaluate(run)
      >>> evaluation.frame.filter(part="test", metric="ndcg@10")["method"].head(2).to_list()
      ['model', 'popularity']
    """
    from trajectory.evaluation.interest_choice import with_interest_forecast
    from trajectory.evaluation.multi_step.report import write_steps
    from trajectory.evaluation.multi_step.seeds import measured
    from trajectory.evaluation.report import evaluation_of, write_evaluation
    from trajectory.inference.multi_step import forecasters

    runs = [run] if isinstance(run, Run | Path | str) else run
    names = [multi_step] if isinstance(multi_step, str) else multi_step
    for name in names:
        one_of("multi_step", name, MultiStep)
    if names:
        opened = [with_interest_forecast(_opened(one)) for one in runs]
        return measured({str(one.workdir): write_steps(one, forecasters(one, names)) for one in opened})
    if len(runs) != 1:
        raise UserError(f"expected one run, got {len(runs)}; ensemble() evaluates several as one, compare() each")
    return evaluation_of(write_evaluation(_opened(runs[0])))


def ensemble(
    runs: Sequence[Run | Path | str],
    out: Path | str,
    *,
    combine: Combination = "probabilities",
    baseline: str = "",
    fit: bool = False,
) -> Evaluation:
    """Evaluates several runs as one model.

    Args:
      runs: runs or their folders, of the same data, split and candidates.
      out: folder of the evaluation, no run's.
      combine: what is averaged: "probabilities" (linear opinion pool) or "ranks" (reciprocal rank fusion).
      baseline: the name of a baseline that is a member too, such as "co_occurrence".
      fit: weigh the members' probabilities by their likelihood on validation; else all weigh the same.

    Returns the metrics of the ensemble, of each member and of each baseline.

    Raises UserError for runs that do not fit together or one named twice, an unknown baseline, where `out` is a run,
    and where the runs' log is not here.

    Example:
      >>> both = tj.ensemble([run], "runs/both", baseline="markov")
      >>> both.frame["method"][0]
      'ensemble'
    """
    from trajectory.evaluation.ensemble import write_ensemble

    one_of("combine", combine, Combination)
    return write_ensemble([_folder(run) for run in runs], a_folder("out", out), combine, baseline, fit)


def baselines(log: Log | Prepared | ConfigDict | Run) -> Baselines:
    """What counting rules reach on a log, by the same measures as a run.

    Args:
      log: a run, a prepared log, a config, or a log of your own (see `prepare`), whose default split is then used.

    Returns the metrics of each baseline on validation and test.

    Raises UserError for a log that cannot be read, or is not here.

    Example:
      >>> counted = tj.baselines(run)
      >>> "markov" in counted.frame["method"]
      True
    """
    from trajectory.evaluation.report import baselines_of
    from trajectory.training import experiment

    if not isinstance(log, Run):
        log = experiment.build(config_of(log if isinstance(log, ConfigDict | Prepared) else prepare(log)))
    return baselines_of(log.experiment if isinstance(log, Run) else log)


def compare(runs: Sequence[Run | Path | str]) -> Comparison:
    """Evaluated runs beside each other on test, each against the first, paired over users.

    Args:
      runs: two or more runs, or their folders.

    Returns the metrics of each run, with its difference to the first and the p-value of that (permutation of signs).

    Raises UserError for fewer than two runs, one that was not evaluated, or runs of other data or another split.

    Example:
      >>> compared = tj.compare([run, "runs/shop"])
      >>> compared.frame.filter(metric="ndcg@10")["difference"].to_list()
      [None, 0.0]
    """
    from trajectory.tuning.comparison import compare_runs

    folders = [_folder(run) for run in several("runs", runs, "[run, other]")]
    if len(folders) < 2:
        raise UserError(f"expected two runs or more to compare, got {len(folders)}")
    return compare_runs(folders)


def _opened(run: Run | Path | str) -> Run:
    return run if isinstance(run, Run) else load_run(run)


def _folder(run: Run | Path | str) -> Path:
    """As it is named in tables: as it was given, or from here where it lies below."""
    if not isinstance(run, Run):
        return Path(run)
    return run.workdir.relative_to(Path.cwd()) if run.workdir.is_relative_to(Path.cwd()) else run.workdir
