"""Values of settings as people write them: yes or no, and the words of a list."""

from __future__ import annotations

import ast

_BOOLEANS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def boolean(text: str) -> bool | None:
    """Whether a text says yes; None where it says neither yes nor no."""
    return _BOOLEANS.get(text.strip().lower())


def words(text: str) -> tuple[str, ...]:
    """The words of a list: "user,item", or as Python writes them, "('user', 'item')", quotes left out or not."""
    if text.lstrip()[:1] in ("(", "[", "'", '"'):
        try:
            read = ast.literal_eval(text.strip())
        except (ValueError, SyntaxError):
            if "," in text and text.strip()[0] + text.strip()[-1] in ("()", "[]"):
                text = text.strip()[1:-1]  # else "(not set)" is a word
        else:
            return tuple(map(str, read)) if isinstance(read, tuple | list) else (str(read),)
    return tuple(word.strip() for word in text.split(",") if word.strip())
