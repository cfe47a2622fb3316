"""The argument string of a preset, behind the colon of --config=complete_journey:model=gru,tiny."""

from __future__ import annotations

import difflib
from typing import Any

from ml_collections import ConfigDict

from trajectory.schema import UserError
from trajectory.settings.fields import BACKBONES
from trajectory.settings.written import boolean


def parse_arg(arg: str, **defaults: Any) -> ConfigDict:
    """Reads "model=gru,tiny" into the types of `defaults`; a bare name means True. Raises UserError on anything else.

    Every preset takes `model` (one of BACKBONES) and `tiny` (a first look at few users: recipes.shrink).
    """
    values: dict[str, Any] = {"model": "transformer", "tiny": False, **defaults}
    for part in filter(None, (arg or "").split(",")):
        key, _, text = part.partition("=")
        if key not in values:
            near = difflib.get_close_matches(key, values, 1, 0.0)[0]
            raise UserError(f"unknown config argument {key!r}; did you mean {near!r}? It takes: {', '.join(values)}")
        values[key] = _typed(key, text if "=" in part else "true", values[key])
    if values["model"] not in BACKBONES:
        raise UserError(f"model={values['model']} is unknown; expected one of {', '.join(BACKBONES)}")
    return ConfigDict(values)


def _typed(key: str, text: str, default: Any) -> Any:
    expected = type(default)
    if expected is bool:
        if (yes := boolean(text)) is None:
            raise UserError(f"config argument {key}={text!r}: expected yes or no")
        return yes
    try:
        return expected(text)
    except ValueError:
        raise UserError(f"config argument {key}={text!r}: expected a {expected.__name__}, like {default!r}") from None
