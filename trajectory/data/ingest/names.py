"""Names of logs that are safe as names of files and folders."""

from __future__ import annotations

import hashlib
import re

_LONGEST = 100  # bytes: file systems take 255, and other words stand beside the name


def safe_name(text: str) -> str:
    """The text with all but letters, digits, spaces and "._+-" made "_"; never empty, hidden or too long for a file."""
    name = re.sub(r"[^\w .+-]+", "_", text.strip()).lstrip(".-")
    if len(name.encode()) > _LONGEST:
        mark = hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:8]
        name = f"{name.encode()[: _LONGEST - 9].decode(errors='ignore')}_{mark}"
    return name or "log"
