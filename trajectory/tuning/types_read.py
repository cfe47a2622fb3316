"""What reading views and carts is worth: the same queries asked of models that read, or predict, other types.

Every row is asked for the same events of `data.target_types` of the same users, among the same candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from ml_collections import ConfigDict

from trajectory import hints
from trajectory.baselines.next_item import Baseline, Popularity
from trajectory.data.pipeline.featurize import FeatureScale
from trajectory.evaluation.baseline_cache import baseline_results
from trajectory.evaluation.validation import ValidationMonitor
from trajectory.inference.scorer import ModelScorer
from trajectory.metrics.ranking import Result, evaluate_scorer
from trajectory.metrics.significance import bootstrap, holm
from trajectory.metrics.significance import compare as paired
from trajectory.protocols import Scorer, Scores
from trajectory.run import load_run
from trajectory.schema import Histories, Queries, Split, UserError
from trajectory.settings import put
from trajectory.training import loop
from trajectory.training.auto_config import decide_after
from trajectory.training.experiment import Experiment, build
from trajectory.writing import write_csv, write_text

ALL, ALONE, ANY = "all_types", "target_types_alone", "any_next_event"
VARIANTS = {
    ALL: "reads all types of event and predicts the target types",
    ALONE: "reads the target types alone; who has no such event yet is shown what is popular",
    ANY: "reads all types of event and predicts the next event of any type",
}
PARTS = ("validation", "test")
METRIC = "ndcg@10"


def compare(config: ConfigDict, seeds: Sequence[int], out: Path) -> str:
    """Trains what is missing of each variant and seed, measures, and writes types.csv and types.md.

    Returns the latter. Raises UserError for a config without data.target_types, or a log without other types.
    """
    if not config.data.target_types:
        raise UserError(f"expected what is predicted, such as {hints.setting('data.target_types', ('purchase',))}")
    asked = build(config)
    if asked.histories.only_targets:
        types = ", ".join(asked.histories.event_types)
        raise UserError(f"{asked.histories.name} has no type of event beside {types}, so there is nothing to compare")
    found: dict[str, list[dict[str, Result]]] = {}
    cost: dict[str, list[float]] = {}
    for name in VARIANTS:
        for seed in seeds:
            scorer, summary = _trained(name, replace(asked, config=_seeded(asked.config, seed)), out / f"{name}_{seed}")
            found.setdefault(name, []).append(_measured(scorer, asked))
            cost.setdefault(name, []).append(summary["seconds_per_epoch"])
    counted = baseline_results(asked.histories, asked.split, asked.config)
    found |= {name: [result] for name, result in counted.items() if METRIC in result["test"].means()}
    table = _table(found, cost, asked)
    write_csv(table, out / "types.csv")
    text = _markdown(table, asked, len(seeds))
    write_text(f"{text}\n", out / "types.md")
    return text


class KnownAlone:
    """A model of the target events alone, asked by queries of all events; popularity where a user has none yet."""

    log_probabilities = False
    batch = None

    def __init__(self, inner: Scorer, popular: Baseline, before: np.ndarray) -> None:
        self.name, self.inner, self.popular, self.before = inner.name, inner, popular, before

    def score(self, queries: Queries) -> Scores:
        """Scores of items [n, V + 1]."""
        within = Queries(queries.user, *(self.before[at] for at in (queries.start, queries.stop, queries.end)))
        known = within.start < within.stop
        items = np.array(self.popular.scores(queries), np.float32)
        if known.any():
            items[known] = np.asarray(self.inner.score(Queries(*(column[known] for column in within))).items)
        return Scores(items)


def target_events_alone(histories: Histories, split: Split) -> tuple[Histories, Split, np.ndarray]:
    """Both without the events that are only read, and how many are left before each event, int64 [E + 1].

    Queries of users without any earlier target event are left out.
    """
    keep = histories.has_role("target")
    before = np.append(0, np.cumsum(keep))
    offsets = before[histories.offsets]
    columns = ("item", "time", "event_type", "value", "quantity", "label", "features")
    step = histories.step[keep]
    new = np.ones(len(step), bool)
    new[1:] = step[1:] != step[:-1]
    new[offsets[:-1][np.diff(offsets) > 0]] = True
    number = np.cumsum(new) - 1
    alone = replace(
        histories,
        offsets=offsets,
        step=(number - np.repeat(number[np.minimum(offsets[:-1], len(step) - 1)], np.diff(offsets))).astype(np.int32),
        roles={name: (*roles, "target") for name, roles in histories.roles.items()},
        **{name: getattr(histories, name)[keep] for name in columns},
    )

    def mapped(queries: Queries) -> Queries:
        within = Queries(queries.user, *(before[at] for at in (queries.start, queries.stop, queries.end)))
        known = within.start < within.stop
        return Queries(*(column[known] for column in within))

    train_end, validation, test = before[split.train_end], mapped(split.validation), mapped(split.test)
    return alone, replace(split, train_end=train_end, validation=validation, test=test), before


def _seeded(config: ConfigDict, seed: int) -> ConfigDict:
    config = config.copy_and_resolve_references()
    config.seed = seed
    return config


def _trained(name: str, asked: Experiment, workdir: Path) -> tuple[Scorer, dict[str, Any]]:
    experiment, before = asked, None
    if name == ALONE:
        histories, split, before = target_events_alone(asked.histories, asked.split)
        scale = FeatureScale.fit(histories, split)
        experiment = replace(asked, histories=histories, split=split, feature_scale=scale)
    if name == ANY:
        roles = {event_type: (*own, "target") for event_type, own in asked.histories.roles.items()}
        experiment = replace(asked, histories=replace(asked.histories, roles=roles))
    if "batch.after" not in asked.config.by_hand:  # as it is decided for each
        config = asked.config.copy_and_resolve_references()
        put(config, "batch.after", "auto")
        experiment = replace(experiment, config=decide_after(config, experiment.histories))
    summary = loop.train(experiment, workdir, ValidationMonitor(experiment))
    if summary["stopped_by"]:
        raise UserError(f"{workdir} was stopped; the same command goes on with it")
    predictor = load_run(workdir).predictor(experiment.histories).replace(feature_scale=experiment.feature_scale)
    scorer = ModelScorer(predictor, name)
    if before is None:
        return scorer, summary
    return KnownAlone(scorer, Popularity().fit(asked.histories, asked.split), before), summary


def _measured(scorer: Scorer, asked: Experiment) -> dict[str, Result]:
    h, e = asked.histories, asked.config.evaluation
    return {part: evaluate_scorer(scorer, h, asked.split.queries(part), e, coverage=False) for part in PARTS}


def _table(found: dict[str, list[dict[str, Result]]], cost: dict[str, list[float]], asked: Experiment) -> pl.DataFrame:
    """A row for each model and baseline; `lead` is that of ALL over it, of users' means over seeds on test."""
    e, rows = asked.config.evaluation, []

    def of_user(name: str) -> np.ndarray:
        return np.mean([result["test"].per_user[METRIC] for result in found[name]], axis=0)

    for name, results in found.items():
        means = {part: [result[part].means()[METRIC] for result in results] for part in PARTS}
        lead = {} if name == ALL else paired(of_user(ALL), of_user(name), e.bootstrap, asked.config.seed)
        rows.append(
            {
                "method": name,
                "validation": float(np.mean(means["validation"])),
                "test": float(np.mean(means["test"])),
                "over_seeds": float(np.std(means["test"], ddof=1)) if len(results) > 1 else None,
                "over_users": float(bootstrap(of_user(name), e.bootstrap, asked.config.seed).standard_error),
                "hr@10": float(np.mean([result["test"].means()["hr@10"] for result in results])),
                **{f"lead{'' if key == 'difference' else '_' + key}": value for key, value in lead.items()},
                "seconds_per_epoch": float(np.mean(cost[name])) if name in cost else None,
            }
        )
    table = pl.DataFrame(rows, infer_schema_length=None)
    return table.with_columns(lead_p_value=pl.Series(holm(table["lead_p_value"].fill_null(np.nan).to_list())))


