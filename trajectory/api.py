"""What can be done with a log and with runs, each in one call; `trajectory` exports it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_collections import ConfigDict

from trajectory.results import Baselines, Comparison, Evaluation, Prepared
from trajectory.run import Run, load_run
from trajectory.schema import UserError
from trajectory.settings import presets, set_by_hand

if TYPE_CHECKING:
    from trajectory.data.ingest.data_frames import Frame, Log

PREPARED_FRAMES = "frames"  # folder of data.prepared_dir


def preset(name: str, settings: Mapping[str, Any] | None = None) -> ConfigDict:
    """The config of a preset, such as "complete_journey:model=gru,tiny", or of a file of your own with its arguments.

    `settings` ({"train.epochs": 2}) are set by hand: nothing automatic changes them. UserError if there is no such
    preset or field.
    """
    return set_by_hand(presets.config(name), settings or {})


def prepare(
    log: Log | ConfigDict,
    *,
    items: Frame | None = None,
    model: str = "hybrid",
    split: str = "leave_one_out",
    tiny: bool = False,
    settings: Mapping[str, Any] | None = None,
) -> Prepared:
    """Reads, cleans and stores a log; its `config` trains on it, with sizes and epochs set from the data.

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

    Raises UserError for what cannot be read.
    """
    from trajectory.data.store import builder
    from trajectory.data.store.arrays import events_table

    c = log if isinstance(log, ConfigDict) else _own(log, items, model, split, tiny, settings)
    histories = builder.prepare(c.data)
    tables = {"quarantine": builder.quarantine(histories, c.data)}
    return Prepared(events_table(histories), tables, config=c)


def train(config: ConfigDict | str, workdir: Path | str) -> Run:
    """Trains a config, or a preset by its name, into the folder `workdir`, and opens the run.

    The same call again goes on from the newest checkpoint, bit for bit, and returns at once where training is over.
    Raises UserError for settings or data that cannot be trained on, FloatingPointError if the loss diverges.
    """
    c = preset(config) if isinstance(config, str) else config
    _begin(c.train.devices)
    learn(c, Path(workdir))
    return load_run(workdir)


def learn(config: ConfigDict, workdir: Path) -> dict[str, Any]:
    """Trains a config into a folder, watched as it says; returns how training ended (training.json)."""
    from trajectory.evaluation.validation import ValidationMonitor
    from trajectory.explain.monitor import AttributionMonitor
    from trajectory.training import experiment, loop

    built = experiment.build(config)
    return loop.train(
        built, workdir, AttributionMonitor(built) if config.explain.monitored else ValidationMonitor(built)
    )


def evaluate(run: Run | Path | str) -> Evaluation:
    """Measures a run's best checkpoint on validation and test, compared with baselines, and keeps it in its folder.

    Needs the run's log. The protocol is in `notes`.
    """
    from trajectory.evaluation.report import write_evaluation

    opened = run if isinstance(run, Run) else load_run(run)
    write_evaluation(opened)
    return opened.evaluation


def baselines(log: Log | ConfigDict | Run) -> Baselines:
    """What counting rules reach on the log of a config or run, or on a log of your own (see `prepare`)."""
    from trajectory.evaluation.protocol import PARTS
    from trajectory.evaluation.report import baselines_of
    from trajectory.training import experiment

    if not isinstance(log, Run):
        log = experiment.build(log if isinstance(log, ConfigDict) else prepare(log).config)
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

    Raises UserError for fewer than two runs, one that was not evaluated, or runs of other data or another split.
    """
    from trajectory.tuning.sweep_results import lead_over_base, read

    folders = [run.workdir if isinstance(run, Run) else Path(run) for run in runs]
    if len(folders) < 2:
        raise UserError(f"expected two runs or more to compare, got {len(folders)}")
    outcomes = [read(folder) for folder in folders]
    first, rows = outcomes[0], []
    for folder, outcome in zip(folders, outcomes, strict=True):
        for metric, value in outcome.evaluation["metrics"]["test"].items():
            ahead = lead_over_base([outcome], [first], metric) if outcome is not first else {}
            if outcome is not first and not ahead and metric in first.per_user.columns:
                raise UserError(
                    f"{folder} was evaluated on other data or another split than {folders[0]}; compare runs of one"
                )
            error = outcome.evaluation["confidence_intervals"]["test"].get(metric, {}).get("standard_error")
            rows.append(("test", str(folder), metric, value, error, ahead.get("difference"), ahead.get("p_value")))
    return Comparison.of(rows)


def _own(log: Any, items: Any, model: str, split: str, tiny: bool, settings: Mapping[str, Any] | None) -> ConfigDict:
    """The config of a log of one's own, as the preset own_log makes it."""
    from trajectory.data.ingest.data_frames import write_frame
    from trajectory.data.ingest.names import file_name
    from trajectory.settings.recipes import own_log

    if isinstance(log, str | Path):
        if items is not None:
            raise UserError("items go with a data frame; beside a file put the item table into the log's folder")
        return set_by_hand(own_log(str(log), file_name(str(log)), model, split, tiny), settings or {})
    c = set_by_hand(own_log("", "data_frame", model, split, tiny), settings or {})
    c.data.source = str(write_frame(log, Path(c.data.prepared_dir) / PREPARED_FRAMES, items))
    return c


def _begin(devices: int) -> None:
    """Prepares JAX as commands do, where nothing has used it yet."""
    from trajectory.training import parallel

    try:
        parallel.start(devices)
    except RuntimeError:  # its devices are there already, and stay as they are
        parallel.cache()
