"""Metrics to metrics.jsonl always, to W&B (the only importer) and TensorBoard if asked; the curves picture."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict


class MetricsLog:
    """One line of JSON a record, {"step", "epoch", name: value}; the sinks receive copies."""

    def __init__(self, workdir: Path, config: ConfigDict, resumed_at: int | None) -> None:
        self.path = workdir / "metrics.jsonl"
        kept = []
        if resumed_at is not None and self.path.exists():
            # Records after the checkpoint belong to steps that will be done again.
            kept = [r for r in read(self.path) if r["step"] <= resumed_at]
        part = self.path.with_suffix(".part")
        part.write_text("".join(json.dumps(r) + "\n" for r in kept))
        part.replace(self.path)  # at once: a kill must not cost the records so far
        self._wandb = self._tensorboard = None
        if config.logging.wandb:
            self._wandb = _start_wandb(workdir, config, resumed_at is not None)
        if config.logging.tensorboard:
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


def _start_wandb(workdir: Path, config: ConfigDict, resumed: bool):
    import wandb

    # Offline unless the user is logged in or says otherwise: a run must never hang on a prompt for a key.
    logged_in = wandb.login(prompt=False)
    mode: Any = os.environ.get("WANDB_MODE", "online" if logged_in else "offline")
    return wandb.init(
        project=config.logging.wandb_project,
        group=config.logging.group or None,
        name=f"{config.name}_{workdir.name}",
        dir=str(workdir),
        config=config.to_dict(),
        mode=mode,
        resume="allow" if resumed and mode == "online" else None,
        settings=wandb.Settings(console="off", silent=True),
    )


def read(path: Path) -> list[dict[str, Any]]:
    """The records of a metrics.jsonl; a last line cut short by a kill is left out."""
    records = []
    for line in path.read_text().splitlines():
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return records


def draw_curves(workdir: Path, title: str) -> Path | None:
    """curves.png: loss and accuracy of training and validation over epochs."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    records = [r for r in read(workdir / "metrics.jsonl") if "validation/loss" in r]
    if not records:
        return None
    figure = Figure(figsize=(10, 4), layout="constrained")
    FigureCanvasAgg(figure)
    panels = (("loss", "loss (nats per next step)"), ("accuracy", "accuracy (share right)"))
    for axis, (name, label) in zip(figure.subplots(1, 2), panels, strict=True):
        for part, style in (("train", "o-"), ("validation", "s-")):
            points = [(r["epoch"], r[f"{part}/{name}"]) for r in records if f"{part}/{name}" in r]
            if points:
                axis.plot(*zip(*points, strict=True), style, label=part, markersize=3)
        axis.set(xlabel="epoch", ylabel=label)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(alpha=0.3)
        if axis.lines:
            axis.legend()
    figure.suptitle(title)
    path = workdir / "curves.png"
    figure.savefig(path, dpi=110)
    return path
