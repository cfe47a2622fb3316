"""A config with every field at its default."""

from __future__ import annotations

from typing import Any

from ml_collections import ConfigDict

from trajectory.settings.fields import SECTIONS


def base(model: str = "transformer") -> ConfigDict:
    """The defaults of all fields (trajectory/settings/fields.py); a preset changes what its domain needs."""
    sections = {"": ConfigDict()}
    for path, section in SECTIONS.items():
        parent, _, name = path.rpartition(".")
        if name:
            sections[path] = sections[parent][name] = ConfigDict()
        for field, (default, *_) in section.fields.items():
            sections[path][field] = _own(default)
    sections[""].model.backbone = model
    return sections[""]


def _own(default: Any) -> Any:
    """A default that no other config shares."""
    return ConfigDict(default, convert_dict=False) if isinstance(default, dict) else default
