"""Which source helps which target: models of one domain each, asked in all domains without learning there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
import polars as pl
from flax.traverse_util import flatten_dict
from ml_collections import ConfigDict

from trajectory.evaluation.protocol import PARTS
from trajectory.inference.predictor import Predictor
from trajectory.inference.scorer import ModelScorer
from trajectory.metrics.ranking import evaluate_scorer
from trajectory.metrics.significance import compare, holm
from trajectory.models.item_table import bake
from trajectory.names import plain
from trajectory.reports import pictures
from trajectory.training.experiment import Task, build
from trajectory.training.param_rules import Rules
from trajectory.training.transfer import take_over

METRIC = "ndcg@10"
RESAMPLES = 5000  # p-values must be small enough for as many comparisons as a table has
LEVEL = 0.05


def measure(config: ConfigDict, sources: Mapping[str, Path], seed: int = 0) -> list[dict[str, Any]]:
    """How well each source's model predicts the target of `config`, compared with the prior before anything is learned.

    `sources` name the workdirs of runs of one domain each, taken over by the rules of the config. One row a source:
    target, source, and for validation and test the mean NDCG@10 of the model, of the prior alone (`prior_...`), the
    lead, its 95 % interval over users and the p-value of the paired randomisation test. Seeds and training of the
    target play no part: nothing is learned.
    """
    task = build(config)
    fresh = jax.tree.map(np.asarray, task.initial_parameters(jax.random.key(seed)))
    skipped = Rules.of(config.init.rules, flatten_dict(fresh, sep="/")).skipped
    before = _per_user(task, fresh)
    rows = []
    for source, workdir in sources.items():
        params, _ = take_over(fresh, workdir, skipped)
        after = _per_user(task, params)
        row: dict[str, Any] = {"target": task.histories.name, "source": source}
        for part in PARTS:
            compared = compare(after[part], before[part], RESAMPLES, seed)
            row |= {part: float(np.nanmean(after[part])), f"prior_{part}": float(np.nanmean(before[part]))}
            row |= {f"{name}_{part}": compared[name] for name in ("difference", "low", "high", "p_value")}
        rows.append(row)
    return rows


def advice(table: pl.DataFrame) -> list[str]:
    """One sentence a target, from validation alone: whom to learn from, whom not; p-values are adjusted by Holm."""
    others = table.filter(pl.col("target") != pl.col("source"))
    adjusted = others.with_columns(sure=pl.Series(holm(others["p_value_validation"].to_list())) < LEVEL)
    found = []
    for (target,), rows in adjusted.group_by("target", maintain_order=True):
        lead = pl.col("difference_validation")
        helps = rows.filter(pl.col("sure") & (lead > 0)).sort(lead, descending=True)["source"].to_list()
        harms = rows.filter(pl.col("sure") & (lead < 0)).sort(lead)["source"].to_list()
        text = f"{target}: "
        text += f"learn from {', '.join(helps)}" if helps else "no other domain helps by more than chance"
        text += f"; not from {', '.join(harms)}" if harms else ""
        found.append(f"{text}.")
    return found


def markdown(table: pl.DataFrame) -> str:
    """Leads on test in percent of the prior alone, targets down, sources across; its own in brackets."""
    sources = table["source"].unique(maintain_order=True).to_list()
    lines = ["| target | prior alone | " + " | ".join(sources) + " |", "|---|--:|" + "--:|" * len(sources)]
    for (target,), rows in table.group_by("target", maintain_order=True):
        by_source = {row["source"]: row for row in rows.iter_rows(named=True)}
        prior = rows["prior_test"][0]
        cells = []
        for source in sources:
            text = f"{by_source[source]['difference_test'] / prior:+.1%}"
            cells.append(f"({text})" if source == target else text)
        lines.append(f"| {target} | {prior:.4f} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def draw(table: pl.DataFrame, path: Path) -> None:
    """A picture of `markdown`: blue helps, red harms; a dot where chance explains it."""
    sources, targets = (table[name].unique(maintain_order=True).to_list() for name in ("source", "target"))
    lead, unsure = np.zeros((2, len(targets), len(sources)))
    for row in table.iter_rows(named=True):
        place = targets.index(row["target"]), sources.index(row["source"])
        lead[place] = row["difference_test"] / row["prior_test"]
        unsure[place] = row["p_value_test"] >= LEVEL
    figure = pictures.new_figure(3.2 + 0.95 * len(sources), 2.6 + 0.55 * len(targets))
    axis = figure.subplots()
    bound = max(min(float(np.abs(lead).max()), 1.0), 0.01)
    image = axis.imshow(lead, cmap="RdBu", vmin=-bound, vmax=bound, aspect="auto")
    for (i, j), value in np.ndenumerate(lead):
        own = targets[i] == sources[j]
        colour = "white" if abs(value) > 0.6 * bound else "black"
        text = f"{value:+.0%}" + "·" * bool(unsure[i, j])
        axis.text(j, i, f"({text})" if own else text, ha="center", va="center", fontsize=9, color=colour)
    axis.set_xticks(range(len(sources)), [plain(name, pictures.LETTERS) for name in sources], rotation=35, ha="right")
    axis.set_yticks(range(len(targets)), [plain(name, pictures.LETTERS) for name in targets])
    axis.set(xlabel="learned from (source)", ylabel="asked in (target)")
    title = "NDCG@10 on test against the prior alone, nothing learned in the target\n( ) the same domain; · chance"
    axis.set_title(title, fontsize=10)
    figure.colorbar(image, ax=axis, format=lambda value, _: f"{value:+.0%}", label="lead over the prior alone")
    pictures.save(figure, path)


def _per_user(task: Task, params: Any) -> dict[str, np.ndarray]:
    scorer = ModelScorer(Predictor.of(task, *bake(task.model, params, task.content)))
    return {
        part: evaluate_scorer(
            scorer, task.histories, task.split.queries(part), task.config.evaluation, coverage=False
        ).per_user[METRIC]
        for part in PARTS
    }
