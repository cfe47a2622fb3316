"""Names out of a log, whatever is in them, as pages, pictures and spreadsheets may show them."""

from __future__ import annotations

import re
from typing import Any

import polars as pl

# Control characters, and the characters that are none in Unicode, or half of one: XML allows none of them.
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
BREAKS = re.compile("[\t\n\r\x85]+")
TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")  # of the direction of what comes after a name
RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")
# A formula for a spreadsheet, in wide letters too, which a number with a sign is not (OWASP, CSV injection).
FORMULA = r"^[=+\-@\t\r＝＋－＠]"
NUMBER = r"^[+-]?[0-9]+([.,][0-9]+)?([eE][+-]?[0-9]+)?$"


def plain(name: str, most: int = 0) -> str:
    """The name in one line: without turns of direction, of control characters a sign, cut after `most` letters."""
    name = UNPRINTABLE.sub("\ufffd", BREAKS.sub(" ", TURNS.sub("", name)))
    return f"{name[: most - 1]}…" if 0 < most < len(name) else name


def isolated(value: Any) -> Any:
    """A text, or all in lists and dicts, in `plain` form for a page, each set apart from a direction that is not its
    neighbours'.
    """
    if isinstance(value, dict):
        return {key: isolated(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [isolated(inner) for inner in value]
    if type(value) is not str:  # markup is ours
        return value
    text = plain(value)
    return f"\u2068{text}\u2069" if RIGHT_TO_LEFT.search(text) else text


def runnable(text: pl.Expr) -> pl.Expr:
    """Whether a spreadsheet would run the text as a formula."""
    return (text.str.contains(FORMULA) & ~text.str.contains(NUMBER)).fill_null(False)
