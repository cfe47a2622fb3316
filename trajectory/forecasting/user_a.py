"""The example of user A from end to end: learn the made-up log, forecast A's table, compare with the truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from ml_collections import ConfigDict

from trajectory.data.simulate.user_a import ITEMS, TABLE, TRANSITION, Truth, truth
from trajectory.evaluation.validation import ValidationMonitor
from trajectory.forecasting.predict import Predictions, predict
from trajectory.run import Run, load_run
from trajectory.schema import UserError
from trajectory.training import experiment, loop
from trajectory.training.folder import read_summary
from trajectory.training.stopping import leave_if_stopped


@dataclass(frozen=True)
class Comparison:
    """What the model says of user A compared with what the chain says; columns of arrays are `ITEMS`."""

    events: pl.DataFrame  # user A's table
    path: pl.DataFrame  # step, item, title, probability: the most likely path
    distribution: np.ndarray  # [K, items], of each step
    visited: np.ndarray  # [items], within K steps
    true: Truth
    paths: int

    @property
    def largest_difference(self) -> float:
        """Between the model's and the true probabilities, over steps, visits and the path."""
        path = float(self.path["probability"].product())
        return max(
            float(np.abs(self.distribution - self.true.distribution).max()),
            float(np.abs(self.visited - self.true.visited[-1]).max()),
            abs(path - _probability(self.true, self.path["item"].to_list())),
        )

    def text(self) -> str:
        """Everything as a page of text."""
        steps, best = len(self.distribution), self.path["item"].to_list()
        lines = ["User A:", *("  " + "  ".join(map(str, row)) for row in self.events.rows()), ""]
        lines += ["Most likely path, with the probability of each step after those before it:"]
        lines += [f"  step {r['step']}: {r['item']}  {r['probability']:.3f}" for r in self.path.to_dicts()]
        lines += [
            f"  whole path {' > '.join(best)}: {self.path['probability'].product():.3f}, in truth "
            f"{_probability(self.true, best):.3f}",
            f"  most likely path in truth: {' > '.join(self.true.path)}: {self.true.probability:.3f}",
            "",
            "Probability of each item, model / truth:",
            "         " + "".join(f"{f'at step {k + 1}':>16}" for k in range(steps)) + f"{f'within {steps} steps':>18}",
        ]
        for i, item in enumerate(ITEMS):
            cells = [f"{self.distribution[k, i]:.3f} / {self.true.distribution[k, i]:.3f}" for k in range(steps)]
            within = f"{self.visited[i]:.3f} / {self.true.visited[-1, i]:.3f}"
            lines.append(f"  {item}  " + "".join(f"{cell:>16}" for cell in cells) + f"{within:>18}")
        return "\n".join([*lines, "", f"Largest difference to the truth: {self.largest_difference:.3f}"])


def trained(config: ConfigDict, workdir: Path) -> Run:
    """The finished run of this config in `workdir`, trained first (in seconds) where there is none."""
    try:
        same = experiment.load_config(workdir / "config.json").to_dict() == config.to_dict()
        finished = same and read_summary(workdir, "finished")["finished"]
    except UserError:  # none yet, or damaged, of which training speaks
        finished = False
    if not finished:
        built = experiment.build(config)
        leave_if_stopped(loop.train(built, workdir, ValidationMonitor(built)), workdir)
    return load_run(workdir)


def compare(run: Run, steps: int, paths: int) -> Comparison:
    """Forecasts user A's table with `paths` sampled paths of `steps` steps."""
    events = pl.read_csv(TABLE)
    predicted = predict(run, TABLE, "A", len(ITEMS), steps, paths)
    history = events["行为"].str.slice(2).to_list()
    ahead = predicted.tables["steps"].sort("step", pl.col("item").replace_strict(ITEMS, range(len(ITEMS))))
    return Comparison(
        events,
        predicted.tables["path"],
        ahead["probability"].to_numpy().reshape(steps, len(ITEMS)),
        _visited(predicted),
        truth(history, steps),
        paths,
    )


def _visited(predicted: Predictions) -> np.ndarray:
    by_item = dict(predicted.tables["within_steps"].select("item", "probability").iter_rows())
    return np.array([by_item[item] for item in ITEMS])


def _probability(true: Truth, path: list[str]) -> float:
    """True probability of a path that need not be the most likely."""
    chain, at = np.array(TRANSITION), [ITEMS.index(item) for item in path]
    return float(true.distribution[0, at[0]] * np.prod(chain[at[:-1], at[1:]]))
