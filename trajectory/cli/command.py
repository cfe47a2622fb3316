"""How every command starts and ends: flags in, one call; what went wrong outside the code in one sentence."""

from __future__ import annotations

import contextlib
import inspect
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import NoReturn, get_args

from absl import app, flags, logging
from ml_collections import config_flags

from trajectory import faults, hints, messages
from trajectory.expected import Language
from trajectory.names import UNPRINTABLE
from trajectory.schema import UserError
from trajectory.settings import presets
from trajectory.settings.flags import parse
from trajectory.signals import taken

FIELD = "config.FIELD"  # the flag that holds --config.SECTION.FIELD=VALUE where no flag makes a config

flags.disclaim_key_flags()  # a flag that is defined here is the command's


def run(command: ModuleType, argv: Sequence[str]) -> None:
    """Parses the flags of a command's module and calls its `main` with what is no flag.

    Exit status 2: a mistake of the user's, in one message; others as in faults.
    """
    messages.print_messages()
    hints.for_commands()
    # Orbax and TFDS tell dozens of lines about every file they write, and each thread's traceback of what they raise.
    logging.set_verbosity(logging.FATAL)
    logging.set_stderrthreshold(logging.FATAL)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # names that a terminal cannot show
    if {"-h", "--help", "-help", "--helpfull"} & set(argv):
        print(f"{command.__doc__}\n{_flags_of(command)}")
        return
    with _terminable():
        app.run(lambda rest: _guard(command.main, rest[1:]), argv=list(argv), flags_parser=_parse)


def define_config(name: str, default: str | None, meaning: str) -> flags.FlagHolder:
    """The flag of a config, given by a preset's name or a file's path; its fields follow as --name.SECTION.FIELD."""
    return config_flags.DEFINE_config_file(name, presets.find(default) if default else None, meaning)


def define_fields(meaning: str) -> flags.FlagHolder:
    """The fields of a config that is made later: --config.SECTION.FIELD=VALUE, as behind a config's own flag.

    Its value is a list of "SECTION.FIELD=VALUE".
    """
    return flags.DEFINE_multi_string(FIELD, [], meaning)


def define_language() -> flags.FlagHolder:
    """The flag of the language that pages open in."""
    meaning = "language that pages open in, en or zh; by default that of the reader's browser (a page can be switched)"
    return flags.DEFINE_enum("language", "", get_args(Language), meaning)


def by_name(fields: Sequence[str]) -> dict[str, str]:
    """What `define_fields` was given, by the names of the fields."""
    return {name: value for name, _, value in (text.partition("=") for text in fields)}


def config_given(name: str) -> str:
    """The preset or file of a config's flag, with its arguments, as it is given on the command line."""
    return _preset(config_flags.get_config_filename(flags.FLAGS[name]))


def next_command(command: str, what: str) -> None:
    """Ends a command with the one to go on with, and what that brings."""
    print(f"next: trajectory {command}   ({what})")


def several(values: Sequence[str]) -> list[str]:
    """What a repeatable flag names, also with commas between: --workdir=a,b is --workdir=a --workdir=b."""
    return [name.strip() for value in values for name in value.split(",") if name.strip()]


def _flags_of(command: ModuleType) -> str:
    """Each flag with its default and meaning."""
    lines = []
    for flag in flags.FLAGS.flags_by_module_dict().get(command.__name__, []):
        default = _preset(str(flag.default_as_str).strip("'"))
        more = "" if flag.default in (None, "", [], False) else f" (default: {default})"
        more = " (required)" if flag.default is None and flag.validators else more
        lines.append(f"  --{flag.name:16}  {flag.help.partition(chr(10))[0].rstrip(';')}{more}")
    return "\n".join(lines)


def _preset(text: str) -> str:
    """A preset by its name where it is given by its file."""
    name = text.replace(f"{presets.FOLDER}{os.sep}", "")
    return text if name == text else name.replace(".py:", ":").removesuffix(".py")


def _parse(argv: list[str]) -> list[str]:
    try:
        return parse(flags.FLAGS, [_field(text) for text in argv] if FIELD in flags.FLAGS else argv)
    except UserError as error:
        _fail(str(error))


def _field(text: str) -> str:
    """--config.train.epochs=4 as a value of the flag FIELD."""
    name, equals, value = text.lstrip("-").partition("=")
    if not text.startswith("-") or not name.startswith("config.") or name == FIELD:
        return text
    if not equals:
        raise UserError(f"{text}: expected a value behind it, --{name}=VALUE")
    return f"--{FIELD}={name.removeprefix('config.')}={value}"


def _bind(main: Callable[..., None], rest: Sequence[str]) -> None:
    """Refuses more or fewer arguments than `main` takes."""
    takes = inspect.signature(main).parameters.values()
    if missing := [value.name.upper() for value in list(takes)[len(rest) :] if value.default is value.empty]:
        _fail(f"expected {missing[0]} behind the command; --help says more")
    if len(rest) > len(takes):
        _fail(f"unexpected argument {rest[len(takes)]!r}; options start with --")


def _guard(main: Callable[..., None], rest: Sequence[str]) -> None:
    _bind(main, rest)
    try:
        with faults.reader_may_leave():
            main(*rest)
    except UserError as error:
        _fail(str(error))
    except FloatingPointError as error:  # a training run that diverged: nobody's mistake in writing, so another status
        _fail(str(error), status=1)
    except KeyboardInterrupt as stop:
        _fail(str(stop) or faults.STOPPED, status=128 + signal.SIGINT)
    except Exception as error:
        if not (said := faults.sentence(error)):
            raise
        _fail(said)


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM ends what is entered as an exception does: what is half written is removed."""

    def stop(number: int, _: object) -> None:
        _fail(faults.STOPPED, status=128 + number)

    with taken((signal.SIGTERM,), stop):
        yield


def _fail(message: str, status: int = 2) -> NoReturn:
    print(f"error: {UNPRINTABLE.sub(chr(0xFFFD), message)}", file=sys.stderr)
    raise SystemExit(status)


__all__ = ["UserError", "by_name", "define_config", "define_fields", "flags", "next_command", "run", "several"]
