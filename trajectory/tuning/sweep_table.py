"""The numbers of a sweep for readers: a Markdown table with what it means, and a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from trajectory.direction import less_is_better
from trajectory.evaluation.target_steps import target_step_sentence
from trajectory.tuning.sweep_results import RESAMPLES, Outcome, chosen_metrics, summary
from trajectory.writing import write_csv, write_text


def write(
    outcomes: Mapping[str, Sequence[Outcome]], base: str, metrics: Sequence[str], notes: Sequence[str], out: Path
) -> tuple[pl.DataFrame, str]:
    """Writes sweep.csv, sweep.md and sweep.png into the folder `out`; returns the table and the text of sweep.md.

    `outcomes` holds each member's finished runs, at least one in all; `notes` end the text. Raises UserError if no run
    has any of the `metrics`.
    """
    metrics = chosen_metrics(outcomes, metrics)
    frame = summary(outcomes, base, metrics)
    first = next(run for runs in outcomes.values() for run in runs)
    text = markdown(frame, metrics, first.monitor, first.evaluation["protocol"])
    text += "".join(f"- {note}\n" for note in notes)
    write_csv(frame, out / "sweep.csv")
    write_text(text, out / "sweep.md")
    draw(frame, metrics, out / "sweep.png")
    return frame, text


def markdown(frame: pl.DataFrame, metrics: Sequence[str], monitor: str, protocol: Mapping[str, Any]) -> str:
    """Table of `sweep.summary`, aligned so that it is legible as plain text, with a statement of what was measured."""
    base = frame.filter(row="base")["name"][0]
    tests = frame.filter(pl.col("row") == "member").height
    header = ["", "seeds", f"validation {monitor}"]
    for metric in metrics:
        header += [metric, *(["against base (p)"] if tests else [])]
    cells = [[*header, "best epoch", "steps to base", "s/epoch"]]
    for row in frame.iter_rows(named=True):
        label = {"baseline": "baseline: {}", "base": "{} (base)", "member": "{}"}[row["row"]].format(row["name"])
        line = [label, _text(row["seeds"], "{}"), _mean_and_deviation(row, "validation")]
        for metric in metrics:
            line += [_mean_and_deviation(row, metric), *([_lead(row, metric)] if tests else [])]
        speed = [_text(row["steps_to_base"], "{:,.0f}"), _text(row["seconds_per_epoch"], "{:.1f}")]
        cells.append([*line, row["best_epoch"] or "", *speed])
    width = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    lines = [
        "| " + " | ".join(f"{text:{'>' if i else '<'}{width[i]}}" for i, text in enumerate(line)) + " |"
        for line in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (w + 1) + (":" if i else "-") for i, w in enumerate(width)) + "|")
    return "\n".join([*lines, "", *_statement(base, tests, monitor, protocol), ""])


def draw(frame: pl.DataFrame, metrics: Sequence[str], path: Path) -> None:
    """A dot a member with its deviation over seeds, a panel a metric, and a line where the best baseline is."""
    from trajectory.reports import charts, pictures

    rows = frame.filter(pl.col("row") != "baseline", pl.col("seeds") > 0)
    over_seeds = bool((rows["seeds"] > 1).all())
    panels = []
    for metric in metrics:
        error = f"{metric}_sd" if over_seeds else f"{metric}_standard_error"
        shown = rows.select("name", metric, error, base=pl.col("row") == "base")
        baselines = frame.filter(pl.col("row") == "baseline").drop_nulls(metric)
        best = baselines.sort(metric, descending=not less_is_better(metric)).head(1)
        title = "".join(
            f"best baseline (broken line): {name} ({value:.4f})" for name, value in best["name", metric].rows()
        )
        chart = charts.intervals(shown, "name", metric, error, title, f"test {metric}", errors=1)
        panels.append(chart + charts.rule(best[metric][0]) if best.height else chart)
    what = "standard deviation over seeds" if over_seeds else "standard error over users"
    pictures.save(charts.panels(panels, len(panels), f"mean over seeds, bars: ± {what}; square: the base"), path)


def _statement(base: str, tests: int, monitor: str, protocol: Mapping[str, Any]) -> list[str]:
    lines = [
        f"- test of {protocol['data']} ({protocol['fingerprint'][:12]}), {protocol['users']['test']:,} users, split "
        f"{protocol['split']}: {protocol['guarantee']}",
        f"- mean ± standard deviation over seeds; checkpoints chosen by validation {monitor}; best epoch of those run; "
        "steps until as good on validation as the base of the same seed at its best, empty if one never was",
    ]
    if targets := target_step_sentence(protocol, "test"):
        lines.insert(1, f"- {targets}")
    if tests:
        lines.append(
            f"- against the base, {base}: mean difference over users, each user's metric averaged over the seeds "
            f"first, with its 95 % bootstrap interval ({RESAMPLES} resamples of the users); p of the paired "
            "randomisation test, adjusted for as many tests as its column shows (Holm)"
        )
    return lines


def _mean_and_deviation(row: dict[str, Any], name: str) -> str:
    sd = row[f"{name}_sd"]
    return _text(row[name], "{:.4f}") + ("" if sd is None else f" ± {sd:.4f}")


def _lead(row: dict[str, Any], metric: str) -> str:
    values = [row[f"{metric}_{key}"] for key in ("difference", "low", "high", "p_value_holm")]
    return "" if None in values else "{:+.4f} ({:+.4f} to {:+.4f}), p = {:.2g}".format(*values)


def _text(value: Any, form: str) -> str:
    return "" if value is None else form.format(value)
