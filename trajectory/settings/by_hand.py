"""What is set by hand wins: automatic settings leave it alone, and what a config derives from it follows."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from ml_collections import ConfigDict

from trajectory.renamed import setting
from trajectory.schema import UserError
from trajectory.settings import within
from trajectory.settings.fields import SECTIONS


def set_by_hand(config: ConfigDict, values: Mapping[str, Any]) -> ConfigDict:
    """Sets fields ({"train.epochs": 2}) as --config.train.epochs=2 does: no automatic setting changes them again.

    The same happens where a field of a config that `preset` or `prepare` returned is assigned (settings/watched.py).
    Returns the same config. Raises UserError for a field that there is not, or a value that it cannot have.
    """
    before, values = plain(config), checked(values)
    for name, value in values.items():
        within.check_field(name, value)
        try:
            put(config, name, value)
        except TypeError:
            kind = type(get(config, name)).__name__
            raise UserError(f"{name}={value!r}: expected a value of type {kind}") from None
    return record(config, values, before)


def checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Fields with their values, by their new names. UserError for a field that there is not."""
    if not isinstance(values, Mapping):
        raise UserError(f'settings={values!r}: expected fields with their values, such as {{"train.epochs": 2}}')
    values = dict(setting(name, value) for name, value in values.items())
    for name in values:
        _require(name)
    return values


def record(config: ConfigDict, names: Iterable[str], before: ConfigDict) -> ConfigDict:
    """Notes that these fields were set by hand, and derives from them what `before` derived from its own.

    Those of `logging` are not noted: no run differs by them.
    """
    decisive = (name for name in names if not name.startswith("logging."))
    put(config, "by_hand", tuple(sorted({*config.by_hand, *decisive})))
    put(config, "data.by_hand", tuple(n.removeprefix("data.") for n in config.by_hand if n.startswith("data.")))
    m, b, t = before.model, before.batch, before.train
    if "model.width" in config.by_hand:
        fill(config, {"model.layers": tuple(max(layer * config.model.width // m.width, 1) for layer in m.layers)})
    if "batch.length" in config.by_hand:
        fill(config, {"batch.targets": max(b.targets * config.batch.length // b.length, 1)})
    if "train.epochs" in config.by_hand and t.patience_epochs == t.epochs:
        fill(config, {"train.patience_epochs": config.train.epochs})
    elif "train.epochs" in config.by_hand and before.auto_config == "auto" and t.patience_epochs == patience(t.epochs):
        fill(config, {"train.patience_epochs": patience(config.train.epochs)})
    if "train.pseudospherical_order" in config.by_hand and m.temperature:
        fill(
            config,
            {
                "model.temperature": m.temperature
                * (1 - t.pseudospherical_order)
                / (1 - config.train.pseudospherical_order)
            },
        )
    return config


def patience(epochs: int) -> int:
    """Epochs without a better validation after which an automatic training ends: a fifth of all, but 5 at least.

    Of four logs (Amazon Beauty, MovieLens-100K, Retailrocket, Foursquare) a fifth lost nothing that more epochs found;
    a tenth lost 8 % of validation NDCG@10 on Foursquare.
    """
    return max(5, epochs // 5)


def fill(config: ConfigDict, values: Mapping[str, Any]) -> None:
    """Sets those of the fields that were not set by hand."""
    for name, value in values.items():
        if name not in config.by_hand:
            put(config, name, value)


def put(config: ConfigDict, name: str, value: Any) -> None:
    """Sets a field that no hand sets, but the program."""
    section, _, field = name.rpartition(".")
    ConfigDict.__setitem__(_section(config, section), field, value)  # also of a config that is watched


def plain(config: ConfigDict) -> ConfigDict:
    """A copy that is not watched."""
    copy = ConfigDict(type_safe=config.is_type_safe, convert_dict=config.convert_dict)
    for key, value in config.items():
        copy[key] = plain(value) if isinstance(value, ConfigDict) else value
    return copy


def get(config: ConfigDict, name: str) -> Any:
    """The value of a field, such as "train.epochs"."""
    section, _, field = name.rpartition(".")
    return _section(config, section)[field]


def shown(config: ConfigDict, name: str) -> str:
    """The field and its value in one line, "train.epochs = 2"; dictionaries as the command line takes them.

    Numbers are without the last digits of their binary form.
    """
    value = get(config, name)
    if isinstance(value, float):
        return f"{name} = {float(f'{value:.10g}')}"
    return f"{name} = {value.to_dict() if isinstance(value, ConfigDict) else value}"


def _require(name: str) -> None:
    known = {
        f"{path}.{field}".removeprefix("."): default
        for path, section in SECTIONS.items()
        for field, (default, *_) in section.fields.items()
    }
    if name not in known and not isinstance(known.get(name.rpartition(".")[0]), dict):
        raise UserError(
            f"there is no field {name}; did you mean {_nearest(name, known)}? `trajectory configs fields` lists all"
        )


def _nearest(name: str, known: Iterable[str]) -> str:
    """The field that is meant: by its initials (optim.lr) or by its letters, of the same section where there is one."""
    section, _, field = name.rpartition(".")
    beside = [other for other in known if other.rpartition(".")[0] == section] or list(known)
    initials = {"".join(word[:1] for word in other.rpartition(".")[2].split("_")): other for other in beside}
    return initials.get(field) or difflib.get_close_matches(name, beside, 1, 0.0)[0]


def _section(config: ConfigDict, name: str) -> ConfigDict:
    for key in filter(None, name.split(".")):
        config = config[key]
    return config
