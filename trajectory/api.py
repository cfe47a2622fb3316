"""What can be done with a log and with runs, each in one call; `trajectory` exports it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from ml_collections import ConfigDict

from trajectory.expected import Backbone, SplitKind, a_folder, of_type, one_of, several, whole_number
from trajectory.extras import require
from trajectory.messages import root_logger_kept
from trajectory.results.measured import Baselines, Comparison, Evaluation, Search, StepEvaluation, Sweep
from trajectory.results.prepared import Prepared
from trajectory.run import Run, load_run
from trajectory.schema import UserError
from trajectory.settings import checked, get, presets, put, set_by_hand

if TYPE_CHECKING:
    from trajectory.data.ingest.source.data_frames import Frame, Log
    from trajectory.tuning.members import Sweep as Members
    from trajectory.tuning.study import Study

PREPARED_FRAMES = "frames"  # folder of data.prepared_dir
DEFAULTS = ("hybrid", "leave_one_out", False)  # of prepare: model, split, tiny


def preset(name: str, settings: Mapping[str, Any] | None = None) -> ConfigDict:
    """The config of a preset, or of a file of your own.

    Args:
      name: the preset with its arguments, such as "complete_journey:model=gru,tiny", or the path of a config file.
      settings: fields by hand, such as {"train.epochs": 2} (docs/config.md); nothing automatic changes them.

    Returns the config, an ml_collections ConfigDict. What is assigned to it, as in `config.train.epochs = 2`, is set by
    hand as well.

    Raises UserError if there is no such preset or field, or where a value is of another type.

    Example:
      >>> config = tj.preset("user_a:model=gru", {"train.epochs": 3})
      >>> config.model.backbone, config.train.epochs
      ('gru', 3)
    """
    return set_by_hand(presets.config(name), settings or {})


def prepare(
    log: Log | ConfigDict,
    *,
    items: Frame | None = None,
    model: Backbone = "hybrid",
    split: SplitKind = "leave_one_out",
    tiny: bool = False,
    settings: Mapping[str, Any] | None = None,
) -> Prepared:
    """Reads, cleans and stores a log; its `config` trains on it, with the sizes, epochs and warm-up that it shows.

    Args:
      log: a polars or pandas data frame, a PyArrow table, the path of a file or folder, "tfds:<name>", the name of a
        domain, or a config, whose log is prepared. Columns are found by their names; docs/raw_logs.md says how.
      items: beside a data frame, one of its items: item, and title, category, brand, price where there are any.
      model: gru, lstm, transformer or hybrid.
      split: leave_one_out, leave_last or temporal: what is held out to evaluate.
      tiny: a first look, at few users with small sizes.
      settings: fields of the config by hand, such as {"data.columns.user": "shopper"} (docs/config.md).

    Returns the events that are kept. A data frame is stored below `data.prepared_dir` under a name made from its
    content, so that the same frame is prepared once and a run on it can be repeated.

    Sizes, epochs and warm-up of `config` are set from the data. What is assigned to it, as in
    `log.config.train.epochs = 2`, is set by hand: nothing automatic changes it, and what is derived from it follows.

    `notes`: what looks wrong in the log, and how far `items` describe it. Raises UserError for what cannot be read, or
    for settings that cannot be trained on.

    Example:
      >>> log = tj.prepare(events, model="gru", tiny=True)
      >>> log.frame.columns
      ['user', 'item', 'time', 'event_type', 'step', 'quantity', 'value']
      >>> log.tables["quarantine"].height
      0
    """
    from trajectory.data.store import builder
    from trajectory.data.store.arrays import events_table
    from trajectory.training import experiment, limits

    if isinstance(log, ConfigDict) and (items is not None or settings or (model, split, tiny) != DEFAULTS):
        raise UserError("a config says all of this itself; leave out items, model, split, tiny and settings")
    c = log if isinstance(log, ConfigDict) else _own(log, items, model, split, tiny, settings)
    limits.check(c)  # before the log is read
    histories = builder.prepare(c.data)
    tables = {"quarantine": builder.quarantine(histories, c.data)}
    notes = _doubts(builder.detected(histories, c.data))
    try:
        c = experiment.fitted(c)
    except UserError as error:  # a log that cannot be trained on can be looked at
        notes = (*notes, f"training: {error}")
    preset = "" if isinstance(log, ConfigDict) else _preset_of(c, model, split, tiny)
    return Prepared(events_table(histories), tables, notes, config=c, preset=preset)


def train(config: Prepared | ConfigDict | str, workdir: Path | str) -> Run:
    """Trains a model, or goes on with its training, and opens the run.

    Args:
      config: a prepared log, a config (of `prepare` or `preset`), or a preset by its name.
      workdir: the run's folder, made if it is missing. The same call goes on from the newest checkpoint there, bit for
        bit, and returns at once where training is over.

    Returns the run with its best parameters on validation.

    Raises UserError for settings or data that cannot be trained on, FloatingPointError if the loss diverges, and
    KeyboardInterrupt (SystemExit of SIGTERM) where training was stopped: it ends the step at hand and saves, so that
    the same call goes on from there.

    Example:
      >>> run = tj.train(log.config, "runs/shop")
      >>> run.config.model.backbone
      'gru'
    """
    from trajectory.training.stopping import leave_if_stopped

    c, workdir = _config(preset(config) if isinstance(config, str) else config), a_folder("workdir", workdir)
    _begin(c.train.devices)
    leave_if_stopped(learn(c, workdir), workdir)
    return load_run(workdir)


@root_logger_kept()
def learn(config: ConfigDict, workdir: Path) -> dict[str, Any]:
    """Trains a config into a folder, watched as it says; returns how training ended (training.json)."""
    from trajectory.evaluation.validation import ValidationMonitor
    from trajectory.explain.monitor import AttributionMonitor
    from trajectory.training import experiment, loop

    built = experiment.build(config)
    return loop.train(
        built, workdir, AttributionMonitor(built) if config.explain.monitored else ValidationMonitor(built)
    )


@overload
def evaluate(run: Run | Path | str) -> Evaluation: ...
@overload
def evaluate(
    run: Run | Path | str | Sequence[Run | Path | str], *, multi_step: str | Sequence[str]
) -> StepEvaluation: ...
def evaluate(
    run: Run | Path | str | Sequence[Run | Path | str], *, multi_step: str | Sequence[str] = ()
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
    from trajectory.evaluation.multi_step.report import write_steps
    from trajectory.evaluation.multi_step.seeds import measured
    from trajectory.evaluation.report import evaluation_of, write_evaluation
    from trajectory.inference.multi_step import forecasters

    runs = [run] if isinstance(run, Run | Path | str) else run
    names = [multi_step] if isinstance(multi_step, str) else multi_step
    if names:
        return measured({str(one.workdir): write_steps(one, forecasters(one, names)) for one in map(_opened, runs)})
    if len(runs) != 1:
        raise UserError(f"expected one run, got {len(runs)}; ensemble() evaluates several as one, compare() each")
    return evaluation_of(write_evaluation(_opened(runs[0])))


def ensemble(
    runs: Sequence[Run | Path | str],
    out: Path | str,
    *,
    combine: str = "probabilities",
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
    from trajectory.evaluation.ensemble import COMBINATIONS, write_ensemble

    if combine not in COMBINATIONS:
        raise UserError(f"combine={combine!r}: expected one of {', '.join(COMBINATIONS)}")
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
    from trajectory.evaluation.protocol import PARTS
    from trajectory.evaluation.report import baselines_of
    from trajectory.training import experiment

    if not isinstance(log, Run):
        log = experiment.build(_config(log if isinstance(log, ConfigDict | Prepared) else prepare(log)))
    built = log.experiment if isinstance(log, Run) else log
    results = baselines_of(built)
    return Baselines.of(
        (part, name, metric, value, None)
        for name, by_part in results.items()
        for part in PARTS
        for metric, value in by_part[part].means().items()
    )


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


def sweep(
    config: Prepared | ConfigDict | str,
    members: Members | str,
    out: Path | str,
    *,
    seeds: Sequence[int] = (0, 1, 2),
    settings: Mapping[str, Any] | None = None,
    metrics: Sequence[str] = ("recall@10", "hr@10", "ndcg@10", "conversion_auc"),
    workers: int = 1,
    cores: int = 0,
) -> Sweep:
    """Trains and evaluates the members of a sweep with several seeds in the folder `out`, and compares them.

    Args:
      config: a prepared log of one's own, a config, a preset with its arguments, such as "amazon_beauty:model=gru", or
        a file. Of a config, the argument model is its field model.backbone.
      members: a trajectory.tuning.members.Sweep, the name of one that is there ("backbone"), or a file of one's own.
      out: folder of the runs, and of sweep.csv, sweep.md and sweep.png.
      seeds: of each member.
      settings: fields of the config of all runs, such as {"train.epochs": 4}.
      metrics: on test, where measured.
      workers: runs at a time.
      cores: shared out between the workers; 0 = all.

    Returns a row for each member and baseline. What is finished is kept and what was cut goes on, so the same call goes
    on after an interruption. Runs are processes of their own. A member that fails is in `tables["failed"]`.

    Raises UserError for a config or settings that cannot be trained, or where a member does not fit them.

    Example:
      >>> swept = tj.sweep("user_a", "backbone", "runs/backbone", seeds=[0], settings={"train.monitor": "ndcg@10"})
      >>> swept.frame["name"].to_list()
      ['lstm', 'gru', 'transformer', 'hybrid', 'popularity']
    """
    from trajectory.tuning.members import Sweep as Members
    from trajectory.tuning.sweep_job import run_sweep
    from trajectory.tuning.workers import Workers

    of_type("members", members, Members | str, "a trajectory.tuning.members.Sweep or the name of one")
    numbers = [whole_number("seeds", seed, 0) for seed in several("seeds", seeds, "(0, 1, 2)")]
    names, at_work = several("metrics", metrics, '("ndcg@10",)'), Workers(workers, cores)
    text, fields = _swept(config, settings, a_folder("out", out))
    return run_sweep(text, members, a_folder("out", out), numbers, fields, names, at_work)


def search(
    config: Prepared | ConfigDict | str,
    suggest: Callable[..., Mapping[str, Any]] | str,
    out: Path | str,
    *,
    trials: int = 20,
    settings: Mapping[str, Any] | None = None,
    study: Study | None = None,
    workers: int = 1,
    cores: int = 0,
) -> Search:
    """Searches a config's fields with Optuna; trials are chosen on validation, and test is read once, of the best one.

    Args:
      config: a prepared log of one's own, a config, a preset with its arguments, such as "amazon_beauty:model=gru", or
        a file. Of a config, the argument model is its field model.backbone.
      suggest: a function of an Optuna trial that returns fields, the name of a file that has one ("search"), or a file
        of one's own.
      out: folder of the trials, and of search.csv and search.md; its last part names the study.
      trials: of the study in all, those before included.
      settings: fields of the config of all trials, such as {"train.epochs": 4}.
      study: a trajectory.tuning.study.Study: where trials are kept and when one is pruned.
      workers: trials at a time.
      cores: shared out between the workers; 0 = all.

    Returns the trials, best first. The same call goes on after an interruption. Needs the extra `search`.

    Raises UserError for a config or settings that cannot be trained, where the study there is of another config, or
    where all trials fail.

    Example:
      >>> def suggest(trial):
      ...     return {"optim.learning_rate": trial.suggest_float("rate", 1e-4, 1e-2, log=True)}
      >>> tried = tj.search("user_a", suggest, "runs/rates", trials=2, settings={"train.monitor": "ndcg@10"})
      >>> tried.frame["state"].to_list()
      ['complete', 'complete']
    """
    require("optuna", "a search")
    from trajectory.tuning.search import Search as Trials
    from trajectory.tuning.search_job import run_search
    from trajectory.tuning.study import Study
    from trajectory.tuning.sweep import load
    from trajectory.tuning.workers import Workers

    of_type("suggest", suggest, Callable | str, "a function of a trial or the name of a file that has one")
    of_type("study", study, Study | None, "a trajectory.tuning.study.Study")
    count, at_work = whole_number("trials", trials, 1), Workers(workers, cores)
    suggested = load(suggest, "suggest") if isinstance(suggest, str) else suggest
    text, fields = _swept(config, settings, a_folder("out", out))
    return run_search(Trials(text, suggested, fields, a_folder("out", out), study or Study()), count, at_work)


def _swept(config: Prepared | ConfigDict | str, settings: Mapping[str, Any] | None, out: Path) -> tuple[str, list[str]]:
    """The preset that a sweep's runs are of, as a text, and the fields of all of them, each as "field=value"."""
    from trajectory.tuning.given import keep
    from trajectory.tuning.sweep import field_texts

    given = checked(settings or {})
    if isinstance(config, Prepared) and config.preset:
        own = {name: get(config.config, name) for name in config.config.by_hand}
        return config.preset, field_texts(own | given)
    return config if isinstance(config, str) else keep(_config(config), out), field_texts(given)


