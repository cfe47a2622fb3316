"""The picture of reliability diagrams."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from trajectory.reports import charts, pictures

ACROSS = 3  # diagrams side by side


def draw(diagrams: dict[str, dict[str, np.ndarray]], path: Path) -> None:
    """Draws each titled diagram of `reliability.diagram` with its band into one picture at `path`.

    Raises ValueError if there is none.
    """
    if not diagrams:
        raise ValueError("expected at least one reliability diagram, got none")
    together = [charts.calibration(pl.DataFrame(bins), title) for title, bins in diagrams.items()]
    pictures.save(charts.panels(together, min(ACROSS, len(together))), path)
