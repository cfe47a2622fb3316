"""What a sweep file returns: named changes of a config, one of which is the base that the others are compared with."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Member(NamedTuple):
    """A config with some of its fields changed."""

    fields: Mapping[str, Any] = {}  # e.g. {"optim.learning_rate": 3e-4}
    argument: str = ""  # of the config, put behind its colon, e.g. "model=gru"


class Sweep(NamedTuple):
    """Members by name; `base` is the name of one of them."""

    base: str
    members: Mapping[str, Member]


def grid(axes: Mapping[str, Sequence[Any]], base: Mapping[str, Any], argument: str = "") -> Sweep:
    """Every combination of the values of each field in `axes`, named "learning_rate=0.001,dropout=0.2".

    `base` gives each field's value in the base. Fields whose last words are alike are named in full.
    """
    last = [field.rpartition(".")[2] for field in axes]
    short = {field: word if last.count(word) == 1 else field for field, word in zip(axes, last, strict=True)}

    def name(fields: Mapping[str, Any]) -> str:
        return ",".join(f"{short[field]}={_word(fields[field])}" for field in axes)

    combinations = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
    return Sweep(name(dict(base)), {name(fields): Member(fields, argument) for fields in combinations})


def _word(value: Any) -> str:
    """A value as part of a folder's name."""
    return re.sub(r"[^\w.+-]+", "-", str(value)).strip("-")
