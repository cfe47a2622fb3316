"""Packed files, folders of parts, JSON, Parquet, and what is refused before it costs memory or hangs."""

import bz2
import gzip
import json
import lzma
import os
import time
import zipfile
from pathlib import Path
from typing import Any
from unittest import mock

import polars as pl
import pyarrow as pa
import pytest

from trajectory.data.files import files, lines, stack
from trajectory.data.files.table import read_table
from trajectory.data.ingest.log import read_log
from trajectory.data.ingest.quality.cleaning import clean
from trajectory.data.ingest.source.sources import Source, read_source
from trajectory.schema import UserError
from trajectory.settings import base

HEADER = "user_id,item_id,timestamp\n"
ROWS = [(i % 4, f"i{i % 3}", 1_700_000_000 + i) for i in range(12)]
LOG = HEADER + "".join(f"{user},{item},{time}\n" for user, item, time in ROWS)
ITEMS = "item_id,title,category\ni0,tea,hot\ni1,milk,cold\n"


def source(path: Path, **changes: Any) -> Source:
    data = base().data
    data.source, data.format = str(path), ""
    for name, value in changes.items():
        data[name] = value
    return read_source(data)


def zipped(path: Path, **members: str | bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_DOT_", "."), content)
    return path


def zstd(data: bytes) -> bytes:
    out = pa.BufferOutputStream()
    with pa.CompressedOutputStream(out, "zstd") as stream:
        stream.write(data)
    return bytes(out.getvalue().to_pybytes())


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstd, lambda x: gzip.compress(x) * 2])
def test_packed_files_are_streamed_and_known_by_their_content(tmp_path: Path, pack: Any) -> None:
    (tmp_path / "log.txt").write_bytes(pack(LOG.encode()))
    table = read_table(tmp_path / "log.txt").table
    assert table.rows()[: len(ROWS)] == ROWS
    (tmp_path / "log.txt").write_bytes(pack(LOG.encode())[:-9])
    with pytest.raises(UserError, match=r"cut off or damaged|Truncated"):
        read_table(tmp_path / "log.txt")


def test_a_zip_of_one_file_and_of_parts(tmp_path: Path) -> None:
    assert source(zipped(tmp_path / "a.zip", log_DOT_csv=LOG)).table.rows() == ROWS
    parts = {f"log__part{i}_DOT_csv": HEADER + f"{i},x,5\n" for i in (10, 2, 1)}
    found = source(zipped(tmp_path / "b.zip", **parts, __MACOSX____part1_DOT_csv="rubbish"))
    assert found.table["user_id"].to_list() == [1, 2, 10]
    assert found.files is not None
    assert found.files.cast(pl.String).to_list() == [f"log/part{i}.csv" for i in (1, 2, 10)]
    assert any("read 3 files" in note for note in found.notes)


def test_a_zip_of_a_log_and_its_item_table(tmp_path: Path) -> None:
    found = source(zipped(tmp_path / "a.zip", x__events_DOT_csv=LOG, x__things_DOT_csv=ITEMS, x__readme_DOT_txt="a b"))
    assert found.table.rows() == ROWS
    assert found.items is not None
    assert found.items["title"].to_list() == ["tea", "milk"]
    assert any("readme.txt" in note for note in found.notes)


