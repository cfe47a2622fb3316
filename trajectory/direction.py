"""Whether less or more of a metric is better: for monitors, sweeps and all tables that mark a best."""

from __future__ import annotations


def less_is_better(metric: str) -> bool:
    """True of losses and errors: "loss", "conversion_log_loss", "conversion_calibration_error_calibrated"."""
    return metric.removesuffix("_calibrated").endswith(("loss", "error"))
