"""Names of logs that are safe as names of files and folders."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

_LONGEST = 100  # bytes: file systems take 255, and other words stand beside the name


def safe_name(text: str) -> str:
    """The text with all but letters, digits, spaces and "._+-" made "_"; never empty, hidden or too long for a file."""
    name = re.sub(r"[^\w .+-]+", "_", text.strip()).lstrip(".-")
    if len(name.encode()) > _LONGEST:
        mark = hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:8]
        name = f"{name.encode()[: _LONGEST - 9].decode(errors='ignore')}_{mark}"
    return name or "log"


def file_name(path: str) -> str:
    """What a log at `path` is called: the name of its file or folder up to its first dot."""
    return safe_name(Path(path.rstrip("/")).name.split(".")[0].replace(":", "_") or "own_log")
