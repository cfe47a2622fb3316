"""From a log to a run, each in one call: `trajectory` exports it, as what lies in api_evaluation and api_tuning."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_collections import ConfigDict

from trajectory.expected import Backbone, SplitKind, a_folder, one_of
from trajectory.messages import root_logger_kept
from trajectory.results.prepared import Prepared
from trajectory.run import Run, load_run
from trajectory.schema import Histories, UserError
from trajectory.settings import presets, put, set_by_hand

if TYPE_CHECKING:
    import polars as pl

    from trajectory.data.ingest.source.data_frames import Frame, Log

_LOGGER = logging.getLogger(__name__)
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
    notes = (*_doubts(builder.detected(histories, c.data)), *_left_out(tables["quarantine"], histories))
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

    c, workdir = config_of(preset(config) if isinstance(config, str) else config), a_folder("workdir", workdir)
    _begin(c.train.devices)
    leave_if_stopped(learn(c, workdir), workdir)
    return load_run(workdir)


@root_logger_kept()
def learn(config: ConfigDict, workdir: Path) -> dict[str, Any]:
    """Trains a config into a folder, watched as it says; returns how training ended (training.json)."""
    from trajectory.evaluation.first_comparison import ending
    from trajectory.evaluation.interest_choice import choose_after_training
    from trajectory.evaluation.validation import ValidationMonitor
    from trajectory.explain.monitor import AttributionMonitor
    from trajectory.progress import working
    from trajectory.training import distributed, experiment, loop

    built = experiment.build(config)
    summary = loop.train(
        built, workdir, AttributionMonitor(built) if config.explain.monitored else ValidationMonitor(built)
    )
    if summary["finished"] and distributed.is_leader():
        with working("choosing the forecast of interests"):
            choose_after_training(built, workdir)
        with working("counting, to compare"):
            for sentence in ending(built, summary):
                _LOGGER.info(sentence)
    return summary


def config_of(of: Prepared | ConfigDict) -> ConfigDict:
    """The config that is given, or that of a prepared log. UserError for what has none."""
    c = of.config if isinstance(of, Prepared) else of
    if not isinstance(c, ConfigDict):
        raise UserError(
            f"expected a config, such as tj.prepare(log).config or tj.preset(name), or a preset's name, got "
            f"{type(c).__name__}"
        )
    return c


def _preset_of(config: ConfigDict, model: str, split: str, tiny: bool) -> str:
    return f"own_log:path={config.data.source},model={model},split={split}{',tiny' if tiny else ''}"


def _doubts(detected: dict[str, Any]) -> tuple[str, ...]:
    """What of a log is to be looked at, each with the setting that changes it."""
    told = [note for note in detected.get("notes", ()) if note["warning"] or note["topic"] == "item table"]
    return tuple(
        f"{note['topic']}: {note['text']}" + (f" [{note['setting']}]" if note["setting"] else "") for note in told
    )


def _left_out(quarantine: pl.DataFrame, histories: Histories) -> Iterator[str]:
    """What a log lost, or never had."""
    if len(quarantine):
        reasons = quarantine["reason"].value_counts(sort=True).iter_rows()
        told = ", ".join(f"{count:,} {reason}" for reason, count in reasons)
        rows = "1 row is" if len(quarantine) == 1 else f"{len(quarantine):,} rows are"
        yield f"{rows} set aside (tables['quarantine']): {told}"
    if not histories.has_time:
        yield "the log has no times: events are in the order of its rows; nothing is split, awaited or counted by time"


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
