"""Which code made a number: a digest of the package's rooms that decide it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent
# Files of the deciding rooms that only compare runs, or show.
COMPARING = (
    "evaluation/ensemble.py",
    "evaluation/transfer.py",
    "explain/comparison_report.py",
    "explain/comparison_table.py",
    "explain/event_types.py",
    "explain/ground_truth.py",
    "explain/ground_truth_table.py",
    "explain/narrative.py",
    "explain/overview.py",
    "explain/report.py",
    "explain/monitor.py",
    "explain/shop_causes.py",
)


def of_code(rooms: Sequence[str], root: Path = ROOT) -> str:
    """Digest of the code in `rooms`, folders or files of the package in `root`: 12 hexadecimal digits."""
    files = [file for name in rooms for file in sorted((root / name).rglob("*.py")) or [root / name]]
    digest = hashlib.sha256()
    for file in files:
        if (name := file.relative_to(root).as_posix()) not in COMPARING:
            digest.update(f"{name}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:12]
