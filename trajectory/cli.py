"""How every script starts and ends: flags in, one call; what went wrong outside the code in one sentence."""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from absl import app, flags, logging
from ml_collections import ConfigDict, config_flags
from ml_collections.config_flags.config_flags import is_config_flag

from trajectory import faults, memory, messages, threads

sys.excepthook = faults.hook  # from here on an interrupt, even of the imports below, has no traceback
memory.keep()  # before NumPy comes and starts threads
threads.sleep_when_idle()

from configs import by_hand  # noqa: E402
from configs.common import base  # noqa: E402
from trajectory.names import UNPRINTABLE  # noqa: E402
from trajectory.schema import UserError  # noqa: E402


def run(main: Callable[[], None], argv: Sequence[str] | None = None) -> None:
    """Parses flags and calls `main`. Exit status 2: a mistake of the user's, in one message; others as in faults."""
    argv = list(sys.argv if argv is None else argv)
    messages.printed()
    # Orbax and TFDS tell dozens of lines about every file they write, and each thread's traceback of what they raise.
    logging.set_verbosity(logging.FATAL)
    logging.set_stderrthreshold(logging.FATAL)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # names that a terminal cannot show
    try:
        with _terminable():
            app.run(lambda _: _guard(main), argv=argv, flags_parser=_parse)
    except UserError as error:
        _fail(str(error))


def _parse(argv: list[str]) -> list[str]:
    try:
        _require_config_file(argv)
        rest = flags.FLAGS([_quoted(text) for text in argv])
        for name in flags.FLAGS:
            record_by_hand(flags.FLAGS[name])
    except (flags.Error, UserError, AttributeError, KeyError, TypeError, ValueError, OSError) as error:
        _fail(reason(error))
    if rest[1:]:
        _fail(f"unexpected argument {rest[1]!r}; options start with --")
    return rest


def words(text: str) -> tuple[str, ...]:
    """The words of a tuple as it is written by hand: "user,item"."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _quoted(text: str) -> str:
    """--config.data.header=user,item in the form that flags of tuples read: words in quotes."""
    name, _, value = text.partition("=")
    place: Any = base()
    for field in name.lstrip("-").removeprefix("config.").split("."):
        place = place.get(field) if isinstance(place, ConfigDict) else None
    plain = isinstance(place, tuple) and value and not re.match(r"""[(\['"\d]""", value)
    return f"{name}={words(value)!r}" if plain else text


def record_by_hand(flag: flags.Flag) -> None:
    """Notes in a config, if the flag is one, which of its fields other flags set (configs/by_hand.py)."""
    if is_config_flag(flag) and flag.value is not None and "by_hand" in flag.value:
        by_hand.record(
            flag.value,
            config_flags.get_override_values(flag),
            flag.parser.parse(config_flags.get_config_filename(flag)),
        )


def _require_config_file(argv: list[str]) -> None:
    """A config file that is missing: config_flags would say so only when its value is used, with a traceback."""
    given = [text.partition("=")[2] for text in argv if text.startswith(("--config=", "-config="))]
    given += [after for text, after in pairwise(argv) if text in ("--config", "-config")]
    for path in (Path(value.partition(":")[0]) for value in given):
        if not path.is_file():
            there = sorted(str(other) for other in path.parent.glob("*.py") if other.name != "__init__.py")
            near = difflib.get_close_matches(str(path), there, 1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise UserError(f"--config: there is no file {path} (looked in {Path.cwd()}); {hint}see configs/")


def _guard(main: Callable[[], None]) -> None:
    print("starting ...", file=sys.stderr, flush=True)  # libraries take seconds to come
    try:
        main()
        sys.stdout.flush()
    except UserError as error:
        _fail(str(error))
    except FloatingPointError as error:  # a training run that diverged: nobody's mistake in writing, so another status
        _fail(str(error), status=1)
    except BrokenPipeError:  # who read the output has gone, such as `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(128 + signal.SIGPIPE) from None
    except KeyboardInterrupt:
        _fail(faults.STOPPED, status=128 + signal.SIGINT)
    except Exception as error:
        if not (said := faults.sentence(error)):
            raise
        _fail(said)


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM ends what is entered as an exception does: what is half written is removed."""

    def stop(number: int, _: object) -> None:
        _fail(faults.STOPPED, status=128 + number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def reason(error: Exception) -> str:
    """What is wrong with flags, in one line, from the error of the libraries that read them."""
    inner = error.args[0] if isinstance(error, AttributeError) and error.args else error
    if isinstance(inner, KeyError):
        return "unknown config field " + str(inner.args[0]).replace("\n", ". ")
    message = str(error)
    if "Traceback" in message:  # a config file's own error, wrapped whole by config_flags
        message = message.strip().splitlines()[-1].rpartition("UserError: ")[2]
    return message


def _fail(message: str, status: int = 2) -> None:
    print(f"error: {UNPRINTABLE.sub(chr(0xFFFD), message)}", file=sys.stderr)
    raise SystemExit(status)


__all__ = ["UserError", "config_flags", "flags", "reason", "run", "words"]
