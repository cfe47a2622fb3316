"""Packages that the core does without: which extra brings each, and what is said where one is missing."""

from __future__ import annotations

import importlib.util

from trajectory.schema import UserError

EXTRAS = {
    "captum": "captum",
    "lime": "explain",
    "optuna": "search",
    "safetensors": "text",
    "shap": "explain",
    "statsforecast": "demand",
    "tensorboardX": "tracking",
    "tokenizers": "text",
    "wandb": "tracking",
}


def installed(package: str) -> bool:
    """Whether a package is there; it is not imported."""
    return importlib.util.find_spec(package) is not None


def advice(package: str) -> str:
    """How a missing package is installed."""
    return f"{package} is not installed: pip install 'interest-trajectory[{EXTRAS[package]}]'"


def require(package: str, job: str) -> None:
    """Raises UserError, which names the extra, where a package that `job` needs is missing."""
    if not installed(package):
        raise UserError(f"{job} needs a further package; {advice(package)}")
