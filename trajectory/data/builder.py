"""From a log to stored histories: a TFDS data set of one record per history, and the flat arrays read back from it."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from ml_collections import ConfigDict
from tensorflow_datasets.proto import tf_example_pb2
from tqdm import tqdm

from trajectory.data.arrays import COLUMNS, flatten, is_complete, load
from trajectory.data.cleaning import clean, summary
from trajectory.data.domains import known, locate, resolve
from trajectory.data.log import read_log
from trajectory.data.sources import TFDS
from trajectory.schema import CleanLog, Histories, UserError

FORMAT_VERSION = "1.0.0"  # raise it when stored histories change in meaning; older ones are then prepared anew
SPLIT = "histories"
_RECORDS_AT_ONCE = 2048
_PLACES = ("source", "tfds_dir", "prepared_dir")  # where things lie says nothing about what they hold


def prepare(data: ConfigDict, name: str = "") -> Histories:
    """Reads, cleans and stores the log of `config.data` once; the same content and settings are re-used later.

    Everything lies in `<prepared_dir>/<name>/<first 12 digits of the fingerprint>/`, which appears as a whole or not at
    all; of several processes one prepares and the others wait. Raises UserError for a log that cannot be used.
    """
    name = name or Path(data.source.removeprefix(TFDS)).stem
    data = resolve(data)
    mark = fingerprint(data)
    home = Path(data.prepared_dir) / name
    folder = home / mark[:12]
    if not is_complete(folder):
        with _alone(home):
            if not is_complete(folder):
                _write(data, name, mark, folder)
                return load(folder)
    print(f"re-using {folder}")
    return load(folder)


def fingerprint(data: ConfigDict) -> str:
    """sha256 over the source's bytes, the resolved settings and the format version, in hexadecimal digits."""
    settings = {key: value for key, value in data.to_dict().items() if key not in _PLACES}
    digest = hashlib.sha256(json.dumps([FORMAT_VERSION, settings], sort_keys=True, default=str).encode())
    files = _source_files(data)
    total = sum(path.stat().st_size for path in files)
    with tqdm(total=total, desc="fingerprint", unit="B", unit_scale=True, delay=2, disable=None) as progress:
        for path in files:
            digest.update(path.name.encode())
            with path.open("rb") as file:
                while block := file.read(1 << 22):
                    digest.update(block)
                    progress.update(len(block))
    return digest.hexdigest()


def _source_files(data: ConfigDict) -> list[Path]:
    """The files of the source, sorted; none if it is not there, which reading it then reports."""
    if not data.source:
        return []
    pattern = "*"
    if data.source in known():
        place = locate(data.source)
    elif data.source.startswith(TFDS):
        place = Path(data.tfds_dir or tfds.core.constants.DATA_DIR) / data.source.removeprefix(TFDS).partition(":")[0]
        pattern = "**/*"
    else:
        place = Path(data.source)
    place = place.expanduser()
    return sorted(path for path in (place.glob(pattern) if place.is_dir() else [place]) if path.is_file())


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
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting for another process that prepares {home}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write(data: ConfigDict, name: str, mark: str, folder: Path) -> None:
    for stale in folder.parent.glob("*.incomplete"):  # of killed processes: this one holds the lock
        shutil.rmtree(stale)
    work = folder.with_name(f"{folder.name}.incomplete")
    histories, meta = _read(data, name, mark, work)
    store(histories, work)
    derive_arrays(work)
    histories.users.write_parquet(work / "users.parquet")
    histories.items.write_parquet(work / "items.parquet")
    (work / "meta.json").write_text(json.dumps(meta, indent=2, default=str) + "\n")
    shutil.rmtree(folder, ignore_errors=True)
    work.rename(folder)


def _read(data: ConfigDict, name: str, mark: str, work: Path) -> tuple[Histories, dict[str, Any]]:
    """The ordered histories in memory; a function of its own so that the log's tables are freed on return."""
    cleaned = clean(read_log(data), data)
    print(summary(cleaned))
    histories = flatten(cleaned, data, name, mark)
    work.mkdir()  # from here on nothing is the user's mistake
    cleaned.quarantine.write_parquet(work / "quarantine.parquet")
    return histories, _meta(histories, cleaned)


