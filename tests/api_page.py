"""docs/api.md, written from the docstrings of what `trajectory` exports: `python -m tests.api_page > docs/api.md`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import trajectory
from trajectory import api, results
from trajectory.run import Run

HEAD = """# The Python interface

`import trajectory as tj` loads nothing before it is used. This page is written by
`python -m tests.api_page > docs/api.md` from the docstrings; `events` and `log` are a polars or pandas data frame, a
PyArrow table, or the path of a file or folder. Calls that cannot be done raise `tj.UserError`, which says what was
expected, what came and what to do.
"""


def page() -> str:
    """The whole page."""
    exported = {name: getattr(api, name, None) or getattr(trajectory, name) for name in trajectory.__all__}
    functions = {name: function for name, function in exported.items() if inspect.isfunction(function)}
    lines = [HEAD, "## Functions\n", *(_entry(f"tj.{name}", function) for name, function in functions.items())]
    methods = [name for name in vars(Run) if not name.startswith("_") and name not in ("of", "with_params")]
    lines += ["## Run\n", f"{_doc(Run)}\n"]
    for name in methods:
        member = inspect.getattr_static(Run, name)
        if inspect.isfunction(member):
            lines.append(_entry(f"run.{name}", member))
        elif hasattr(member, "__doc__") and isinstance(member, property):
            lines.append(f"### run.{name}\n\n{_doc(member)}\n")
    lines += ["## Results\n", f"{_doc(results.Result)}\n"]
    for kind in _kinds():
        rows = "".join(f"| {name} | {meaning} |\n" for name, meaning in kind.COLUMNS.items())
        lines.append(f"### {kind.__name__}\n\n{_doc(kind)}\n\n| column | meaning |\n|---|---|\n{rows}")
    return "\n".join(lines)


def _kinds() -> Iterator[type[results.Result]]:
    for kind in vars(results).values():
        if inspect.isclass(kind) and issubclass(kind, results.Result) and kind.COLUMNS:
            yield kind


def _entry(name: str, function: Any) -> str:
    signature = inspect.signature(function)
    shown = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in signature.parameters.values()
        if parameter.name != "self"
    ]
    bare = signature.replace(parameters=shown, return_annotation=inspect.Signature.empty)
    return f"### {name}\n\n`{name}{bare}`\n\n{_doc(function)}\n"


def _doc(thing: Any) -> str:
    text = inspect.cleandoc(thing.__doc__ or "").replace("Args:\n", "Arguments:\n\n")
    return re.sub(r"^    ", "  ", re.sub(r"^  (\w+): ", r"- `\1`: ", text, flags=re.MULTILINE), flags=re.MULTILINE)


if __name__ == "__main__":
    print(page(), end="")
