"""Many runs of one config, each kind in one call; `trajectory` exports it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_collections import ConfigDict

from trajectory.api import config_of
from trajectory.expected import a_folder, of_type, several, whole_number
from trajectory.extras import require
from trajectory.results.measured import Search, Sweep
from trajectory.results.prepared import Prepared
from trajectory.schema import UserError
from trajectory.settings import base, checked, get

if TYPE_CHECKING:
    from trajectory.tuning.members import Sweep as Members
    from trajectory.tuning.study import Study


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
    from trajectory.training.limits import AT_CUTOFFS
    from trajectory.tuning.members import Sweep as Members
    from trajectory.tuning.sweep_job import run_sweep
    from trajectory.tuning.workers import Workers

    of_type("members", members, Members | str, "a trajectory.tuning.members.Sweep or the name of one")
    numbers = [whole_number("seeds", seed, 0) for seed in several("seeds", seeds, "(0, 1, 2)", 1)]
    if len(set(numbers)) < len(numbers):
        raise UserError(f"seeds={tuple(numbers)}: expected different ones, as one twice tells of no spread")
    names, at_work = several("metrics", metrics, '("ndcg@10",)', 1), Workers(workers, cores)
    for name in names:
        if "@" in name and name.partition("@")[0] not in (*AT_CUTOFFS, "catalogue_coverage"):
            raise UserError(f"metrics: {name!r} is unknown; expected such as ndcg@10, of {', '.join(AT_CUTOFFS)}")
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
        usual = base().logging  # what is logged counts as set by hand nowhere, as no run differs by it
        logged = {f"logging.{name}": value for name, value in config.config.logging.items() if value != usual[name]}
        own = {name: get(config.config, name) for name in config.config.by_hand} | logged
        return config.preset, field_texts(own | given)
    return config if isinstance(config, str) else keep(config_of(config), out), field_texts(given)
