"""Prints and writes a page of what is understood of a log, before anything is stored.

trajectory inspect LOG [--set=data.day_first=yes]: LOG is a file, a folder, the name of a domain, or tfds:NAME.
"""

from __future__ import annotations

import ast
import difflib
from pathlib import Path
from typing import Any

from absl import flags
from ml_collections import ConfigDict

from trajectory.renamed import setting
from trajectory.schema import UserError
from trajectory.settings import base
from trajectory.settings.flags import words

OUT = flags.DEFINE_string("out", "inspect.html", "the page to write")
SET = flags.DEFINE_multi_string("set", [], "a setting, data.FIELD=VALUE; repeatable")


def main(log: str) -> None:
    """Inspects `log` with the settings."""
    from trajectory.inspection.page import show

    config = base()
    config.data.source = log
    for text in SET.value:
        change(config, text)
    show(config.data, Path(OUT.value))


def change(config: ConfigDict, text: str) -> None:
    """Sets one field of `config`, as "data.day_first=yes" says. UserError if there is none, or one of another type."""
    name, equals, value = text.partition("=")
    name, value = setting(name.removeprefix("config."), value)
    *sections, field = name.split(".")
    place = config
    for section in sections:
        if section not in place or not isinstance(place[section], ConfigDict):
            raise UserError(f"--set {text}: there is no section {section!r}; expected data.FIELD=VALUE")
        place = place[section]
    if not equals or field not in place:
        near = difflib.get_close_matches(field, list(place), 1, 0.0)
        raise UserError(f"--set {text}: expected data.FIELD=VALUE; did you mean {'.'.join([*sections, *near])}?")
    now = place[field]
    try:
        if isinstance(now, ConfigDict):
            now.update(ConfigDict(ast.literal_eval(value), convert_dict=False))
        else:
            place[field] = _typed(value, now)
    except (ValueError, SyntaxError, TypeError):
        kind = "dict" if isinstance(now, ConfigDict) else type(now).__name__
        raise UserError(f"--set {text}: expected a {kind} such as {now!r}") from None


def _typed(text: str, now: Any) -> Any:
    """`text` as the type of the field's value."""
    if isinstance(now, str):
        return text
    if isinstance(now, tuple):
        return words(text.strip("()"))
    return ast.literal_eval(text)
