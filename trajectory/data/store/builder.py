"""From a log to prepared histories, once for each content and settings: cleaned, ordered and stored, or re-used."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import tensorflow_datasets as tfds
from ml_collections import ConfigDict
from tqdm.auto import tqdm

from trajectory.data.files.files import files_beneath
from trajectory.data.files.folder import item_file
from trajectory.data.formats.read import preset
from trajectory.data.ingest.log import read_log
from trajectory.data.ingest.quality.cleaning import clean
from trajectory.data.ingest.quality.summary import summary
from trajectory.data.ingest.source.domains import resolve
from trajectory.data.ingest.source.names import safe_name
from trajectory.data.ingest.source.sources import TFDS, source_path
from trajectory.data.store.arrays import check_targets, flatten
from trajectory.data.store.flat import damage, load, save
from trajectory.data.store.tfds_store import write_tfds
from trajectory.locks import hold
from trajectory.progress import bars_hidden
from trajectory.renamed import SINCE, fingerprinted
from trajectory.schema import CleanLog, Histories, UserError

_LOGGER = logging.getLogger(__name__)

FORMAT_VERSION = "2.1.0"  # raise it when stored histories change in meaning; older ones are then prepared anew
# Where things lie, who set them, and what names are shown as says nothing about what they hold.
_PLACES = ("source", "tfds_dir", "prepared_dir", "by_hand", "later", "labels", "name_case")


def prepare(data: ConfigDict, name: str = "") -> Histories:
    """Reads, cleans and stores the log of `config.data` once; the same content and settings are re-used later.

    Everything lies in `<prepared_dir>/<name>/<first 12 digits of the fingerprint>/`, which appears as a whole or not at
    all; of several processes one prepares and the others wait. A folder that is damaged is prepared anew. Raises
    UserError for a log that cannot be used.
    """
    name = safe_name(name or Path(data.source.removeprefix(TFDS)).stem)
    data = resolve(data)
    source = source_digest(data)
    mark = fingerprint(data, source)
    home = Path(data.prepared_dir) / name
    folder = home / mark[:12]
    if damage(folder):
        with _alone(home):
            if reason := damage(folder):
                if folder.exists():
                    _LOGGER.warning(f"{folder} cannot be used ({reason}): the log is prepared anew")
                _write(data, name, (mark, source), folder)
                return load(folder)
    _LOGGER.info(f"re-using {folder}")
    return load(folder)


def detected(histories: Histories, data: ConfigDict) -> dict[str, Any]:
    """What was understood of the log that the histories were prepared from; {} where they are not stored."""
    mark = (histories.whole or histories).fingerprint
    meta = Path(data.prepared_dir) / histories.name / mark[:12] / "meta.json"
    return json.loads(meta.read_text(encoding="utf-8"))["detected"] if meta.is_file() else {}  # type: ignore[no-any-return]


def quarantine(histories: Histories, data: ConfigDict) -> pl.DataFrame:
    """The rows that were set aside when the histories were prepared, with `source_line` and `reason`."""
    return pl.read_parquet(Path(data.prepared_dir) / histories.name / histories.fingerprint[:12] / "quarantine.parquet")


def fingerprint(data: ConfigDict, source: str = "") -> str:
    """sha256 over the digest of the `source`, the resolved settings and the format version, in hexadecimal digits."""
    source = source or source_digest(data)
    settings = {key: value for key, value in data.to_dict().items() if key not in _PLACES}
    for name in SINCE:
        if not settings[name]:
            del settings[name]
    for name in data.later:  # a run made before they came knew nothing of them
        section, _, field = name.rpartition(".")
        (settings[section] if section else settings).pop(field, None)
    stated = json.dumps([FORMAT_VERSION, fingerprinted(settings), source], sort_keys=True, default=str)
    return hashlib.sha256(stated.encode()).hexdigest()


def source_digest(data: ConfigDict) -> str:
    """sha256 over the names and bytes of the source's files, in hexadecimal digits."""
    digest = hashlib.sha256()
    files = _source_files(data)
    total = sum(path.stat().st_size for path in files)
    with tqdm(total=total, desc="fingerprint", unit="B", unit_scale=True, delay=2, disable=bars_hidden()) as progress:
        for path in files:
            digest.update(path.name.encode())
            with path.open("rb") as file:
                while block := file.read(1 << 22):
                    digest.update(block)
                    progress.update(len(block))
    return digest.hexdigest()


def _source_files(data: ConfigDict) -> list[Path]:
    """The files of the source, sorted; none if no source is named, which reading it then reports."""
    if not data.source:
        return []
    if data.source.startswith(TFDS):
        name = data.source.removeprefix(TFDS).partition(":")[0]
        place = Path(data.tfds_dir or tfds.core.constants.DATA_DIR).expanduser() / name
        return sorted(path for path in place.glob("**/*") if path.is_file())
    place = source_path(data.source)
    match = preset(data)
    if not match:
        return files_beneath(place)
    items = item_file(match.unread)
    return sorted({part.path for part in (*match.parts, *([items] if items else []))})


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Makes a folder and holds its lock; the system lets go of it when the process dies."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        file = (home / ".lock").open("w")
    except OSError as error:
        raise UserError(
            f"{home} cannot be written ({error.strerror}); set data.prepared_dir to another folder"
        ) from None
    with file as lock:
        if not hold(lock):
            _LOGGER.info(f"waiting for another process that prepares {home}")
            hold(lock, wait=True)
        yield


def _write(data: ConfigDict, name: str, marks: tuple[str, str], folder: Path) -> None:
    for stale in folder.parent.glob(f"{'[0-9a-f]' * 12}*.incomplete"):  # of killed processes: this one holds the lock
        shutil.rmtree(stale)
    work = folder.with_name(f"{folder.name}.{os.getpid()}.incomplete")
    try:
        histories, meta = _read(data, name, marks, work)
        write_tfds(histories, work / "tfds", FORMAT_VERSION)
        save(histories, meta, work)
        shutil.rmtree(folder, ignore_errors=True)
        work.rename(folder)
    finally:  # a full disk, an interrupt
        shutil.rmtree(work, ignore_errors=True)


def _read(data: ConfigDict, name: str, marks: tuple[str, str], work: Path) -> tuple[Histories, dict[str, Any]]:
    """The ordered histories in memory; a function of its own so that the log's tables are freed on return."""
    held = [clean(read_log(data), data)]
    _LOGGER.info(summary(held[0]))
    cleaned = replace(held[0], events=held[0].events.clear())
    histories = flatten(held.pop(), data, name, marks[0])  # the only one who holds the events, and lets go of them
    check_targets(histories, data)
    work.mkdir()  # from here on nothing is the user's mistake
    cleaned.quarantine.write_parquet(work / "quarantine.parquet")
    histories = replace(histories, source=marks[1])
    return histories, _meta(histories, cleaned)


def _meta(histories: Histories, cleaned: CleanLog) -> dict[str, Any]:
    keys = ("name", "fingerprint", "source", "num_users", "num_events", "num_items", "zone")
    flags = ("has_time", "baskets", "event_types", "roles", "interests", "feature_names")
    return {
        "format": FORMAT_VERSION,
        **{key: getattr(histories, key) for key in (*keys, *flags)},
        "detected": cleaned.log.detected,
        "quarantined": cleaned.counts,
        "folded": cleaned.folded,  # rows that are counted in the quantity of an equal one
    }
