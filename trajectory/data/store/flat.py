"""Prepared histories on disk: flat arrays, tables and a description, each with a digest; opened memory-mapped."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from trajectory.data.store.arrays import COLUMNS, number_interests
from trajectory.renamed import OUTSIDE
from trajectory.schema import Histories, UserError

_DIGESTS = "digests.json"  # written last: a folder without it is not complete
_VERIFIED = "verified.json"  # digest, size and time of change of files whose content was found to be right


def save(histories: Histories, meta: dict[str, Any], folder: Path) -> None:
    """Writes histories and `meta`, and with them the digests of all files that lie in the folder then."""
    for key in ("offsets", *COLUMNS):
        np.save(folder / f"{key}.npy", getattr(histories, key))
    histories.users.write_parquet(folder / "users.parquet")
    histories.items.write_parquet(folder / "items.parquet")
    histories.outside.write_parquet(folder / "outside.parquet")
    (folder / "meta.json").write_text(json.dumps(meta, indent=2, default=str) + "\n")
    digests = {path.name: _digest(path) for path in sorted(folder.iterdir()) if path.is_file()}
    (folder / _DIGESTS).write_text(json.dumps(digests, indent=2) + "\n")
    _note(folder, {name: _state(folder / name, digest) for name, digest in digests.items()})


def damage(folder: Path) -> str:
    """Why a prepared folder cannot be used, in a few words; "" if it can.

    A file is read through (0.6 s for a GiB) only if it has changed since that was done last.
    """
    if not folder.is_dir():
        return "it is not there"
    digests, verified = _read(folder / _DIGESTS), _read(folder / _VERIFIED)
    if not digests:
        return f"{_DIGESTS} is missing or damaged"
    if lacking := sorted({f"{key}.npy" for key in ("offsets", *COLUMNS)} - digests.keys()):
        return f"it has no {lacking[0]}"
    states = {}
    for name, digest in digests.items():
        path = folder / name
        try:
            states[name] = _state(path, digest)
            if states[name] != verified.get(name) and _digest(path) != digest:
                return f"{name} is not as it was written"
        except OSError as error:
            return f"{name} cannot be read: {error.strerror}"
    if states != verified:
        _note(folder, states)
    return ""


def load(folder: Path | str) -> Histories:
    """Opens prepared histories; the arrays are memory-mapped and read-only. UserError if the folder is damaged."""
    folder = Path(folder)
    if reason := damage(folder):
        raise UserError(f"{folder} holds no prepared histories that can be used ({reason}); run trajectory prepare")
    meta = json.loads((folder / "meta.json").read_text())
    items = pl.read_parquet(folder / "items.parquet")
    interests = tuple(meta["interests"])
    return Histories(
        **{key: np.load(folder / f"{key}.npy", mmap_mode="r") for key in ("offsets", *COLUMNS)},
        **{key: meta[key] for key in ("name", "fingerprint", "source", "has_time", "baskets", "num_items")},
        interests=interests,
        event_types=tuple(meta["event_types"]),
        roles={event_type: tuple(own) for event_type, own in meta["roles"].items()},
        outside=pl.read_parquet(folder / "outside.parquet").rename(OUTSIDE, strict=False),
        feature_names=tuple(meta["feature_names"]),
        users=pl.read_parquet(folder / "users.parquet"),
        items=items,
        item_interest=number_interests(items, interests),
        zone=meta.get("zone", ""),
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _state(path: Path, digest: str) -> list[Any]:
    status = path.stat()
    return [digest, status.st_size, status.st_mtime_ns]


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _note(folder: Path, states: dict[str, list[Any]]) -> None:
    part = folder / f"{_VERIFIED}.{os.getpid()}.part"
    with contextlib.suppress(OSError):  # where nothing can be written, files are read through each time
        part.write_text(json.dumps(states))
        part.replace(folder / _VERIFIED)
