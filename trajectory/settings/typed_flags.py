"""Flags of commands whose values have limits, as fields have (settings/allowed.py): refused before a command begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from absl import flags

from trajectory.settings.allowed import Allowed

flags.disclaim_key_flags()  # a flag that is defined by these is the command's


def number(name: str, default: float | None, meaning: str, allowed: Allowed) -> flags.FlagHolder:
    """The flag of one whole number."""
    return flags.DEFINE(_Number(flags.IntegerParser(), allowed), name, default, meaning)


def real(name: str, default: float | None, meaning: str, allowed: Allowed) -> flags.FlagHolder:
    """The flag of one number."""
    return flags.DEFINE(_Number(flags.FloatParser(), allowed), name, default, meaning)


def numbers(name: str, default: Sequence[int], meaning: str, allowed: Allowed) -> flags.FlagHolder:
    """The flag of whole numbers with commas between, of which there is at least one."""
    return flags.DEFINE(_List(allowed, default), name, list(default), meaning, serializer=flags.CsvListSerializer(","))


def words(name: str, default: Sequence[str], meaning: str, allowed: Allowed) -> flags.FlagHolder:
    """The flag of words with commas between; there may be none where the default is none, or `allowed` says so."""
    return flags.DEFINE(_List(allowed, default), name, list(default), meaning, serializer=flags.CsvListSerializer(","))


class _Number(flags.ArgumentParser):
    def __init__(self, of: flags.ArgumentParser, allowed: Allowed) -> None:
        super().__init__()
        self.of, self.allowed = of, allowed

    def parse(self, argument: Any) -> Any:
        """The number. ValueError for another thing, or one that is not allowed."""
        try:
            value = self.of.parse(argument)
        except (TypeError, ValueError):
            raise ValueError(f"expected {_kind(self.of)}, {self.allowed.words}") from None
        if not self.allowed.fits(value):
            raise ValueError(f"expected {self.allowed.words}")
        return value

    def flag_type(self) -> str:
        """The name of the type."""
        return self.of.flag_type()


class _List(flags.ListParser):
    def __init__(self, allowed: Allowed, default: Sequence[Any]) -> None:
        super().__init__()
        self.allowed, self.whole = allowed, not allowed.choices
        self.filled = bool(default) if self.whole else allowed.filled

    def parse(self, argument: Any) -> list[Any]:
        """The values. ValueError for none where one is needed, or for one that is not allowed."""
        given = super().parse(argument)
        several = "whole numbers with commas between, such as 0,1,2" if self.whole else "words with commas between"
        try:
            values = [int(value) for value in given] if self.whole else given
        except ValueError:
            raise ValueError(f"expected {several}") from None
        if self.filled and not values:
            raise ValueError(f"expected {several}, got none")
        for value in values:
            if not self.allowed.fits(value):
                raise ValueError(
                    f"{value} is not one; expected {self.allowed.words}"
                    if len(values) > 1
                    else f"expected {self.allowed.words}"
                )
        return values


def _kind(parser: flags.ArgumentParser) -> str:
    return "a whole number" if isinstance(parser, flags.IntegerParser) else "a number"
