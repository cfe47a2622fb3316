"""Prepared histories on disk: what is read is what was written, or it is said what is wrong."""

from pathlib import Path

import numpy as np
import pytest

from tests.builders import make_histories
from trajectory.data.store import flat
from trajectory.data.store.arrays import COLUMNS
from trajectory.schema import UserError

HISTORIES = make_histories([[1, 2, 3], [3, 1], [2]])
META = {
    **{key: getattr(HISTORIES, key) for key in ("name", "fingerprint", "source", "has_time", "baskets", "num_items")},
    **{key: getattr(HISTORIES, key) for key in ("interests", "event_types", "roles", "feature_names")},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    flat.save(HISTORIES, META, tmp_path)
    return tmp_path


def exchange(path: Path) -> None:
    """Another item at every second event, in place, as a stray program would."""
    values = np.load(path, mmap_mode="r+")
    values[::2] = 1 + values[::2] % 3
    values.flush()


DAMAGES = {
    "exchanged values": (lambda folder: exchange(folder / "item.npy"), "item.npy is not as it was written"),
    "a truncated array": (
        lambda folder: (folder / "time.npy").write_bytes((folder / "time.npy").read_bytes()[:-1]),
        "time.npy is not as it was written",
    ),
    "an empty array": (lambda folder: (folder / "step.npy").write_bytes(b""), "step.npy is not as it was written"),
    "a missing array": (
        lambda folder: (folder / "event_type.npy").unlink(),
        "event_type.npy cannot be read: No such file",
    ),
    "a folder in a file's place": (
        lambda folder: ((folder / "value.npy").unlink(), (folder / "value.npy").mkdir()),
        "value.npy cannot be read: Is a directory",
    ),
    "other meta data": (
        lambda folder: (folder / "meta.json").write_text((folder / "meta.json").read_text().replace("view", "cart")),
        "meta.json is not as it was written",
    ),
    "a missing table": (lambda folder: (folder / "users.parquet").unlink(), "users.parquet cannot be read"),
    "no digests": (lambda folder: (folder / "digests.json").unlink(), "digests.json is missing or damaged"),
    "half of the digests": (
        lambda folder: (folder / "digests.json").write_text('{"item.npy": "12'),
        "digests.json is missing or damaged",
    ),
    "digests that are no names": (
        lambda folder: (folder / "digests.json").write_text("[1]"),
        "digests.json is missing or damaged",
    ),
}


def test_what_is_loaded_is_what_was_saved(folder):
    loaded = flat.load(folder)
    for key in ("offsets", *COLUMNS):
        np.testing.assert_array_equal(getattr(loaded, key), getattr(HISTORIES, key), key)
    assert isinstance(loaded.item, np.memmap)
    assert not loaded.item.flags.writeable
    assert loaded.users.equals(HISTORIES.users)
    assert loaded.items.equals(HISTORIES.items)
    assert (loaded.item_interest == HISTORIES.item_interest).all()
    assert all(getattr(loaded, key) == value for key, value in META.items())


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_noticed(folder, damage):
    assert flat.damage(folder) == ""
    change, words = DAMAGES[damage]
    change(folder)
    assert words in flat.damage(folder)
    with pytest.raises(UserError, match="holds no prepared histories that can be used"):
        flat.load(folder)


def test_a_file_is_read_through_once_for_each_content(folder, monkeypatch):
    read = []
    digest = flat._digest
    monkeypatch.setattr(flat, "_digest", lambda path: read.append(path.name) or digest(path))
    flat.load(folder)
    assert read == []
    values = (folder / "item.npy").read_bytes()
    (folder / "item.npy").write_bytes(values)  # the same content, changed later
    flat.load(folder)
    flat.load(folder)
    assert read == ["item.npy"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"item.npy": 3}'])
def test_what_is_noted_of_earlier_checks_may_be_damaged(folder, content):
    (folder / "verified.json").write_text(content)
    assert flat.load(folder).num_events == 6
    exchange(folder / "item.npy")
    (folder / "verified.json").write_text(content)
    assert flat.damage(folder) == "item.npy is not as it was written"


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match="it is not there"):
        flat.load(tmp_path / "nowhere")