def _markdown(table: pl.DataFrame, asked: Experiment, seeds: int) -> str:
    h, test = asked.histories, asked.split.test
    predicted = ", ".join(name for name in h.event_types if name not in h.only_read)
    lines = [
        f"{h.name}: {predicted} predicted, {', '.join(h.only_read)} read beside; {len(test.user):,} users tested "
        f"({asked.split.kind}, split.target={asked.config.split.target}), {h.num_items:,} candidates; "
        f"{asked.config.model.backbone}, {seeds} seeds",
        "",
        "| | validation NDCG@10 | test NDCG@10 | test HR@10 | all_types ahead by (95 % over users) | p (Holm) "
        "| s an epoch |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for row in table.sort("test", descending=True).iter_rows(named=True):
        spread = row["over_seeds"] if row["over_seeds"] is not None else row["over_users"]
        lead = "" if row["lead"] is None else f"{row['lead']:+.4f} ({row['lead_low']:+.4f} to {row['lead_high']:+.4f})"
        p = "" if row["lead"] is None else f"{row['lead_p_value']:.3f}"
        seconds = "" if row["seconds_per_epoch"] is None else f"{row['seconds_per_epoch']:.1f}"
        lines.append(
            f"| {row['method']} | {row['validation']:.4f} | {row['test']:.4f} ± {spread:.4f} | {row['hr@10']:.4f} "
            f"| {lead} | {p} | {seconds} |"
        )
    lines += ["", *(f"- {name}: {meaning}" for name, meaning in VARIANTS.items())]
    seeds = table["over_seeds"].drop_nulls().len() > 0
    of = "over seeds of models, over users of baselines; leads are of means over seeds" if seeds else "over users"
    lines.append(f"- ±: {of}")
    resamples, tests = asked.config.evaluation.bootstrap, table["lead_p_value"].drop_nulls().drop_nans().len()
    floor = min(tests / (resamples + 1), 1)
    lines.append(f"- p: of {resamples:,} resamples and {tests} comparisons, so that the smallest can be {floor:.3f}")
    return "\n".join(lines)