def _meta(histories: Histories, cleaned: CleanLog) -> dict[str, Any]:
    keys = ("name", "fingerprint", "num_users", "num_events", "num_items")
    flags = ("has_time", "baskets", "kinds", "interests", "feature_names")
    return {
        "format": FORMAT_VERSION,
        **{key: getattr(histories, key) for key in (*keys, *flags)},
        "detected": cleaned.log.detected,
        "quarantined": cleaned.counts,
    }


class StoredHistories(tfds.core.GeneratorBasedBuilder):
    """The histories as a TFDS data set: one record per history, in the order of the users, readable without us."""

    VERSION = tfds.core.Version(FORMAT_VERSION)
    code_path = None  # where TFDS would look for checksums of downloads (with a package that need not be installed)

    def __init__(self, *, histories: Histories, **kwargs: Any) -> None:
        self._histories = histories
        super().__init__(file_format="array_record", **kwargs)

    def _info(self) -> tfds.core.DatasetInfo:
        width = len(self._histories.feature_names)
        shapes = {key: (None, width) if key == "features" else (None,) for key in _stored_columns(self._histories)}
        # As bytes, tensors are written and read several times faster than as lists of numbers.
        encoding = tfds.features.Encoding.BYTES
        tensors = {
            key: tfds.features.Tensor(shape=s, dtype=COLUMNS[key], encoding=encoding) for key, s in shapes.items()
        }
        return tfds.core.DatasetInfo(
            builder=self,
            description="One record per user: all events in time order; item, kind and step are index numbers.",
            features=tfds.features.FeaturesDict({"user": tfds.features.Text(), **tensors}),
            disable_shuffling=True,  # records keep the order of users.parquet
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        return {SPLIT: self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
        histories = self._histories
        columns = {key: getattr(histories, key) for key in _stored_columns(histories)}
        bounds = histories.offsets.tolist()
        users = histories.users["user"].to_list()
        for row, user in enumerate(tqdm(users, "storing histories", delay=2, disable=None)):
            part = slice(bounds[row], bounds[row + 1])
            yield row, {"user": str(user), **{key: values[part] for key, values in columns.items()}}


def _stored_columns(histories: Histories) -> list[str]:
    return [key for key in COLUMNS if key != "features" or histories.feature_names]


def store(histories: Histories, folder: Path) -> None:
    """Writes the TFDS data set below `folder/tfds`."""
    tfds.disable_progress_bar()  # ours is shown
    with contextlib.redirect_stdout(io.StringIO()):  # TFDS announces a download that does not happen
        StoredHistories(histories=histories, data_dir=folder / "tfds").download_and_prepare()
    shutil.rmtree(folder / "tfds" / "downloads")  # empty


def open_store(folder: Path) -> tfds.core.DatasetBuilder:
    """The TFDS builder of prepared histories; `.as_data_source("histories")` gives its records."""
    return tfds.builder_from_directory(folder / "tfds" / StoredHistories.name / FORMAT_VERSION)


def derive_arrays(folder: Path) -> None:
    """Reads the TFDS data set of `folder` once and writes its flat arrays, `offsets.npy` and one file per column."""
    builder = open_store(folder)
    # The raw records, not decoded by TFDS: that costs 0.2 ms a record, and the bytes are the arrays already.
    source = builder.as_data_source(SPLIT, deserialize_method=tfds.decode.DeserializeMethod.RAW_BYTES)
    chunks: dict[str, list[bytes]] = {key: [] for key in COLUMNS}
    lengths: list[int] = []
    for start in tqdm(range(0, len(source), _RECORDS_AT_ONCE), "flat arrays", delay=2, disable=None):
        rows = range(start, min(start + _RECORDS_AT_ONCE, len(source)))
        records = [tf_example_pb2.Example.FromString(record).features.feature for record in source.__getitems__(rows)]
        for key in chunks.keys() & builder.info.features.keys():
            parts = [record[key].bytes_list.value[0] for record in records]
            chunks[key].append(b"".join(parts))
            if key == "item":
                lengths.extend(len(part) // np.dtype(COLUMNS[key]).itemsize for part in parts)
    np.save(folder / "offsets.npy", np.append(0, np.cumsum(lengths)).astype(np.int64))
    for key, dtype in COLUMNS.items():
        values = np.frombuffer(b"".join(chunks.pop(key)), dtype)
        np.save(folder / f"{key}.npy", values.reshape(sum(lengths), -1) if key == "features" else values)
