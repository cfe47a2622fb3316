"""Which values a field may have: declared beside its default (settings/fields.py), checked by settings/within.py."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from numbers import Real
from typing import Any, NamedTuple


class Allowed(NamedTuple):
    """What a value, or each value of a list, has to be: in words ("at least 1"), and whether one is."""

    words: str
    fits: Callable[[Any], bool]
    filled: bool = False  # a list may not be empty
    choices: bool = False  # the words name all values there are


def at_least(low: float, filled: bool = False) -> Allowed:
    """Numbers from `low` on; never infinite, never NaN. `filled`: a list of them holds one or more."""
    return Allowed(f"at least {low:g}", lambda value: _number(value) and low <= value < math.inf, filled)


def above(low: float) -> Allowed:
    """Numbers above `low`."""
    return Allowed(f"more than {low:g}", lambda value: _number(value) and low < value < math.inf)


def share(least: float = 0.0, whole: bool = False) -> Allowed:
    """A share from `least` to below 1, or to 1 itself where that is `whole`."""
    words = f"at least {least:g} and {'at most' if whole else 'less than'} 1"
    return Allowed(words, lambda value: _number(value) and least <= value and (value < 1 or (whole and value == 1)))


def part(whole: bool = False) -> Allowed:
    """A share that is more than 0 and below 1, or 1 itself where that is `whole`."""
    words = f"more than 0 and {'at most' if whole else 'less than'} 1"
    return Allowed(words, lambda value: _number(value) and (0 < value < 1 or (whole and value == 1)))


def one_of(*choices: str) -> Allowed:
    """One of these words."""
    return Allowed(f"one of {', '.join(choices)}", lambda value: value in choices, choices=True)


def date(*others: str) -> Allowed:
    """An ISO date or moment, or one of the other words."""
    named = "".join(f' or "{other}"' for other in others)
    return Allowed(f"an ISO date such as 2024-05-31{named}", lambda value: value in others or _is_date(value))


def _number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_date(value: str) -> bool:
    try:
        datetime.fromisoformat(value.strip())
    except (AttributeError, ValueError):
        return False
    return True
