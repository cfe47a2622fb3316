"""What an argument of a call may be: told before the work where it is something else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from trajectory.schema import UserError

Backbone: TypeAlias = Literal["gru", "lstm", "transformer", "hybrid"]
SplitKind: TypeAlias = Literal["leave_one_out", "leave_last", "temporal"]
Vectors: TypeAlias = Literal["items", "users"]
MultiStep: TypeAlias = Literal["direct", "sampled"]
Combination: TypeAlias = Literal["probabilities", "ranks"]
AttributionMethod: TypeAlias = Literal[
    "integrated_gradients",
    "gradient_times_input",
    "saliency",
    "smooth_gradients",
    "expected_gradients",
    "rollout",
    "occlusion",
    "shapley",
    "shap",
    "lime",
]
Language: TypeAlias = Literal["", "en", "zh"]  # of pages; "": that of the reader's browser
InsightsPart: TypeAlias = Literal["changes", "customers", "recommend", "segments", "audiences", "demand", "funnel"]


def whole_number(name: str, value: Any, least: int) -> int:
    """The value, if it is a whole number of at least `least`. UserError otherwise."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise UserError(f"{name}={value!r}: expected a whole number of at least {least}")
    return int(value)


def of_type(name: str, value: Any, kind: Any, expected: str) -> None:
    """UserError for a value of another type."""
    if not isinstance(value, kind):
        raise UserError(f"{name}={value!r}: expected {expected}")


def one_of(name: str, value: Any, choices: Any) -> None:
    """UserError for a value that is none of a Literal."""
    if value not in get_args(choices):
        raise UserError(f"{name}={value!r}: expected one of {', '.join(get_args(choices))}")


def several(name: str, value: Any, example: str, least: int = 0) -> Sequence[Any]:
    """The values, if they are a list or the like of at least so many. UserError for a single thing, such as a text."""
    if isinstance(value, str | bytes) or not isinstance(value, Iterable) or len(values := list(value)) < least:
        raise UserError(f"{name}={value!r}: expected a list{' with something in it' * (least > 0)}, such as {example}")
    return values


def a_folder(name: str, value: Any) -> Path:
    """The path, if a folder is there or may be made there. UserError otherwise."""
    if not isinstance(value, str | Path) or not str(value):
        raise UserError(f"{name}={value!r}: expected the path of a folder")
    if Path(value).exists() and not Path(value).is_dir():
        raise UserError(f"{name}={value}: expected a folder, and a file lies there; choose another name")
    return Path(value)