def _preset_of(config: ConfigDict, model: str, split: str, tiny: bool) -> str:
    return f"own_log:path={config.data.source},model={model},split={split}{',tiny' if tiny else ''}"


def _opened(run: Run | Path | str) -> Run:
    return run if isinstance(run, Run) else load_run(run)


def _folder(run: Run | Path | str) -> Path:
    return run.workdir if isinstance(run, Run) else Path(run)


def _config(of: Prepared | ConfigDict) -> ConfigDict:
    """UserError for what has none."""
    c = of.config if isinstance(of, Prepared) else of
    if not isinstance(c, ConfigDict):
        raise UserError(
            f"expected a config, such as tj.prepare(log).config or tj.preset(name), or a preset's name, got "
            f"{type(c).__name__}"
        )
    return c


def _doubts(detected: dict[str, Any]) -> tuple[str, ...]:
    """What of a log is to be looked at, each with the setting that changes it."""
    told = [note for note in detected.get("notes", ()) if note["warning"] or note["topic"] == "item table"]
    return tuple(
        f"{note['topic']}: {note['text']}" + (f" [{note['setting']}]" if note["setting"] else "") for note in told
    )


def _own(log: Any, items: Any, model: str, split: str, tiny: bool, settings: Mapping[str, Any] | None) -> ConfigDict:
    """The config of a log of one's own, as the preset own_log makes it."""
    one_of("model", model, Backbone)
    one_of("split", split, SplitKind)
    if not isinstance(tiny, bool):
        raise UserError(f"tiny={tiny!r}: expected True or False")
    from trajectory.data.ingest.source.data_frames import write_frame
    from trajectory.data.ingest.source.names import file_name
    from trajectory.settings.recipes import own_log

    if isinstance(log, str | Path):
        if items is not None:
            raise UserError("items go with a data frame; beside a file put the item table into the log's folder")
        return set_by_hand(own_log(str(log), file_name(str(log)), model, split, tiny), settings or {})
    c = set_by_hand(own_log("", "data_frame", model, split, tiny), settings or {})
    put(c, "data.source", str(write_frame(log, Path(c.data.prepared_dir) / PREPARED_FRAMES, items)))
    return c


def _begin(devices: int) -> None:
    """Prepares JAX as commands do, where nothing has used it yet."""
    from trajectory.training import parallel

    try:
        parallel.start(devices)
    except RuntimeError:  # its devices are there already, and stay as they are
        parallel.configure()
