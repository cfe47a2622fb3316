"""What a script says of a fault that is not in its code: a full disk, a forbidden folder, no memory, an interrupt."""

from __future__ import annotations

import errno
import sys
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
MEMORY = "there is not enough memory: use a machine with more, or less data, a smaller model or smaller batches"
STOPPED = "stopped; the same command starts again, training from its newest checkpoint"


def sentence(error: BaseException) -> str:
    """What went wrong around the program and what helps; "" for an error that is a mistake in the code."""
    if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED: Out of memory" in str(error):
        return MEMORY
    # NumPy's own of a full disk has no number; subclasses without one are other libraries' ways to speak of a bug.
    if not isinstance(error, OSError) or (error.errno is None and type(error) is not OSError):
        return ""
    place = f"{error.filename}: " if error.filename else ""
    advice = ADVICE.get(error.errno or 0, "")
    return f"{place}{error.strerror or error}{f'; {advice}' if advice else ''}"


def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """For `sys.excepthook`: an interrupt in one sentence, a mistake in the code with its traceback, as such."""
    if issubclass(kind, KeyboardInterrupt):
        print(f"error: {STOPPED}", file=sys.stderr)
        return
    sys.__excepthook__(kind, error, trace)
    print("error: this is a mistake in the program, not in what you gave it; please report it", file=sys.stderr)
