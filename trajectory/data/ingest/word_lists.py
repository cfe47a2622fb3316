"""Settings that are lists of words: each is added to the built-in ones, or taken off them with a mark before it."""

from __future__ import annotations

from collections.abc import Iterable

NOT = "!"  # data.missing=("!NA",): NA is a word like any other


def added_and_taken_off(setting: Iterable[object]) -> tuple[list[str], set[str]]:
    """The words that a setting adds, and those that it takes off."""
    words = [str(word) for word in setting]
    added = [word for word in words if not word.startswith(NOT)]
    return added, {word.removeprefix(NOT) for word in words if word.startswith(NOT)}
