"""Metrics to metrics.jsonl always, to W&B (the only importer) and TensorBoard if asked; the curves picture."""

from __future__ import annotations

import json
import logging
import math
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from ml_collections import ConfigDict

from trajectory.extras import advice, installed
from trajectory.reading import NUMBER, misfit
from trajectory.writing import write_text

if TYPE_CHECKING:
    import altair as alt

_LOGGER = logging.getLogger(__name__)

WANDB_ID = "wandb/id.txt"
PATIENCE_SECONDS = 30  # with W&B's servers


class MetricsLog:
    """One line of JSON a record, {"step", "epoch", name: value}; the sinks receive copies."""

    def __init__(self, workdir: Path, config: ConfigDict, resumed_at: int | None) -> None:
        self.path = workdir / "metrics.jsonl"
        kept = []
        if resumed_at is not None and self.path.exists():
            # Records after the checkpoint belong to steps that will be done again.
            records, damaged = _read(self.path)
            kept = [r for r in records if r["step"] <= resumed_at]
            if damaged:
                _LOGGER.warning(f"{self.path}: {damaged:,} damaged lines are left out")
        write_text("".join(json.dumps(r) + "\n" for r in kept), self.path)
        self._wandb = self._tensorboard = None
        if config.logging.wandb and _there("wandb"):
            self._wandb = _start_wandb(workdir, config, _wandb_id(workdir, new=resumed_at is None))
        if config.logging.tensorboard and _there("tensorboardX"):
            from tensorboardX import SummaryWriter

            self._tensorboard = SummaryWriter(
                str(workdir / "tensorboard"), purge_step=None if resumed_at is None else resumed_at + 1
            )

    def write(self, step: int, epoch: float, metrics: dict[str, Any]) -> None:
        """Adds a record to every sink."""
        values = {name: float(value) for name, value in metrics.items()}
        with self.path.open("a") as file:
            file.write(json.dumps({"step": step, "epoch": epoch, **values}) + "\n")
        if self._wandb is not None:
            self._wandb.log({"epoch": epoch, **values}, step=step)
        if self._tensorboard is not None:
            for name, value in values.items():
                self._tensorboard.add_scalar(name, value, step)

    def close(self) -> None:
        """Ends the sinks' runs."""
        if self._wandb is not None:
            self._wandb.finish()
        if self._tensorboard is not None:
            self._tensorboard.close()


def write_test(workdir: Path, config: ConfigDict, step: int, metrics: dict[str, float]) -> None:
    """Adds what an evaluation measured on test, `test/...`, to where training wrote, in place of an earlier one.

    W&B has it in the summary of the training's run, offline, too: `wandb sync` sends both as one.
    """
    values = {f"test/{name}": float(value) for name, value in metrics.items() if math.isfinite(value)}
    path, records = workdir / "metrics.jsonl", read(workdir / "metrics.jsonl")
    epochs = [r["epoch"] for r in records if r["step"] == step and "validation/seconds" in r]
    record = {"step": step, **({"epoch": epochs[-1]} if epochs else {}), **values}
    if record in records:
        return  # evaluated again
    kept = [r for r in records if not any(name.startswith("test/") for name in r)]
    write_text("".join(json.dumps(r) + "\n" for r in (*kept, record)), path)
    if (workdir / "tensorboard").is_dir() and installed("tensorboardX"):
        from tensorboardX import SummaryWriter

        # A file of its own: one is named by the second, and would be written over.
        with SummaryWriter(str(workdir / "tensorboard"), filename_suffix=".test") as writer:
            for name, value in values.items():
                writer.add_scalar(name, value, step)
    if (workdir / WANDB_ID).is_file() and installed("wandb"):
        run = _start_wandb(workdir, config, _wandb_id(workdir, new=False))
        run.summary.update(values)
        run.finish()


def _there(package: str) -> bool:
    if not installed(package):
        _LOGGER.info(f"metrics go to metrics.jsonl without a copy by {package}; {advice(package)}")
    return installed(package)


def _wandb_id(workdir: Path, new: bool) -> str:
    """The name of a training's run at W&B, by which going on with it and its evaluation find it again."""
    path = workdir / WANDB_ID
    path.parent.mkdir(exist_ok=True)
    if new or not path.is_file():
        write_text(secrets.token_hex(4), path)
    return path.read_text().strip()


def _start_wandb(workdir: Path, config: ConfigDict, name: str):
    import wandb

    wait = PATIENCE_SECONDS

    def begin(mode: Any) -> Any:
        return wandb.init(
            project=config.logging.wandb_project,
            group=config.logging.group or None,
            name=f"{config.name}_{workdir.name}",
            dir=str(workdir),
            config=config.to_dict(),
            mode=mode,
            id=name,
            resume="allow" if mode == "online" else None,
            settings=wandb.Settings(console="off", silent=True, init_timeout=wait, finish_timeout=10 * wait),
        )

    # Offline unless the user is logged in or says otherwise: a run must never hang on a prompt for a key.
    try:
        mode = os.environ.get("WANDB_MODE") or ("online" if wandb.login(prompt=False) else "offline")
        return begin(mode)
    except Exception as error:  # a wrong key, or no network: W&B raises many kinds
        _LOGGER.info(
            f"W&B cannot be used online ({str(error).splitlines()[0][:200]}): this run is logged offline, "
            f"`wandb sync` in {workdir / 'wandb'} sends it later"
        )
        wandb.teardown()  # it holds the id, as of a run that has begun
        return begin("offline")


def read(path: Path) -> list[dict[str, Any]]:
    """The records of a metrics.jsonl, without damaged lines and one cut short by a kill; none if there is no file."""
    return _read(path)[0]


def _read(path: Path) -> tuple[list[dict[str, Any]], int]:
    """The records, and how many lines between them are none."""
    lines = path.read_bytes().decode(errors="replace").split("\n") if path.is_file() else [""]
    records, damaged = [], 0
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if not misfit(record, {str: NUMBER}) and isinstance(record.get("step"), int):
            records.append(record)
        elif number < len(lines):
            damaged += 1
    return records, damaged


def curves(workdir: Path) -> dict[str, alt.Chart]:
    """Loss and accuracy of training and validation over the epochs of a run, by name; none before its first."""
    from trajectory.reports import charts

    records = [r for r in read(workdir / "metrics.jsonl") if "epoch" in r and "validation/loss" in r]
    panels = {}
    for name, label in (("loss", "loss (nats per next step)"), ("accuracy", "accuracy (share right)")):
        points = [
            (r["epoch"], r[f"{part}/{name}"], part)
            for part in ("train", "validation")
            for r in records
            if f"{part}/{name}" in r
        ]
        if points:
            frame = pl.DataFrame(points, schema={"epoch": pl.Int64, name: pl.Float64, "part": pl.String}, orient="row")
            panels[name] = charts.lines(frame, "epoch", name, "part", "", unit=label, zero=False)
    return panels


def draw_curves(workdir: Path, title: str) -> Path | None:
    """Writes `curves` as curves.png and returns its path, None before there are any."""
    from trajectory.reports import charts, pictures

    panels = curves(workdir)
    if not panels:
        return None
    path = workdir / "curves.png"
    pictures.save(charts.panels([*panels.values()], 2, title), path)
    return path
