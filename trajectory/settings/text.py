"""One field of a config from a line of text, as `trajectory inspect --config.data.FIELD=VALUE` takes it."""

from __future__ import annotations

import ast
import difflib
from typing import Any

from ml_collections import ConfigDict

from trajectory.renamed import setting
from trajectory.schema import UserError
from trajectory.settings.written import boolean, words


def set_by_text(config: ConfigDict, text: str) -> None:
    """Sets one field of `config`, as "data.day_first=yes" says. UserError if there is none, or one of another type."""
    name, equals, value = text.partition("=")
    name, value = setting(name.removeprefix("config."), value)
    *sections, field = name.split(".")
    place = config
    for section in sections:
        if section not in place or not isinstance(place[section], ConfigDict):
            raise UserError(f"--config.{text}: there is no section {section!r}; expected --config.data.FIELD=VALUE")
        place = place[section]
    if not equals or field not in place:
        near = difflib.get_close_matches(field, list(place), 1, 0.0)
        raise UserError(
            f"--config.{text}: expected --config.data.FIELD=VALUE; did you mean {'.'.join([*sections, *near])}?"
        )
    now = place[field]
    try:
        if isinstance(now, ConfigDict):
            now.update(ConfigDict(ast.literal_eval(value), convert_dict=False))
        else:
            place[field] = _typed(value, now)
    except (ValueError, SyntaxError, TypeError):
        kind = "dict" if isinstance(now, ConfigDict) else type(now).__name__
        expected = "yes or no" if isinstance(now, bool) else f"a {kind} such as {now!r}"
        raise UserError(f"--config.{text}: expected {expected}") from None


def _typed(text: str, now: Any) -> Any:
    """`text` as the type of the field's value."""
    if isinstance(now, str):
        return text
    if isinstance(now, tuple):
        return words(text)
    if isinstance(now, bool):
        if (yes := boolean(text)) is None:
            raise ValueError
        return yes
    return ast.literal_eval(text)
