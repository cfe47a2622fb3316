"""python -m trajectory inspect LOG: what is understood of a log, before anything is trained or stored."""

from __future__ import annotations

import argparse
import ast
import difflib
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from trajectory import cli
from trajectory.schema import UserError
from trajectory.settings import base
from trajectory.settings.flags import words


def main(argv: list[str] | None = None) -> None:
    """Runs the command; exits with 2 after a mistake of the user's, which is one sentence."""
    parser = argparse.ArgumentParser(prog="python -m trajectory", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("inspect", help="print and write a page of what is understood of a log")
    command.add_argument("log", help='a file, a folder, the name of a domain, or "tfds:<name>"')
    command.add_argument("--out", type=Path, default=Path("inspect.html"), help="the page to write")
    command.add_argument("--set", action="append", default=[], metavar="data.FIELD=VALUE", help="a setting, any number")
    given = parser.parse_args(argv)
    cli.run(lambda: _inspect(given), ["inspect"])


def _inspect(given: argparse.Namespace) -> None:
    from trajectory.inspection.page import show

    config = base()
    config.data.source = given.log
    for text in given.set:
        change(config, text)
    show(config.data, given.out)


def change(config: ConfigDict, text: str) -> None:
    """Sets one field of `config`, as "data.day_first=yes" says. UserError if there is none, or one of another type."""
    name, equals, value = text.partition("=")
    *sections, field = name.removeprefix("config.").split(".")
    place = config
    for section in sections:
        if section not in place or not isinstance(place[section], ConfigDict):
            raise UserError(f"--set {text}: there is no section {section!r}; expected data.FIELD=VALUE")
        place = place[section]
    if not equals or field not in place:
        near = difflib.get_close_matches(field, list(place), 1, 0.0)
        raise UserError(f"--set {text}: expected data.FIELD=VALUE; did you mean {'.'.join([*sections, *near])}?")
    now = place[field]
    try:
        if isinstance(now, ConfigDict):
            now.update(ConfigDict(ast.literal_eval(value), convert_dict=False))
        else:
            place[field] = _typed(value, now)
    except (ValueError, SyntaxError, TypeError):
        kind = "dict" if isinstance(now, ConfigDict) else type(now).__name__
        raise UserError(f"--set {text}: expected a {kind} such as {now!r}") from None


def _typed(text: str, now: Any) -> Any:
    """`text` as the type of the field's value."""
    if isinstance(now, str):
        return text
    if isinstance(now, tuple):
        return words(text.strip("()"))
    return ast.literal_eval(text)


if __name__ == "__main__":
    main()
