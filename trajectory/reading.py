"""JSON that an earlier command left: of the expected form, or a word on which file is wrong, how, and what helps."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import NoneType
from typing import Any

from trajectory.schema import UserError

NUMBER = (int, float)
NUMBER_OR_NONE = (int, float, NoneType)


def read_json(path: Path, form: Any, advice: str, *needs: str, renamed: Callable[[Any], Any] | None = None) -> Any:
    """What the file holds: of the `form` (see `misfit`), with what the caller `needs`, names such as "users.test".

    `renamed` gives what a file of the release before holds its names of this one (trajectory/renamed.py).

    Raises UserError, ending in `advice`, if the file is missing or damaged.
    """
    try:
        value = json.loads(path.read_bytes().decode("utf-8", "surrogateescape"))
    except FileNotFoundError:
        raise UserError(f"{path} is missing; {advice}") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); {advice}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is damaged ({str(error).partition(': line')[0]}); {advice}") from None
    value = renamed(value) if renamed else value
    if wrong := misfit(value, form) or next((f"{name} is missing" for name in needs if not _has(value, name)), ""):
        raise UserError(f"{path} is damaged ({wrong}); {advice}")
    return value


def tuples(value: Any) -> Any:
    """With a tuple for each list, as configs hold them."""
    if isinstance(value, dict):
        return {k: tuples(v) for k, v in value.items()}
    return tuple(tuples(v) for v in value) if isinstance(value, list) else value


def misfit(value: Any, form: Any, place: str = "it") -> str:
    """How a value differs from a form, "" if not at all.

    A form is a type or several; {name: form} of names that may be there; {str: form}, whatever the names; [form], any
    number of such.
    """
    if isinstance(form, list):
        if not isinstance(value, list):
            return f"{place} is not a list"
        return next((wrong for inner in value if (wrong := misfit(inner, form[0], f"an entry of {place}"))), "")
    if not isinstance(form, dict):
        fits = isinstance(value, form) and (form is bool or not isinstance(value, bool))
        return "" if fits else f"{place} is {json.dumps(value)[:40]}"
    if not isinstance(value, dict):
        return f"{place} does not hold named values"
    wanted = dict.fromkeys(value, form[str]) if str in form else form
    there = (name for name in wanted if name in value)
    return next((wrong for name in there if (wrong := misfit(value[name], wanted[name], name))), "")


def _has(value: Any, name: str) -> bool:
    for key in name.split("."):
        if not isinstance(value, dict) or key not in value:
            return False
        value = value[key]
    return True
