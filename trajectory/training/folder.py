"""What training leaves in a run's folder besides config, metrics and checkpoints, each with one reader."""

from __future__ import annotations

from pathlib import Path
from types import NoneType
from typing import Any

from trajectory.reading import NUMBER, NUMBER_OR_NONE, read_json

DATA = {
    "fingerprint": str,
    "source": (str, NoneType),
    "format": (str, NoneType),
    "soft_targets": (str, NoneType),
    "directory": str,
}
SUMMARY = {
    "finished": bool,
    "epochs": int,
    "best_epoch": int,
    "seconds_per_epoch": NUMBER,
    "events_per_second": NUMBER,
    "input_share": NUMBER,
}


def read_data(workdir: Path) -> dict[str, Any]:
    """data.json: what the run learned from."""
    return read_json(workdir / "data.json", DATA, "put it back from a copy, or train in a new folder", "fingerprint")


def read_summary(workdir: Path, *needs: str) -> dict[str, Any]:
    """training.json: how training ended; at least what is named."""
    form = SUMMARY | {name: NUMBER_OR_NONE for name in needs if name.startswith("best_")}
    return read_json(workdir / "training.json", form, "the same trajectory train command writes it again", *needs)
