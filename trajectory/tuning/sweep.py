"""The runs of a sweep: which there are, which are finished, and making the others by training and evaluation."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import NoneType
from typing import Any, NamedTuple

from ml_collections import ConfigDict

from trajectory import digest
from trajectory.reading import read_json
from trajectory.renamed import FIELDS, with_fields
from trajectory.schema import UserError
from trajectory.settings import flags, presets
from trajectory.training.folder import read_summary
from trajectory.tuning.members import Sweep
from trajectory.tuning.workers import Workers, claim, last_lines
from trajectory.writing import write_json

_LOGGER = logging.getLogger(__name__)

STAMP = {"asked": (dict, NoneType), "code": [str], "done": bool}  # of sweep.json
# Rooms that decide what a run's numbers are.
DECISIVE = ("schema.py", "data", "models", "training", "inference", "metrics", "baselines", "calibration", "evaluation")


class SweepRun(NamedTuple):
    """One member of a sweep with one seed."""

    member: str
    folder: Path
    flags: tuple[str, ...]  # of `trajectory train`, but for the folder
    config: dict[str, Any]  # the config they make, but for its section `logging`


def read_sweep(name: str) -> Sweep:
    """What `get_sweep` of a sweep file returns, of a preset or at a path. Raises UserError if it is not a sweep."""
    get_sweep = load(name, "get_sweep")
    with presets.of_the_user(name, "get_sweep()"):
        sweep = get_sweep()
    if not isinstance(sweep, Sweep) or not sweep.members:
        raise UserError(f"{name}: get_sweep() must return a Sweep with members, as the preset `backbone` does")
    if sweep.base not in sweep.members:
        raise UserError(f"{name}: the base {sweep.base!r} is no member; members: {', '.join(sweep.members)}")
    for member in sweep.members:
        if not re.fullmatch(r"[\w+-][\w.,=+-]*", member):
            raise UserError(f"{name}: {member!r} names a folder; use letters, digits and . , = + - _ only")
    return sweep


def load(name: str, function: str) -> Callable[..., Any]:
    """A function of a sweep file, a preset or at a path. Raises UserError if there is no such file or function."""
    return presets.load(presets.file(name, presets.SWEEPS), function)


def plan(config: str, sweep: Sweep, seeds: Sequence[int], settings: Sequence[str], out: Path) -> list[SweepRun]:
    """Every member with every seed, seed by seed; a member's own fields go before `settings` ("field=value").

    `config` is as for `trajectory train`. Raises UserError where a member, or `settings`, does not fit it.
    """
    runs = []
    if settings:
        run("", config, settings, out)  # a mistake in these is no member's
    for seed in seeds:
        for name, member in sweep.members.items():
            texts = [*settings, *field_texts(member.fields), f"seed={seed}", f"logging.group={out.name}"]
            try:
                runs.append(run(name, with_argument(config, member.argument), texts, out / f"{name}_{seed}"))
            except UserError as error:
                raise UserError(f"member {name!r}: {error}") from None
    return runs


def run(name: str, config: str, settings: Sequence[str], folder: Path) -> SweepRun:
    """The run of a config with `settings` ("field=value"). Raises UserError if the config has no such field."""
    chosen = (f"--config={config}", *(f"--config.{text}" for text in settings))
    fields = json.loads(json.dumps(flags.read(chosen).to_dict(), default=dict))
    return SweepRun(name, folder, chosen, {key: value for key, value in fields.items() if key != "logging"})


def with_argument(config: str, argument: str) -> str:
    """A config as given to --config with a further argument behind its colon."""
    return f"{config}{',' if ':' in config else ':'}{argument}" if argument else config


def make(runs: Sequence[SweepRun], workers: Workers) -> dict[str, str]:
    """Makes what is not finished; returns what went wrong {name of the run's folder: its last lines}.

    A run that was cut goes on where it was, one that fails stops no other. A run is finished that was evaluated with
    the same config by the same code.
    """
    now, failed = digest.of_code(DECISIVE), {}
    waiting = [run for run in runs if not _done(run, now)]
    _LOGGER.info(f"{len(runs)} runs, {len(runs) - len(waiting)} of them finished before")

    def make_one(run: SweepRun) -> None:
        began = time.perf_counter()
        try:
            problem = _make(run, now, workers)
        except UserError as error:
            problem = str(error)
        if workers.stopped:
            return
        if problem:
            failed[run.folder.name] = problem
        _LOGGER.info(f"{run.folder.name}: {'failed' if problem else 'done'} in {time.perf_counter() - began:.0f} s")

    workers.for_each(make_one, waiting)
    return failed


def make_all(runs: Sequence[SweepRun], at_once: int) -> None:
    """`make`, for what needs all of the runs: UserError where one failed, what a signal raises if one stopped them."""
    with Workers(at_once, 0) as workers:
        failed = make(runs, workers)
    workers.leave_if_stopped()
    if failed:
        raise UserError("; ".join(f"{name} failed: {lines}" for name, lines in failed.items()))


def versions(runs: Sequence[SweepRun]) -> dict[str, list[str]]:
    """Digests of the code that worked in each run's folder, for those where more than one did."""
    codes = {run.folder.name: _stamp(run)["code"] for run in runs if _stamp(run)["done"]}
    return {name: digests for name, digests in codes.items() if len(digests) > 1}


def _make(run: SweepRun, now: str, workers: Workers) -> str:
    """Trains and evaluates; returns what went wrong, "" if nothing."""
    with claim(run.folder) as log:
        begin = log.seek(0, 2)
        before = _stamp(run)["code"]
        stamp = {"asked": run.config, "code": before if before[-1:] == [now] else [*before, now], "done": False}
        write_json(stamp, run.folder / "sweep.json")
        workdir = f"--workdir={run.folder}"
        if status := workers.run(["train", *run.flags, workdir], log):
            return last_lines(log, begin) or f"exit status {status}"
        if not read_summary(run.folder, "finished")["finished"]:
            return "stopped before its last epoch; start the same sweep again"
        if status := workers.run(["evaluate", workdir], log):
            return last_lines(log, begin) or f"exit status {status}"
        write_json(stamp | {"done": True}, run.folder / "sweep.json")
    return ""


def _done(run: SweepRun, now: str) -> bool:
    stamp = _stamp(run)
    return stamp["done"] and with_fields(stamp["asked"] or {}) == run.config and stamp["code"][-1:] == [now]


def _stamp(run: SweepRun) -> dict[str, Any]:
    path = run.folder / "sweep.json"
    if path.exists():
        try:
            return read_json(path, STAMP, "the run is made again", *STAMP)
        except UserError as damage:
            _LOGGER.warning(damage)
    return {"asked": None, "code": [], "done": False}


def field_texts(fields: Mapping[str, Any]) -> list[str]:
    """Fields with their values as flags take them: "train.epochs=4"."""
    return [f"{FIELDS.get(name, name)}={_text(value)}" for name, value in fields.items()]


def _text(value: Any) -> str:
    if isinstance(value, ConfigDict):
        value = value.to_dict()
    return str(tuple(value) if isinstance(value, list) else value)
