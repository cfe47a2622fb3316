"""How every script starts and ends: flags in, one call; what went wrong outside the code in one sentence."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence

from absl import app, flags, logging
from ml_collections import config_flags

from trajectory import faults, memory, messages, threads

sys.excepthook = faults.hook  # from here on an interrupt, even of the imports below, has no traceback
memory.keep()  # before NumPy comes and starts threads
threads.sleep_when_idle()

from trajectory.names import UNPRINTABLE  # noqa: E402
from trajectory.schema import UserError  # noqa: E402
from trajectory.settings.flags import parse as read_flags  # noqa: E402


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
        rest = read_flags(flags.FLAGS, argv)
    except UserError as error:
        _fail(str(error))
    if rest[1:]:
        _fail(f"unexpected argument {rest[1]!r}; options start with --")
    return rest


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


def _fail(message: str, status: int = 2) -> None:
    print(f"error: {UNPRINTABLE.sub(chr(0xFFFD), message)}", file=sys.stderr)
    raise SystemExit(status)


__all__ = ["UserError", "config_flags", "flags", "run"]
