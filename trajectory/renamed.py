"""Names that files of the release before hold, and what they are called now: read for one release, never written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FIELDS = {  # of a config
    "recipe": "auto_config",
    "batch.most": "batch.max_batches",
    "content.beside": "content.neighbour_shrinkage",
    "content.kept": "content.frozen",
    "distil.likeliest": "distil.top_k",
    "explain.baseline": "explain.reference",
    "explain.gap": "explain.completeness_error",
    "explain.watched": "explain.monitored",
    "model.heads": "model.attention_heads",
    "split.left_out": "split.forecast_origin",
    "train.power": "train.pseudospherical_order",
    "train.products": "train.matmul_precision",
}
EVALUATION = {"floors": "baselines", "floor": "baseline"}  # keys of evaluation.json


def with_names(value: Any, names: Mapping[str, str]) -> Any:
    """A JSON value with the keys of all its objects, however deep, under their new names."""
    if isinstance(value, dict):
        return {names.get(key, key): with_names(inner, names) for key, inner in value.items()}
    return [with_names(inner, names) for inner in value] if isinstance(value, list) else value


def with_fields(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config as plain values, sections within sections, with its fields under their new names."""
    result = {key: dict(value) if isinstance(value, Mapping) else value for key, value in config.items()}
    for old, new in FIELDS.items():
        section, _, field = old.rpartition(".")
        fields = result.get(section, {}) if section else result
        if field in fields:
            fields[new.rpartition(".")[2]] = fields.pop(field)
    if "by_hand" in result:
        result["by_hand"] = type(result["by_hand"])(FIELDS.get(name, name) for name in result["by_hand"])
    return result
