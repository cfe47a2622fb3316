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
from trajectory.models.item_table import export_item_table
from trajectory.reports import charts, pictures
from trajectory.training.experiment import Experiment, build
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
    experiment = build(config)
    fresh = jax.tree.map(np.asarray, experiment.initial_parameters(jax.random.key(seed)))
    skipped = Rules.of(config.init.rules, flatten_dict(fresh, sep="/")).skipped
    before = _per_user(experiment, fresh)
    rows = []
    for source, workdir in sources.items():
        params, _ = take_over(fresh, workdir, skipped)
        after = _per_user(experiment, params)
        row: dict[str, Any] = {"target": experiment.histories.name, "source": source}
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
    sentences = []
    for (target,), rows in adjusted.group_by("target", maintain_order=True):
        lead = pl.col("difference_validation")
        helps = rows.filter(pl.col("sure") & (lead > 0)).sort(lead, descending=True)["source"].to_list()
        harms = rows.filter(pl.col("sure") & (lead < 0)).sort(lead)["source"].to_list()
        text = f"{target}: "
        text += f"learn from {', '.join(helps)}" if helps else "no other domain helps by more than chance"
        text += f"; not from {', '.join(harms)}" if harms else ""
        sentences.append(f"{text}.")
    return sentences


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
    cells = table.select(
        across="source",
        down="target",
        lead=pl.col("difference_test") / pl.col("prior_test"),
        chance=pl.col("p_value_test") >= LEVEL,
    )
    said = [
        (f"({text})" if source == target else text)
        for source, target, lead, chance in cells.iter_rows()
        for text in [f"{lead:+.0%}" + "·" * chance]
    ]
    bound = max(min(float(cells["lead"].abs().max()), 1.0), 0.01)  # type: ignore[arg-type]
    titles = ("learned from (source)", "asked in (target)")
    chart = charts.matrix(
        cells.with_columns(label=pl.Series(said)), "lead", bound, titles, "lead over the prior alone"
    ).properties(width={"step": 64}, height={"step": 34})
    title = ["NDCG@10 on test against the prior alone, nothing learned in the target", "( ) the same domain; · chance"]
    pictures.save(chart.properties(title=title), path)


def _per_user(experiment: Experiment, params: Any) -> dict[str, np.ndarray]:
    scorer = ModelScorer(Predictor.of(experiment, *export_item_table(experiment.model, params, experiment.content)))
    return {
        part: evaluate_scorer(
            scorer, experiment.histories, experiment.split.queries(part), experiment.config.evaluation, coverage=False
        ).per_user[METRIC]
        for part in PARTS
    }
