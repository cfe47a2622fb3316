"""Whether values are what their fields allow (settings/fields.py): told before anything is read or computed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ml_collections import ConfigDict

from trajectory.schema import UserError
from trajectory.settings.allowed import Allowed
from trajectory.settings.fields import SECTIONS

ALLOWED: Mapping[str, tuple[Any, Allowed]] = {
    f"{path}.{name}".lstrip("."): (field.default, field.allowed)
    for path, section in SECTIONS.items()
    for name, field in section.fields.items()
    if field.allowed
}


def check(config: ConfigDict) -> None:
    """Raises UserError for the first field of a config whose value, or one of whose values, cannot be."""
    for name in ALLOWED:
        value: Any = config
        for key in name.split("."):
            value = value[key]
        check_field(name, value)


def check_field(name: str, value: Any) -> None:
    """Raises UserError for a value that the field cannot have: what was expected, and what came."""
    if name not in ALLOWED:
        return
    default, allowed = ALLOWED[name]
    if not isinstance(value, _kinds(default)) or isinstance(value, bool):
        raise UserError(f"{name}={value!r}: expected a value of type {type(default).__name__}")
    several = isinstance(value, tuple | list)
    values = tuple(value) if isinstance(value, tuple | list) else (value,)
    if several and not value and allowed.filled:
        raise UserError(f"{name}=(): expected at least one number")
    whole = several and bool(default) and isinstance(default[0], int)
    for each in values:
        if not allowed.fits(each):
            if allowed.choices:
                raise UserError(f"{name}={value!r} is unknown; expected {allowed.words}")
            raise UserError(f"{name}={value!r}: expected {allowed.words}")
        if whole and each != int(each):
            raise UserError(f"{name}={value!r}: expected whole numbers")


def _kinds(default: Any) -> tuple[type, ...]:
    """The types that a config takes in place of a default."""
    if isinstance(default, tuple):
        return (tuple, list)
    return (int, float) if isinstance(default, float) else (type(default),)