def test_zips_that_are_not_read(tmp_path: Path) -> None:
    for members, words in (
        ({"b_DOT_zip": "PK"}, "holds another archive, b.zip"),
        ({}, "without files"),
        ({"[Content_Types]_DOT_xml": "x", "xl__workbook_DOT_xml": "x"}, "Excel"),
    ):
        with pytest.raises(UserError, match=words):
            source(zipped(tmp_path / "a.zip", **members))
    locked = zipped(tmp_path / "a.zip", log_DOT_csv=LOG)
    content = bytearray(locked.read_bytes())
    content[6] |= 1  # the flag of a password, in the member's header and in the directory
    content[content.find(b"PK\x01\x02") + 8] |= 1
    locked.write_bytes(content)
    with pytest.raises(UserError, match="password"):
        source(locked)


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "parquet", "jsonl"])
def test_folders_of_parts_in_natural_order_with_the_values_of_their_folders(tmp_path: Path, suffix: str) -> None:
    for day, part in ((2, 0), (10, 1), (10, 0)):
        path = tmp_path / f"day={day}" / f"part-{part}.{suffix}"
        path.parent.mkdir(exist_ok=True)
        table = pl.DataFrame({"user_id": [f"u{day}"], "item_id": [part], "timestamp": [5]})
        if suffix == "parquet":
            table.write_parquet(path)
        elif suffix == "jsonl":
            table.write_ndjson(path)
        else:
            content = table.write_csv().encode()
            path.write_bytes(gzip.compress(content) if suffix.endswith("gz") else content)
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / "empty.csv").touch()
    found = source(tmp_path)
    assert found.table.select("user_id", "item_id").rows() == [("u2", 0), ("u10", 0), ("u10", 1)]
    assert found.table["day"].cast(pl.String).to_list() == ["2", "10", "10"]
    assert any("empty.csv" in note for note in found.notes)


def test_parts_of_a_file_that_was_cut_share_its_header_line(tmp_path: Path) -> None:
    lines = LOG.splitlines(keepends=True)
    for name, some in (("xaa", lines[:5]), ("xab", lines[5:9]), ("xac", lines[9:])):
        (tmp_path / name).write_text("".join(some))
    assert source(tmp_path).table.rows() == ROWS


def test_a_log_and_an_item_table_in_other_kinds_of_file(tmp_path: Path) -> None:
    (tmp_path / "interactions.jsonl").write_text(json.dumps({"user": 1, "item": "i0"}) + "\n")
    (tmp_path / "items.csv.gz").write_bytes(gzip.compress(ITEMS.replace(",", ";").encode()))
    found = source(tmp_path)
    assert found.table.rows() == [(1, "i0")]
    assert found.items is not None
    assert found.items.columns == ["item_id", "title", "category"]


