"""trajectories.json as rows of a table, for each measure of each step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import polars as pl

CALIBRATED = ", calibrated"  # behind the name of a forecaster
UNCALIBRATED = "uncalibrated_"  # before the name of what was measured before calibration
TIMES = {  # measure of times -> metric
    "median_error_days": "time_median_error_days",
    "mean_error_days": "time_mean_error_days",
    "log_loss": "time_log_loss",
    "coverage_80": "time_coverage_80",
}
SETS = {"coverage": "set_coverage_90", "mean_size": "set_size_90"}


class Row(NamedTuple):
    """One measure of one step."""

    run: str
    part: str
    method: str
    calibrated: bool | None  # None of what counts alone
    metric: str
    step: int  # from 1
    value: float | None
    standard_error: float | None = None


def step_rows(run: str, content: dict[str, Any]) -> Iterator[Row]:
    """What a run's trajectories.json says of each step: of items, times, sets and calibration."""
    yield from _means(run, content)
    yield from _times(run, content)
    if "reliability" in content:
        yield from _reliability(run, content)


def sequence_rows(run: str, content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What it says of whole sequences, where it does."""
    for name, row in content.get("sequences", {}).get("rows", {}).items():
        method, calibrated = _method(content, name)
        yield {"run": run, "method": method, "calibrated": calibrated} | row


def sequences_table(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows of `sequence_rows` as a table."""
    return pl.DataFrame(rows, schema_overrides={"calibrated": pl.Boolean})


def _method(content: dict[str, Any], name: str) -> tuple[str, bool | None]:
    known = name in content["forecasters"]
    return name.removesuffix(CALIBRATED), name.endswith(CALIBRATED) if known else None


def _means(run: str, content: dict[str, Any]) -> Iterator[Row]:
    for name, by_part in content["means"].items():
        for part, by_metric in by_part.items():
            errors = content["standard_errors"][name][part]
            for metric, values in by_metric.items():
                for h, (value, error) in enumerate(zip(values, errors[metric], strict=True)):
                    yield Row(run, part, *_method(content, name), metric, h + 1, value, error)


def _times(run: str, content: dict[str, Any]) -> Iterator[Row]:
    for name, by_part in content.get("times", {}).items():
        for part, measures in by_part.items():
            for measure, metric in TIMES.items():
                errors = measures.get(f"{measure}_standard_error", [None] * len(measures[measure]))
                for h, (value, error) in enumerate(zip(measures[measure], errors, strict=True)):
                    yield Row(run, part, *_method(content, name), metric, h + 1, value, error)


def _reliability(run: str, content: dict[str, Any]) -> Iterator[Row]:
    """Of test; the forecaster that is calibrated is the first."""
    method, calibrated = _method(content, content["forecasters"][0])
    for name, steps in content["reliability"].items():
        before = name.startswith(UNCALIBRATED)
        for h, said in enumerate(steps if name != "sets" else ()):
            metric = f"calibration_error_{name.removeprefix(UNCALIBRATED)}"
            yield Row(run, "test", method, calibrated and not before, metric, h + 1, said["ece"])
    for h, (own, counted) in enumerate(zip(content["reliability"]["sets"], content["baseline_sets"], strict=True)):
        for measure, metric in SETS.items():
            yield Row(run, "test", method, calibrated, metric, h + 1, own["all"][measure])
            yield Row(run, "test", counted["baseline"], None, metric, h + 1, counted[measure])
