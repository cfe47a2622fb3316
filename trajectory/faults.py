"""What a script says of a fault that is not in its code: a full disk, a forbidden folder, no memory, an interrupt."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
from collections.abc import Iterator
from types import TracebackType

FULL = "there is no room: free some, or choose another folder"
FORBIDDEN = "choose another folder, or change who may use this one"
NO_FOLDER = "expected a folder there, or a name in one"
ADVICE = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EFBIG: FULL,
    errno.EACCES: FORBIDDEN,
    errno.EPERM: FORBIDDEN,
    errno.EROFS: FORBIDDEN,
    errno.ENOTDIR: NO_FOLDER,
    errno.EEXIST: NO_FOLDER,
    errno.EISDIR: "expected a file there",
    errno.ENAMETOOLONG: "choose shorter names",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
}
WRITING = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EROFS)
MEMORY = "there is not enough memory: use a machine with more, or less data, a smaller model or smaller batches"
STOPPED = "stopped; the same command starts again; training goes on from its newest checkpoint"


def sentence(error: BaseException) -> str:
    """What went wrong around the program and what helps; "" for an error that is a mistake in the code."""
    said = str(error)
    if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED: Out of memory" in said:
        return MEMORY
    if isinstance(error, ValueError) and "null byte" in said:
        return "a path holds a null character"
    number = error.errno if isinstance(error, OSError) else None
    if number is None:  # libraries in C++ and Rust have their own kinds of error, with the system's words in them
        number = next((one for one in WRITING if os.strerror(one) in said), None)
        if number is None and type(error) is not OSError:  # NumPy's own of a full disk has neither
            return ""
    place = f"{error.filename}: " if isinstance(error, OSError) and error.filename else ""
    what = error.strerror if isinstance(error, OSError) and error.strerror else said.strip().partition("\n")[0][:200]
    if number in WRITING and os.strerror(number) not in what:
        what = f"{os.strerror(number)} ({what})"
    advice = ADVICE.get(number or 0, "")
    return f"{place}{what}{f'; {advice}' if advice else ''}"


@contextlib.contextmanager
def reader_may_leave() -> Iterator[None]:
    """Ends without a word, as other commands do, where who read the output has gone, such as `head`."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(128 + signal.SIGPIPE) from None


def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """For `sys.excepthook`: an interrupt in one sentence, a mistake in the code with its traceback, as such."""
    if issubclass(kind, KeyboardInterrupt):
        print(f"error: {STOPPED}", file=sys.stderr)
        return
    sys.__excepthook__(kind, error, trace)
    print("error: this is a mistake in the program, not in what you gave it; please report it", file=sys.stderr)
