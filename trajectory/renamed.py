"""Names that files of the release before hold, and what they are called now: read for one release, never written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

EVALUATION = {"floors": "baselines", "floor": "baseline"}  # keys of evaluation.json


def with_names(value: Any, names: Mapping[str, str]) -> Any:
    """A JSON value with the keys of all its objects, however deep, under their new names."""
    if isinstance(value, dict):
        return {names.get(key, key): with_names(inner, names) for key, inner in value.items()}
    return [with_names(inner, names) for inner in value] if isinstance(value, list) else value
