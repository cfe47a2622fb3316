"""docs/api.md, written from the docstrings of what `trajectory` exports: `python -m tests.api_page > docs/api.md`."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator
from typing import Any

import trajectory
from trajectory import api_evaluation
from trajectory.results import forecasts, insights, measured, migrations, prepared
from trajectory.results.result import Result
from trajectory.run import Run

KINDS = (prepared, forecasts, insights, migrations, measured)  # modules of results
HEAD = """# The Python interface

`import trajectory as tj` loads nothing before it is used. This page is written by
`python -m tests.api_page > docs/api.md` from the docstrings; `events` and `log` are a polars or pandas data frame, a
PyArrow table, or the path of a file or folder. Calls that cannot be done raise `tj.UserError`, which says what was
expected, what came and what to do. What is not on this page is for the package itself, and may change.
"""


def page() -> str:
    """The whole page."""
    lines = [HEAD, "## Functions\n", *(_entry(f"tj.{name}", function) for name, function in functions().items())]
    lines += ["## Run\n", f"{_doc(Run)}\n"]
    for name, member in of_run().items():
        lines.append(_entry(f"run.{name}", member) if inspect.isfunction(member) else _about(f"run.{name}", member))
    lines += ["## Results\n", f"{_doc(Result)}\n"]
    lines += [_entry(f"result.{method.__name__}", method) for method in (Result.to_pandas, Result.write)]
    for kind in _kinds():
        rows = "".join(f"| {name} | {meaning} |\n" for name, meaning in kind.COLUMNS.items())
        tables = "".join(f'- `tables["{name}"]`: {meaning}\n' for name, meaning in kind.TABLES.items())
        lines.append(f"### {kind.__name__}\n\n{_doc(kind)}\n\n| column | meaning |\n|---|---|\n{rows}")
        lines += [tables] if tables else []
        lines += [_line(method) for method in _methods(kind)]
    return "\n".join(lines)


def functions() -> dict[str, Any]:
    """The functions that `trajectory` exports."""
    # `trajectory.baselines` is the package of that name, too
    named = {name: getattr(api_evaluation, name, None) or getattr(trajectory, name) for name in trajectory.__all__}
    return {name: function for name, function in named.items() if inspect.isfunction(function)}


def of_run() -> dict[str, Any]:
    """The methods and properties of a run that are for its users."""
    members = {name: member for name, member in vars(Run).items() if not name.startswith("_")}
    return {
        name: member
        for name, member in members.items()
        if isinstance(member, property) or (inspect.isfunction(member) and name != "with_model")
    }


def _kinds() -> Iterator[type[Result]]:
    for module in KINDS:
        for kind in vars(module).values():
            if inspect.isclass(kind) and issubclass(kind, Result) and kind.COLUMNS:
                yield kind


def _methods(kind: type[Result]) -> Iterator[Any]:
    """Its chart, and what no other kind has."""
    for name in ("plot", "write_page"):
        if method := getattr(kind, name, None):
            yield method


def _line(method: Any) -> str:
    return f"- `result.{method.__name__}{_signature(method)}`: {inspect.getdoc(method)}\n"


def _entry(name: str, function: Any) -> str:
    return f"### {name}\n\n`{name}{_signature(function)}`\n\n{_doc(function)}\n"


def _signature(function: Any) -> inspect.Signature:
    signature = inspect.signature(function)
    shown = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in signature.parameters.values()
        if parameter.name != "self"
    ]
    return signature.replace(parameters=shown, return_annotation=inspect.Signature.empty)


def _about(name: str, thing: Any) -> str:
    return f"### {name}\n\n{_doc(thing)}\n"


def _doc(thing: Any) -> str:
    text, _, example = (inspect.getdoc(thing) or "").replace("Args:\n", "Arguments:\n\n").partition("\nExample:\n")
    text = re.sub(
        r"^    ", "  ", re.sub(r"^  (\w[\w, ]*): ", r"- `\1`: ", text, flags=re.MULTILINE), flags=re.MULTILINE
    )
    return f"{text}\n```python\n{textwrap.dedent(example)}\n```" if example else text


if __name__ == "__main__":
    print(page(), end="")
