"""A model compared with baselines, with the protocol: what each number means, printed with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from trajectory.data.pipeline.featurize import slices
from trajectory.evaluation.reach import reach_facts, reach_sentence
from trajectory.evaluation.target_steps import target_step_facts, target_step_sentence
from trajectory.metrics.ranking import COVERAGE_CUTOFF, Result, evaluate_scorer
from trajectory.metrics.significance import bootstrap, compare
from trajectory.progress import progress
from trajectory.protocols import Scorer
from trajectory.schema import Histories, Queries, Split

PARTS = ("validation", "test")
OLD_SPREAD = "95 % percentile "  # before the word bootstrap in evaluations of the release before, of intervals alone
_FEW_STEPS = "too few steps to hold any out"
_UNASKED = {
    "temporal": "nothing that is predicted in the held-out window, or no event before it"
}  # split -> why it asks a user for nothing
MAIN_CUTOFF = 10  # of tables and paired tests; the largest one where the config has no such cutoff


def evaluate(
    scorer: Scorer,
    baselines: Mapping[str, Mapping[str, Result]],
    histories: Histories,
    split: Split,
    config: ConfigDict,
    parts: Sequence[str] = PARTS,
    singles: Sequence[Scorer] = (),
    cold: np.ndarray | None = None,
    **facts: Any,
) -> tuple[dict[str, Any], dict[str, Result]]:
    """Evaluates the model on `parts` and compares it with the `baselines`, as `measure` measured them there.

    `config` is the whole config, `facts` go to the protocol.

    Returns what is reported and the model's result on each part. The former is numbers and text only (JSON):
    `metrics` {part: {metric: mean}}, `baselines` {baseline: {part: {metric: mean}}}, `confidence_intervals` {part:
    {metric: {low, high, standard_error}}} with the same of the baselines under
    `confidence_intervals["baselines"][baseline]`, `paired` {part: {metric: the model against the baseline that is best
    at it on that part}}, and `protocol`. A metric is absent where a scorer has none or nobody counts. Where the model
    is an ensemble of `singles`, also their `members` {member: {part: ...}}, `confidence_intervals["members"]`, and
    `paired_member` {part: {metric: the ensemble against the member of the best validation NDCG}}. `cold` as in
    `evaluate_scorer`.
    """
    members = {member.name: member for member in singles}
    unmeasured = {name: member for name, member in members.items() if name not in baselines}
    measured = measure({"": scorer, **unmeasured}, histories, split, config, parts, cold)
    results: dict[str, Mapping[str, Result]] = {**measured, **baselines}
    means = {name: {part: result.means() for part, result in by_part.items()} for name, by_part in results.items()}
    interval = {
        name: {part: confidence_intervals(result, config) for part, result in by_part.items()}
        for name, by_part in progress(results.items(), "resampling users", len(results))
    }
    report: dict[str, Any] = {
        "metrics": means[""],
        "baselines": {name: means[name] for name in baselines},
        "confidence_intervals": {**interval[""], "baselines": {name: interval[name] for name in baselines}},
        "paired": {
            part: _paired({name: results[name][part] for name in ("", *baselines)}, config)
            for part in progress(parts, "comparing")
        },
        "protocol": protocol(histories, split, config, parts, **facts),
    }
    if members:
        report["members"] = {name: means[name] for name in members}
        report["confidence_intervals"]["members"] = {name: interval[name] for name in members}
        metric = f"ndcg@{_cutoff(config.evaluation.cutoffs)}"
        best = max(members, key=lambda name: means[name][PARTS[0]][metric])
        report["paired_member"] = {
            part: _paired({name: results[name][part] for name in ("", best)}, config, "member") for part in parts
        }
    return report, measured[""]


def measure(
    scorers: Mapping[str, Scorer],
    histories: Histories,
    split: Split,
    config: ConfigDict,
    parts: Sequence[str] = PARTS,
    cold: np.ndarray | None = None,
) -> dict[str, dict[str, Result]]:
    """What each scorer reaches on each of `parts`, {scorer: {part: result}}; arguments as for `evaluate`."""
    return {
        name: {
            part: evaluate_scorer(
                scorer, histories, split.queries(part), config.evaluation, label=f"{name or 'model'}, {part}", cold=cold
            )
            for part in parts
        }
        for name, scorer in scorers.items()
    }


def protocol(
    histories: Histories, split: Split, config: ConfigDict, parts: Sequence[str] = PARTS, **facts: Any
) -> dict[str, Any]:
    """What a reader must know to trust or repeat the numbers; `facts` (checkpoint, training seeds ...) are added."""
    e = config.evaluation
    queries = {part: split.queries(part) for part in parts}
    stated = {
        "data": histories.name,
        "fingerprint": histories.fingerprint,
        "split": split.kind,
        "guarantee": split.guarantee,
        "cut": {name: value if isinstance(value, int | float) else str(value) for name, value in split.cut.items()},
        "users": {part: len(q.user) for part, q in queries.items()},
        "log_users": histories.num_users,
        "cutoffs": list(e.cutoffs),
        "confidence_intervals": f"bootstrap over users, {e.bootstrap} resamples",
        "least_p_value": 1 / (e.bootstrap + 1),  # of as many permutations
        "seed": config.seed,
        **facts,
    }
    if config.heads.item:
        targets = {part: _targets(histories, q)[1] for part, q in queries.items()}
        stated |= {
            "targets": {part: len(item) for part, item in targets.items()},
            **target_step_facts(histories, queries, config.split),
            "target_items": {part: _distinct(histories, q) for part, q in queries.items()},
            "cold_targets": {part: int((item > histories.num_items).sum()) for part, item in targets.items()},
            "cold_rule": "a target outside the catalogue is a miss, never left out",
            "candidates": histories.num_items,
            "candidate_rule": "the full catalogue, no sampling, "
            + ("without" if e.seen == "filter" else "with")
            + " the items of the user's history",
            "seen": e.seen,
            **reach_facts(histories, queries, e.seen),
            "log_loss": "of the whole distribution" + (", before seen items leave" if e.seen == "filter" else ""),
            "ties": "equal scores share their expected rank under random order, and metrics are of that rank",
        }
    if config.heads.conversion:
        stated["conversion"] = _conversion_asked(histories, split, config.conversion)
    return stated


def _conversion_asked(histories: Histories, split: Split, asked: ConfigDict) -> str:
    """What is asked of conversions, `asked` being the section of the config."""
    if (histories.label >= 0).any():
        return "the label that the log states of each event"
    number, unit = (asked.horizon_events, "event") if asked.horizon_events else (asked.horizon_days, "day")
    within, place = f"{number:g} {unit}{'s' * (number != 1)}", " of the window" * (split.kind == "temporal")
    if asked.unit == "session":
        return (
            f"does a {asked.event_type} follow an event{place} later in its session, which ends after "
            f"{asked.session_minutes:g} minutes without an event; events whose session was not seen to end are left out"
        )
    follows = f"does a {asked.event_type} follow an event{place}"
    if asked.unit == "cart":
        follows = f"does a {asked.event_type} of its item follow a cart event{place}"
    return f"{follows} within {within}; events whose horizon was not observed are left out"


def table(evaluation: dict[str, Any], part: str = "test") -> str:
    """Markdown table of the model and its baselines on `part` with the protocol below, legible as plain text too."""
    model = "ensemble" if "members" in evaluation else "model"
    means, intervals = {model: evaluation["metrics"][part]}, {model: evaluation["confidence_intervals"][part]}
    for kind in ("members", "baselines"):
        means |= {name: by[part] for name, by in evaluation.get(kind, {}).items()}
        intervals |= {name: by[part] for name, by in evaluation["confidence_intervals"].get(kind, {}).items()}
    columns = [name for name in _main(evaluation["protocol"]["cutoffs"]) if any(name in row for row in means.values())]
    cells = [["", *columns]]
    for name, row in means.items():
        cells.append([name, *(_cell(row.get(column), intervals.get(name, {}).get(column)) for column in columns)])
    width = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    lines = ["| " + " | ".join(_pad(text, width[i], i) for i, text in enumerate(row)) + " |" for row in cells]
    lines.insert(1, "|" + "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(width)) + "|")
    paired = [
        f"{metric}: {model} - {test[other]} = {test['difference']:+.4f} "
        f"(95 % {test['low']:+.4f} to {test['high']:+.4f}"
        + (f", p = {test['p_value']:.3g})" if "p_value" in test else ")")
        for key, other in (("paired", "baseline"), ("paired_member", "member"))
        for metric, test in evaluation.get(key, {}).get(part, {}).items()
    ]
    return "\n".join(
        [*lines, "", *_bullets(list(dict.fromkeys(paired))), *_bullets(statement(evaluation["protocol"], part)), ""]
    )


def _distinct(histories: Histories, queries: Queries) -> int:
    """Targets that are different items of one query."""
    row, item = _targets(histories, queries)
    return len(np.unique(row * (len(histories.items) + 1) + item))


def _targets(histories: Histories, queries: Queries) -> tuple[np.ndarray, np.ndarray]:
    """Number of the query and item of each target event."""
    row, event = slices(queries.stop, queries.end)
    item = histories.target_item[event]
    return row[item > 0], item[item > 0]


def measured_users(facts: dict[str, Any], part: str) -> str:
    """How many users are measured, of how many: "9 of 107 users"; without the latter where it was not stated."""
    users, everybody = facts["users"][part], facts.get("log_users", 0)
    return f"{users:,} of {everybody:,} users" if users < everybody else f"{users:,} users"


def statement(facts: dict[str, Any], part: str) -> list[str]:
    """The protocol in sentences."""
    lines = [f"{part} of {facts['data']} ({facts['fingerprint'][:12]}), split {facts['split']}: {facts['guarantee']}"]
    if targets := target_step_sentence(facts, part):
        lines.append(targets)
    others = facts["users"][part] < facts.get("log_users", 0)
    lines.append(
        measured_users(facts, part) + f" (the others have {_UNASKED.get(facts['split'], _FEW_STEPS)})" * others
    )
    if "candidates" in facts:
        lines[-1] += (
            f"; {facts['targets'][part]:,} targets, of which {facts['cold_targets'][part]:,} cold "
            f"({facts['cold_rule']}){reach_sentence(facts, part)}; {facts['candidates']:,} candidates "
            f"({facts['candidate_rule']}); ties: {facts['ties']}"
        )
        items = facts.get("target_items", facts["targets"])[part]  # evaluations made before it had none
        if items < facts["targets"][part]:
            lines[-1] += f"; targets are events, of which HR, recall and NDCG count each item of a user once: {items:,}"
        if all_listed := [n for n in facts["cutoffs"] if n >= facts["candidates"] and facts.get("seen") == "keep"]:
            lines[-1] += f"; a list of {min(all_listed)} holds all candidates, so that HR and recall tell nothing there"
        if "log_loss" in facts:
            lines[-1] += f"; log-loss: {facts['log_loss']}"
    if conversion := conversion_sentence(facts, part):
        lines.append(conversion)
    resampled = facts["confidence_intervals"].removeprefix(OLD_SPREAD)
    least = f"; no p can be below {facts['least_p_value']:.3g}" if "least_p_value" in facts else ""
    lines.append(f"± is the standard error ({resampled}){least}; seed {facts['seed']}")
    if "interests" in facts:
        lines.append(f"interests are {facts['interests']}")
    if "checkpoint" in facts:
        lines.append(f"checkpoint: {facts['checkpoint']}")
    if "members" in facts:
        lines.append(f"ensemble: {facts['combination']}")
        for name, of in facts["members"].items():
            lines.append(f"member {name}: " + ", ".join(f"{key} {_shown(value)}" for key, value in of.items()))
    return lines


def conversion_sentence(facts: dict[str, Any], part: str) -> str:
    """What is asked of conversions, of how many events, and why nothing is measured; "" of a run that learned none."""
    if "conversion" not in facts:
        return ""
    text = f"conversion: {facts['conversion']}"
    if part not in facts.get("conversion_events", {}):  # of an evaluation made before these were counted
        return text
    events = facts["conversion_events"][part]
    asked, labelled, converting = (events[name] for name in ("asked", "labelled", "converting"))
    text += f"; {labelled:,} of {asked:,} events of {part} have a label, {converting:,} of them convert"
    if 0 < converting < labelled:
        return text
    by_user = facts["split"] != "temporal" and "within" in facts["conversion"]
    return f"{text}: without both kinds nothing is measured{' (split.kind=temporal asks more events)' * by_user}"


def confidence_intervals(result: Result, config: ConfigDict) -> dict[str, dict[str, float]]:
    """Of each metric over users: low, high and standard_error."""
    per_user = {name: value for name, value in result.per_user.items() if np.isfinite(value).any()}
    columns = np.stack(list(per_user.values()), axis=1)
    low, high, error = map(np.atleast_1d, bootstrap(columns, config.evaluation.bootstrap, config.seed))
    return {
        name: {"low": float(low[i]), "high": float(high[i]), "standard_error": float(error[i])}
        for i, name in enumerate(per_user)
    }


def _paired(results: dict[str, Result], config: ConfigDict, other: str = "baseline") -> dict[str, dict[str, Any]]:
    model = results[""]
    tests = {}
    for metric in _main(config.evaluation.cutoffs):
        means = {name: result.means()[metric] for name, result in results.items() if name and metric in result.means()}
        if metric in model.per_user and metric in model.means() and means:
            best = max(means, key=means.__getitem__)
            pair = model.per_user[metric], results[best].per_user[metric]
            tests[metric] = {other: best, **compare(*pair, config.evaluation.bootstrap, config.seed)}
    return tests


def _cutoff(cutoffs: Sequence[int]) -> int:
    return MAIN_CUTOFF if MAIN_CUTOFF in cutoffs else max(cutoffs)


def _main(cutoffs: Sequence[int]) -> list[str]:
    k = _cutoff(cutoffs)
    names = [
        f"hr@{k}",
        f"recall@{k}",
        f"ndcg@{k}",
        f"mrr@{k}",
        f"recall@{k}_repeat",
        f"recall@{k}_explore",
        f"hr@{k}_cold",
    ]
    conversion = ("auc", "accuracy", "log_loss", "calibration_error", "log_loss_calibrated")
    conversions = [f"conversion_{name}" for name in (*conversion, "calibration_error_calibrated")]
    return [*names, "interest_accuracy", *conversions, f"catalogue_coverage@{COVERAGE_CUTOFF}"]


def _cell(mean: float | None, interval: dict[str, float] | None) -> str:
    if mean is None:
        return "-"
    return f"{mean:.4f}" + (f" ± {interval['standard_error']:.4f}" if interval else "")


def _shown(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _pad(text: str, width: int, column: int) -> str:
    return text.ljust(width) if column == 0 else text.rjust(width)


def _bullets(lines: Sequence[str]) -> list[str]:
    return [f"- {line}" for line in lines]


# Of the protocol: where these differ, two runs were not asked the same and are not compared.
SAME = ("fingerprint", "split", "cut", "users", "seen", "candidates")
