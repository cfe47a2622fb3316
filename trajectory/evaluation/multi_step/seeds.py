"""Multi-step forecasts of several runs of one config: means over their seeds, with standard deviations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from trajectory.evaluation.multi_step.reliability import ALPHA, TITLES
from trajectory.evaluation.multi_step.report import LOWER_IS_BETTER, SHOWN, stated, table
from trajectory.evaluation.multi_step.rows import sequence_rows, sequences_table, step_rows
from trajectory.evaluation.protocol import SAME
from trajectory.results.measured import StepEvaluation
from trajectory.schema import UserError


def measured(results: Mapping[str, dict[str, Any]]) -> StepEvaluation:
    """Runs' trajectories.json ({run: content}) as one result; of two or more `markdown` ends with `over_seeds`."""
    rows = [row for name, content in results.items() for row in step_rows(name, content)]
    sequences = [row for name, content in results.items() for row in sequence_rows(name, content)]
    texts = [table(content) for content in results.values()]
    notes = list(dict.fromkeys(line for content in results.values() for line in stated(content)))
    markdown = "\n".join(texts + ([over_seeds(results)] if len(results) > 1 else []))
    return replace(
        StepEvaluation.of(rows, notes, markdown), tables={"sequences": sequences_table(sequences)} if sequences else {}
    )


def over_seeds(results: Mapping[str, dict[str, Any]]) -> str:
    """Markdown of what several runs' trajectories.json ({run: content}) say of test, as means over the runs.

    Of each step: the first forecaster's measures, its lead over the best baseline and those of the others, ± the
    standard deviation over the runs, and how many runs lead; of each kind of statement: how many of the steps are
    calibrated within sampling error (below the band's upper end), and the calibration error over the band's upper end
    (1 and less is within). Raises UserError if the runs were not measured alike, or there are fewer than two.
    """
    runs = list(results.values())
    if len(runs) < 2:
        raise UserError(f"expected two runs or more to compare seeds, got {', '.join(results) or 'none'}")
    for name, run in results.items():
        same = [key for key in SAME if run["protocol"].get(key) != runs[0]["protocol"].get(key)]
        if same or run["steps"] != runs[0]["steps"] or run["forecasters"] != runs[0]["forecasters"]:
            raise UserError(
                f"{name} was not measured as {next(iter(results))} ({', '.join(same) or 'steps or forecasters'} "
                "differ): seeds are compared of one config on one log"
            )
    facts, steps = runs[0]["protocol"], runs[0]["steps"]
    head = [f"{runs[0]['unit']} {h + 1}" for h in range(steps)]
    lines = [
        f"test, {facts['users']['test']:,} users; mean ± standard deviation over {len(runs)} runs "
        f"(seeds {', '.join(str(run['protocol']['seed']) for run in runs)})",
        "",
        *_row("", head),
        "|---|" + "--:|" * steps,
    ]
    for metric in SHOWN:
        first, *others = runs[0]["forecasters"]
        lines += _row(metric, _cells(_means(runs, first, metric), "{:.4f} ± {:.4f}"))
        lines += _row("... lead", _leads(runs, first, metric))
        for name in others:
            lines += _row(f"... lead of {name}", _leads(runs, name, metric))
    sets = [[x["all"] for x in run["reliability"]["sets"]] for run in runs]
    for title, of in (
        (f"sets at {1 - ALPHA:.0%}", sets),
        ("... of the best baseline", [run["baseline_sets"] for run in runs]),
    ):
        lines += _row(f"{title}: covered", _cells(_values(of, "coverage"), "{:.3f} ± {:.3f}"))
        lines += _row(f"{title}: mean size", _cells(_values(of, "mean_size"), "{:.1f} ± {:.1f}"))
    lines += [
        "",
        *_row("", ["steps within sampling error", "calibration error / band's upper end, mean over the steps"]),
    ]
    lines.append("|---|--:|--:|")
    for name, title in TITLES.items():
        if name in runs[0]["reliability"]:
            statements = [run["reliability"][name] for run in runs]
            within = _values(statements, "within_sampling_error").sum(axis=1)
            ratio = (_values(statements, "ece") / _values(statements, "high")).mean(axis=1)
            lines += _row(
                title,
                [
                    _mean_and_deviation(within, "{:.1f} ± {:.1f}") + f" of {steps}",
                    _mean_and_deviation(ratio, "{:.2f} ± {:.2f}"),
                ],
            )
    holds = _values(sets, "nominal_inside").sum(axis=1)
    smaller = _values(sets, "mean_size") < _values([run["baseline_sets"] for run in runs], "mean_size")
    lines += [
        "",
        f"the interval of the sets' coverage holds {1 - ALPHA:g} at {_mean_and_deviation(holds, '{:.1f} ± {:.1f}')} "
        f"of {steps} steps; they are smaller than the best baseline's at {int(smaller.sum())} of {smaller.size} steps "
        "and runs",
    ]
    return "\n".join(lines)


def _means(runs: Sequence[dict[str, Any]], name: str, metric: str) -> np.ndarray:
    return np.array([run["means"][name]["test"][metric] for run in runs])


def _values(runs: Sequence[Sequence[dict[str, Any]]], key: str) -> np.ndarray:
    """This value of each run and step, float64 [runs, H]."""
    return np.array([[step[key] for step in run] for run in runs], float)


def _leads(runs: Sequence[dict[str, Any]], forecaster: str, metric: str) -> list[str]:
    """Lead over the baseline that is best at the step, in its favour above 0 but for what is better below."""
    baselines = np.stack(
        [_means(runs, name, metric) for name in runs[0]["baselines"] if metric in runs[0]["means"][name]["test"]]
    )
    down = metric in LOWER_IS_BETTER
    lead = _means(runs, forecaster, metric) - (baselines.min(axis=0) if down else baselines.max(axis=0))
    wins = (lead < 0 if down else lead > 0).sum(axis=0)
    cells = zip(_cells(lead, "{:+.4f} ± {:.4f}"), wins, strict=True)
    return [f"{cell} ({n} of {len(runs)})" for cell, n in cells]


def _row(title: str, cells: Sequence[str]) -> list[str]:
    return [f"| {title} | " + " | ".join(cells) + " |"]


def _cells(values: np.ndarray, form: str) -> list[str]:
    return [_mean_and_deviation(column, form) for column in values.T]


def _mean_and_deviation(values: np.ndarray, form: str) -> str:
    return form.format(values.mean(), values.std(ddof=1))
