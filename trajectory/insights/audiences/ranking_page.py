"""How far a ranking of users held, as the page shows it: the methods beside each other, and the calibration."""

from __future__ import annotations

from typing import Any

import polars as pl

from trajectory.insights.report_model import Table

MEASURES = {"AUC": "{:.3f}", "from": "{:.3f}", "to": "{:.3f}", "lift at 10 %": "{:.2f}", "behind by": "{:+.3f}"}


def ranking_table(title: str, measured: dict[str, Any], of: str, units: str) -> Table:
    """The methods of what was measured; the note says `of` whom, then how far probabilities of the `units` held."""
    calibration = measured["calibration"]
    within = "within" if calibration["within_sampling_error"] else "outside"
    return Table(
        title,
        methods_table(measured),
        MEASURES,
        note=f"{of} Probabilities miss by {calibration['ece']:.2%} on average, {within} what a perfect model would "
        f"show (up to {calibration['high']:.2%}); {units} one by one: "
        f"{calibration['share_within_sampling_error']:.0%} within.{_bias(calibration)}",
    )


def _bias(calibration: dict[str, Any]) -> str:
    """That more or fewer were expected in all than came, where that is beyond chance."""
    if calibration["bias_within_sampling_error"]:
        return ""
    high = "high" if calibration["bias"] > 0 else "low"
    points = f"{100 * abs(calibration['bias']):.2f} percentage points"
    return f" In all they are too {high} by {points} on average, more than chance explains."


def methods_table(measured: dict[str, Any]) -> pl.DataFrame:
    """One row for each method: AUC with its interval, lift, and how far it is behind ours."""
    return pl.DataFrame(
        [
            {"ranked by": name, "AUC": of["auc"], "from": of["low"], "to": of["high"], "lift at 10 %": of["lift"]}
            | {"behind by": measured["leads"].get(name, {}).get("difference")}
            for name, of in measured["methods"].items()
        ],
        schema_overrides={"behind by": pl.Float64},
    )