def test_what_cannot_be_read_in_a_folder_is_left_out_and_said(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(LOG)
    zipped(tmp_path / "notes.xlsx", **{"[Content_Types]_DOT_xml": "x"})
    (tmp_path / "shop.db").write_bytes(b"SQLite format 3\0")
    found = source(tmp_path)
    assert found.table.rows() == ROWS
    assert sum("left out" in note for note in found.notes) == 2


def test_more_files_left_out_than_read_are_warned_of(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(LOG)
    (tmp_path / "stores.csv").write_text("store,city\n1,Rome\n")
    assert source(tmp_path).warnings == ()
    (tmp_path / "staff.csv").write_text("name,since\nAda,2020\n")
    assert source(tmp_path).warnings == ("not read as log or item table: staff.csv, stores.csv",)
    data = base().data
    data.source = str(tmp_path)
    log = read_log(data)
    assert any(note["warning"] and "staff.csv" in note["text"] for note in log.detected["notes"])


def test_parts_whose_columns_come_in_another_order_and_case(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("user_id,item_id,timestamp\n1,x,1700000000\n")
    (tmp_path / "b.csv").write_text("Timestamp;Item-ID;User ID\n1700000001;y;2\n")
    found = source(tmp_path)
    assert found.table.rows() == [(1, "x", 1_700_000_000), (2, "y", 1_700_000_001)]
    assert "b.csv: Timestamp, Item-ID, User ID are taken for timestamp, item_id, user_id" in "; ".join(found.notes)
    (tmp_path / "b.csv").write_text("USER_ID,user_id,item_id,timestamp\n1,2,y,1700000001\n")
    with pytest.raises(UserError, match="several that could be the log"):
        source(tmp_path)


def test_folders_that_leave_a_choice_or_none_are_refused_with_what_they_hold(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds nothing"):
        source(tmp_path)
    (tmp_path / "a.csv").write_text(LOG)
    (tmp_path / "b.csv").write_text("user_id,item_id,rating\n1,2,3\n")
    with pytest.raises(UserError, match=r"several that could be the log.*a\.csv: user_id.*b\.csv"):
        source(tmp_path)


def test_json_lines_with_objects_within_and_lines_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text(
        '{"user": {"id": 7, "at": {"city": "x"}}, "item": "a", "bought": [{"n": 1}]}\n'
        'broken\n{"user": {"id": "8"}, "item": "b", "price": 2.5}\n[1]\n'
    )
    raw = read_table(tmp_path / "log.jsonl")
    assert raw.table["user.id"].to_list() == ["7", None, "8", None]
    assert raw.table["user.at.city"].to_list() == ["x", None, None, None]
    assert raw.table["price"].to_list() == [None, None, 2.5, None]
    assert raw.malformed is not None
    assert raw.malformed.to_list() == [None, "broken", None, "[1]"]


OBJECTS = [{"user": 1, "item": "a", "n": {"m": 1}}, {"user": 2, "item": "b\nc"}]


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(OBJECTS),
        json.dumps(OBJECTS, indent=2),
        json.dumps({"count": 2, "events": OBJECTS}),
        json.dumps({"events": OBJECTS}, indent=1),
        "\n".join(json.dumps(thing, indent=1) for thing in OBJECTS),
        "[" + ",\n".join(map(json.dumps, OBJECTS)) + "\n]\n",
        "\n".join(map(repr, OBJECTS)),
    ],
)
@pytest.mark.parametrize("block", [20, 10**6])
def test_json_arrays_and_other_notations(tmp_path: Path, content: str, block: int) -> None:
    (tmp_path / "log.json").write_bytes(gzip.compress(content.encode()))
    whole = content.startswith("{") and "events" in content
    with mock.patch.object(lines, "BLOCK", 10**6 if whole else block):
        table = read_table(tmp_path / "log.json").table
    assert table.select("user", "item", "n.m").rows() == [(1, "a", 1), (2, "b\nc", None)]


def test_one_record_with_a_list_is_a_record_and_no_cover(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"session": 1, "events": [{"aid": 2}, {"aid": 3}]}')
    assert read_table(tmp_path / "log.jsonl").table.columns == ["session", "events"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('[{"user": 1}, {"us', "damaged JSON"),
        ('[{"user": 1}, oops, {"user": 2}]', "damaged JSON near"),
        ('{"user": {"0": 1, "1": 2}, "item": {"0": 1, "1": 2}}', "JSON by columns"),
        ("[1, 2]", "without objects"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_json_that_is_not_read(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "log.json").write_text(content)
    with pytest.raises(UserError, match=words):
        read_table(tmp_path / "log.json")


def test_only_the_wanted_columns_are_kept(tmp_path: Path) -> None:
    table = pl.DataFrame({"user_id": ["a", "b"], "note": ["x", "y"], "item_id": [1, 2]})
    table.write_csv(tmp_path / "log.csv")
    table.write_parquet(tmp_path / "log.parquet")
    table.write_ndjson(tmp_path / "log.jsonl")
    for name in ("log.csv", "log.parquet", "log.jsonl"):
        kept = read_table(tmp_path / name, keep=lambda names: [one for one in names if one != "note"]).table
        assert kept.rows() == [("a", 1), ("b", 2)], name


def test_blocks_of_large_tables_agree_on_types_and_keep_repeated_texts_once(tmp_path: Path) -> None:
    rows = [
        (
            str(i),
            "view" if i % 2 else "buy",
            "" if i < 50 else str(i),
            f"t{i}",
            f"{i}.0",
            f"2024-01-01 00:00:{i % 60:02} UTC",
            f"2024-01-01T00:00:{i % 60:02}",
        )
        for i in range(99)
    ]
    rows.append(("x", "buy", "1", "t", "7", "2024-01-01 00:00:01 UTC", "soon"))
    text = "user,event,late,unique,item,time,when\n" + "".join(",".join(row) + "\n" for row in rows)
    (tmp_path / "log.csv").write_text(text)
    with mock.patch.object(lines, "BLOCK", 300), mock.patch.object(stack, "LARGE", 500):
        table = read_table(tmp_path / "log.csv").table
    kinds = table.schema
    assert (kinds["event"], kinds["late"], kinds["unique"]) == (pl.Categorical(), pl.Int64, pl.String)
    assert table["user"].to_list() == [*map(str, range(99)), "x"]
    assert table["item"].to_list() == [*range(99), 7]
    assert table["late"].to_list() == [None] * 50 + [*range(50, 99), 1]
    assert table["event"].cast(pl.String).to_list() == [row[1] for row in rows]
    assert table["time"].dtype == pl.Datetime("us", "UTC")
    assert table["time"].dt.strftime("%Y-%m-%d %H:%M:%S UTC").to_list() == [row[5] for row in rows]
    assert table["when"].cast(pl.String).to_list() == [row[6] for row in rows]


def refused(path: Path | str, words: str) -> None:
    started = time.monotonic()
    data = base().data
    data.source = str(path)
    with pytest.raises(UserError, match=words) as error:
        read_log(data)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 1000
    assert time.monotonic() - started < 20


def test_a_single_gigantic_line_is_refused_early(tmp_path: Path) -> None:
    (tmp_path / "bomb.csv.gz").write_bytes(gzip.compress(b"," * 2**23, 1))
    with mock.patch.object(lines, "LONGEST", 2**20):
        refused(tmp_path / "bomb.csv.gz", "line of more than 1 MiB")


def test_what_unpacks_to_a_multiple_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bomb.csv.gz").write_bytes(gzip.compress((HEADER + "1,2,1700000000\n" * 300_000).encode()))
    with mock.patch.object(files, "LARGE", 2**20), mock.patch.object(files, "RATIO", 50):
        refused(tmp_path / "bomb.csv.gz", "unpacks to more than 50 times")


def test_a_table_that_does_not_fit_into_memory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(LOG * 1000)
    with mock.patch.object(stack, "free_memory", return_value=100_000):
        refused(tmp_path / "log.csv", "does not fit into memory")


def test_too_many_columns_are_refused(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(",".join(f"c{i}" for i in range(20_000)) + "\n" + "1," * 20_000 + "\n")
    refused(tmp_path / "log.csv", "20,000 columns")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "neither text"),
        (b"SQLite format 3\0" + bytes(100), "SQLite"),
        (b"<html><body>not found</body></html>", "HTML"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "git lfs pull"),
        (b"\x80\x04\x95" + bytes(100), "pickle"),
        (b"\xd0\xcf\x11\xe0" + bytes(100), "Excel"),
        (bytes(257) + b"ustar" + bytes(100), "tar archive"),
        (gzip.compress(b"", mtime=0), "is empty"),
    ],
)
def test_other_files_are_named_for_what_they_are(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "log.csv").write_bytes(content)
    refused(tmp_path / "log.csv", words)


def test_places_that_are_no_files_are_refused_and_nothing_hangs(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    refused(tmp_path / "pipe", "pipe, device or socket")
    refused("/dev/zero", "pipe, device or socket")
    refused("/tmp/" + "x" * 5000, "cannot be opened")
    refused("x" * 300, "cannot be opened")
    (tmp_path / "file").write_text("x")
    refused(tmp_path / "file" / "below", "cannot be opened|does not exist")
    refused("a\0b.csv", "null")
    with mock.patch.object(os, "access", return_value=False):  # root may read everything
        refused(tmp_path / "file", "may not be read")


def test_quarantine_names_the_file_of_a_row(tmp_path: Path) -> None:
    (tmp_path / "part-1.csv").write_text(LOG)
    (tmp_path / "part-2.csv").write_text(HEADER + "1,i1\n2,i2,1700000000\n")
    data = base().data
    data.source = str(tmp_path)
    rows = clean(read_log(data), data).quarantine
    assert rows.select("source_line", "file", "reason", "malformed").rows() == [
        (len(ROWS) + 1, "part-2.csv", "malformed row", "1,i1")
    ]


def test_records_under_a_cover_with_more_about_them(tmp_path: Path) -> None:
    (tmp_path / "log.json").write_text('{"data": [{"user_id": 1, "item_id": "x"}], "meta": {"pages": {"n": 1}}}')
    assert read_table(tmp_path / "log.json").table.columns == ["user_id", "item_id"]
    (tmp_path / "log.json").write_text('{"lines": [{"sku": "x"}], "order": {"user_id": 1, "order_id": 7}}')
    assert "order.user_id" in read_table(tmp_path / "log.json").table.columns
