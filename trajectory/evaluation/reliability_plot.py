"""The picture of reliability diagrams."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from trajectory.reports import pictures

ACROSS = 3  # diagrams side by side


def draw(diagrams: dict[str, dict[str, np.ndarray]], path: Path) -> None:
    """Draws each titled diagram of `reliability.diagram` with its band into one picture at `path`.

    Raises ValueError if there is none.
    """
    if not diagrams:
        raise ValueError("expected at least one reliability diagram, got none")
    across = min(ACROSS, len(diagrams))
    down = -(-len(diagrams) // across)
    figure = pictures.new_figure(4.2 * across, 4.2 * down)
    axes = figure.subplots(down, across, squeeze=False).ravel()
    for axis, (title, bins) in zip(axes, diagrams.items(), strict=False):
        # Interest shares are mostly small: the axes end where the data do.
        end = min(1.0, 1.08 * max(bins[name].max() for name in ("confidence", "outcome", "high"))) or 1.0
        axis.plot([0, end], [0, end], color="0.6", linewidth=1, linestyle="--", label="perfect")
        axis.vlines(bins["confidence"], bins["low"], bins["high"], color="tab:blue", alpha=0.35, linewidth=6)
        axis.plot([], [], color="tab:blue", alpha=0.35, linewidth=6, label="95 % if calibrated")
        axis.plot(bins["confidence"], bins["outcome"], "o-", color="tab:red", markersize=4, label="observed")
        axis.set(xlim=(0, end), ylim=(0, end), aspect="equal", title=title)
        axis.set(xlabel="predicted probability", ylabel="observed share")
        axis.legend(loc="upper left", fontsize=8)
    for axis in axes[len(diagrams) :]:
        axis.set_axis_off()
    pictures.save(figure, path)
