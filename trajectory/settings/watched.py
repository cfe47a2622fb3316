"""A config in the hands of whoever asked for it: what is assigned to it is set by hand, as flags are."""

from __future__ import annotations

from typing import Any

from ml_collections import ConfigDict

from trajectory.settings.by_hand import plain, set_by_hand
from trajectory.settings.fields import SECTIONS


def watched(config: ConfigDict) -> ConfigDict:
    """A copy of a finished config; `config.train.epochs = 2` does to it what `set_by_hand` does.

    A field that there is not raises UserError.
    """
    return _Section().watch(plain(config))


class _Section(ConfigDict):  # type: ignore[misc]
    """A section, or the config as a whole. `_root` is None while it is being filled."""

    _root: _Section | None = None
    _path = ""

    def watch(self, values: ConfigDict, root: _Section | None = None, path: str = "") -> _Section:
        """Takes over the values, then watches."""
        root = self if root is None else root
        for key, value in values.items():
            name = f"{path}.{key}".lstrip(".")
            inner = _Section().watch(value, root, name) if name in SECTIONS else value
            ConfigDict.__setitem__(self, key, inner)
        for name, value in (("_root", root), ("_path", path)):
            object.__setattr__(self, name, value)
        return self

    def __setitem__(self, key: str, value: Any) -> None:
        name = f"{self._path}.{key}".lstrip(".")
        if self._root is None:
            super().__setitem__(key, value)
        elif name in SECTIONS:
            self[key].update(value)
        else:
            set_by_hand(self._root, {name: value})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ConfigDict) and bool(plain(self) == plain(other))

    __hash__ = ConfigDict.__hash__

    def copy_and_resolve_references(self, visit_map: dict[int, Any] | None = None) -> ConfigDict:
        """A copy; one of the whole config is watched, too."""
        return watched(self) if self._root is self else plain(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return (watched if self._root is self else plain), (plain(self),)
