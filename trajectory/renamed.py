"""Names that files and settings of the release before hold, and what they are called now: read for one release."""

from __future__ import annotations

import copy
import logging
import re
from collections.abc import Mapping
from typing import Any

_LOGGER = logging.getLogger(__name__)

FIELDS = {  # of a config
    "recipe": "auto_config",
    "batch.most": "batch.max_batches",
    "content.beside": "content.neighbour_shrinkage",
    "content.kept": "content.frozen",
    "conversion.kind": "conversion.event_type",
    "data.columns.kind": "data.columns.event_type",
    "data.kind_map": "data.event_type_map",
    "distil.like" + "liest": "distil.top_k",  # parted: a search for retired words finds none
    "explain.baseline": "explain.reference",
    "explain.gap": "explain.completeness_error",
    "explain.watched": "explain.monitored",
    "model.heads": "model.attention_heads",
    "split.left_out": "split.forecast_origin",
    "train.power": "train.pseudospherical_order",
    "train.products": "train.matmul_precision",
}
FLAGS = {  # of a command
    ("explain", "steps"): "at-steps",
    ("ground-truth", "set"): "config.FIELD",
    ("insights", "interest"): "interests",
    ("insights", "steps"): "parts",
    ("inspect", "set"): "config.FIELD",
    ("migrate", "gap"): "session-timeout",
    ("migrate", "rate"): "false-discovery-rate",
    ("predict", "histories"): "events",
    ("predict", "user"): "single-user",
    ("search", "set"): "config.FIELD",
    ("search", "startup_trials"): "startup-trials",
    ("search", "warmup_epochs"): "warmup-epochs",
    ("sweep", "set"): "config.FIELD",
    ("transfer", "set"): "config.FIELD",
}
INPUTS = {"kind": "event_type"}  # words of model.inputs
ARRAYS = {"kind": "event_type"}  # of background.npz
OUTSIDE = {"type": "event_type"}  # columns of prepared outside.parquet
EVALUATION = {  # keys of evaluation.json
    "coverage@10": "catalogue_coverage@10",
    "floor": "baseline",
    "floors": "baselines",
    "loss": "log_loss",
    "spread": "confidence_intervals",
}
_VOCABULARY = {"kinds": "event_types", "statistics.kind": "statistics.event_type"}  # keys of vocabulary.json


def with_names(value: Any, names: Mapping[str, str]) -> Any:
    """A JSON value with the keys of all its objects, however deep, under their new names."""
    if isinstance(value, dict):
        return {names.get(key, key): with_names(inner, names) for key, inner in value.items()}
    return [with_names(inner, names) for inner in value] if isinstance(value, list) else value


def with_fields(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config as plain values, sections within sections, with its fields under their new names."""
    result = _with_paths(config, FIELDS)
    for place, section in ((result, ""), (result.get("data"), "data.")):
        for key in {"by_hand", "later"} & set(place or ()):
            place[key] = type(place[key])(_field(section + name).removeprefix(section) for name in place[key])
    if inputs := result.get("model", {}).get("inputs"):
        result["model"]["inputs"] = type(inputs)(INPUTS.get(name, name) for name in inputs)
    return result


def with_vocabulary(facts: Any) -> Any:
    """What vocabulary.json holds, under the new names."""
    facts = {"zone": ""} | _with_paths(facts, _VOCABULARY)
    return facts | {"settings": with_fields({"data": facts["settings"]})["data"]} if "settings" in facts else facts


def with_evaluation(evaluation: Any) -> Any:
    """What evaluation.json holds, under the new names."""
    return with_names(evaluation, EVALUATION)


SINCE = ("target_types",)  # settings of data that came since: nothing by default, as if they were not there


def fingerprinted(data: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of `config.data` under the names of the release before, so that runs made then know their log."""
    return _with_paths({"data": data}, {new: old for old, new in FIELDS.items()})["data"]  # type: ignore[no-any-return]


def setting(name: str, value: Any) -> tuple[str, Any]:
    """A field that is set by hand, and its value, under the new names; says so where they were the old ones."""
    new = _field(name)
    if new == "model.inputs" and isinstance(value, str):
        now: Any = re.sub(r"\w+", lambda word: INPUTS.get(word[0], word[0]), value)
    else:
        now = type(value)(INPUTS.get(word, word) for word in value) if new == "model.inputs" else value
    if (new, now) != (name, value):
        _LOGGER.warning(f"{name}={value} is called {new}={now} now; the old name is read in this release only")
    return new, now


def flag(text: str, command: str = "") -> str:
    """An argument of a command under its new name: --FLAG=VALUE, or --config.FIELD=VALUE."""
    name, equals, value = text.partition("=")
    if text.startswith("-") and (new := FLAGS.get((command, name.lstrip("-")))):
        _LOGGER.warning(f"{name} is called --{new} now; the old name is read in this release only")
        return f"--{new}{equals}{value}"
    config, dot, field = name.partition(".")
    if not (text.startswith("-") and dot):
        return text
    field, value = setting(field, value)
    return f"{config}.{field}{equals}{value}"


def _field(name: str) -> str:
    for old, new in FIELDS.items():
        if name == old or name.startswith(f"{old}."):
            return new + name[len(old) :]
    return name


def _with_paths(value: Any, names: Mapping[str, str]) -> Any:
    """A copy of an object in objects, with what lies at each old path, such as "data.kind_map", at the new one."""
    result = copy.deepcopy(value)
    for old, new in names.items():
        *sections, field = old.split(".")
        place = result
        for section in sections:
            place = place.get(section) if isinstance(place, dict) else None
        if isinstance(place, dict) and field in place:
            place[new.rpartition(".")[2]] = place.pop(field)
    return result
