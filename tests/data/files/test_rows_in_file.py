"""Whatever a text file looks like: rows kept and malformed rows are the rows in the file, cell by cell."""

import csv
import io
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trajectory.data.files import lines
from trajectory.data.files.table import Layout, read_table

NAMES = ["user_id", "item_id", "title", "brand"]
plain = st.text("abcé1 .'", max_size=6)
hostile = st.text('ab,;|\t"\n é', max_size=8)


def written(rows: list[list[str]], separator: str, quoting: Any, end: str) -> list[str]:
    lines = []
    for row in rows:
        out = io.StringIO()
        csv.writer(out, delimiter=separator, quoting=quoting, lineterminator=end).writerow(row)
        lines.append(out.getvalue())
    return lines


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.lists(hostile, min_size=4, max_size=4), min_size=1, max_size=6),
    ragged=st.lists(st.tuples(st.integers(0, 6), st.sampled_from([1, 3, 5, 6])), max_size=3),
    separator=st.sampled_from([",", ";", "|", "\t", "^"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    block=st.sampled_from([1, 7, 40, 10**6]),
    trailing=st.booleans(),
)
def test_kept_and_malformed_rows_are_those_in_the_file(
    tmp_path: Path,
    rows: list[list[str]],
    ragged: list[tuple[int, int]],
    separator: str,
    quoting: Any,
    end: str,
    encoding: str,
    block: int,
    trailing: bool,
) -> None:
    if end == "\r":
        rows = [[cell.replace("\n", " ") for cell in row] for row in rows]
    rows = [row if any(cell.strip() for cell in row) else ["x", *row[1:]] for row in rows]
    body: list[tuple[str, list[str] | None]] = [
        (text, row) for text, row in zip(written(rows, separator, quoting, end), rows, strict=True)
    ]
    if trailing:
        body = [(text.removesuffix(end) + separator + end, row) for text, row in body]
    for place, width in ragged:
        text = separator.join(f"r{i}" for i in range(width))
        body.insert(place, (text + end, None))
    head = separator.join(NAMES) + end
    path = tmp_path / "log.csv"
    path.write_bytes((head + "".join(text for text, _ in body)).encode(encoding))
    given_encoding = encoding if encoding == "cp1252" else ""
    with mock.patch.object(lines, "BLOCK", block):
        raw = read_table(path, Layout(separator=separator, encoding=given_encoding))
    assert raw.table.columns == NAMES
    assert raw.table.height == len(body)
    bad = [None] * len(body) if raw.malformed is None else raw.malformed.to_list()
    for (text, row), cells, malformed in zip(body, raw.table.rows(), bad, strict=True):
        if row is None:
            assert malformed == text.strip(end)
            assert cells == (None,) * 4
        else:
            assert malformed is None
            assert [_same(cell) for cell in cells] == [_same(cell) for cell in row]


def _same(cell: Any) -> str:
    text = "" if cell is None else str(cell)
    return text.strip() if text.strip().isdigit() else text if text.strip() else ""
