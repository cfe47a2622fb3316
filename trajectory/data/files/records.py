"""A block of delimited text -> rows that a fast parser reads without doubt, and the text of those that it cannot."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

_LINE, _QUOTE = ord("\n"), ord('"')
SPACES = "  "  # as a separator: any number of them
UNIT = "\x1f"  # stands for a separator of several bytes
LONGEST_OPEN = 2**24  # bytes: a quote open for longer was never meant to be one


@dataclass(frozen=True)
class Shape:
    """What a row looks like: `names` columns, and `width` cells where rows end in delimiters that the header lacks.

    `header`: the header line, which is no row where it is repeated ("" = none).
    """

    separator: str
    names: int
    width: int
    header: str = ""


@dataclass(frozen=True)
class Records:
    """`good`: bytes of rows of `width` cells, quoted by the book. `bad`: row number within the block -> its text.

    `rows`: good and bad ones; blank lines are none. `rest`: an unfinished row at the block's end.
    """

    good: bytes
    separator: str
    rows: int
    bad: dict[int, str]
    rest: bytes = b""


def split(block: bytes, shape: Shape, final: bool = True) -> Records:
    """Parts a block of whole lines into rows. Cells beyond the columns are no fault if they are blank.

    A quoted cell may hold separators, line ends and doubled quotes. A quote that does not open a cell, or does not
    close at a cell's end, or would merge lines to a row of the wrong width, is a character as any other.
    """
    if len(shape.separator.encode()) > 1:
        block, header = (_single(text, shape.separator) for text in (block, shape.header.encode()))
        shape = Shape(_mark(shape.separator), shape.names, shape.width, header.decode())
    rest, raw = b"", dict[int, str]()
    outline = _outline(block, shape, final)
    if outline is None:
        block, rest, raw = _mended(block, shape, final)
        outline = _outline(block, shape, True)
        assert outline is not None
    starts, stops, counts = outline
    if (len(stops) and stops[-1] + 1 < len(block)) or (block and not len(stops)):  # within a quoted cell
        cut = int(stops[-1]) + 1 if len(stops) else 0
        block, rest = block[:cut], block[cut:]
    odd = (counts != shape.width - 1) | (stops == starts)
    repeated = np.searchsorted(starts, _occurrences(block, shape.header.encode()))
    odd[repeated] = True
    odd = np.flatnonzero(odd)
    if not odd.size:
        return Records(block, shape.separator, len(starts), {}, rest)
    pieces, bad, blank, after = [], {}, 0, 0
    for line in odd.tolist():
        start, stop = int(starts[line]), int(stops[line])
        pieces.append(block[after:start])
        after = stop + 1
        text = block[start : stop + 1]
        if line in raw:
            bad[line - blank] = raw[line]
        elif not text.strip():
            blank += 1
        elif line not in repeated and (cells := _fitted(_cells(text, 0, shape.separator, True)[0], shape)) is not None:
            pieces.append(_quoted(cells, shape.separator))
        else:
            bad[line - blank] = _shown(text)
    pieces.append(block[after:])
    return Records(b"".join(pieces), shape.separator, len(starts) - blank, bad, rest)


def _occurrences(block: bytes, header: bytes) -> list[int]:
    """Where lines begin that are the header line again."""
    marks, position = [], -1
    while header and (position := block.find(header + b"\n", position + 1)) >= 0:
        if position == 0 or block[position - 1] == 10:
            marks.append(position)
    return marks


def record(text: str, separator: str) -> tuple[list[str], int]:
    """The cells of the row that a text begins with, and the characters it takes with its line end."""
    mark, data = _mark(separator), (text if text.endswith("\n") else text + "\n").encode()
    if mark != separator:
        data = _single(data, separator)
    cells, stop = _cells(data, 0, mark, False)
    if stop < 0:
        cells, stop = _cells(data, 0, mark, True)
    lines = data.count(b"\n", 0, stop + 1)
    return [cell.decode() for cell in cells], sum(len(line) + 1 for line in text.split("\n", lines)[:lines])


def _mark(separator: str) -> str:
    """The one character that stands for a separator."""
    return separator if len(separator.encode()) == 1 else " " if separator == SPACES else UNIT


def _single(data: bytes, separator: str) -> bytes:
    """A text with separators of one byte in the place of longer ones."""
    if separator == SPACES:
        return re.sub(rb"(?m)^ +| +$", b"", re.sub(rb" {2,}", b" ", data))
    return data.replace(separator.encode(), UNIT.encode())


def _outline(block: bytes, shape: Shape, final: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Where rows start and stop, and the separators in each; None where quotes need a closer look."""
    marks, kind = _marks(block, shape.separator)
    torn = False
    if b'"' in block:
        quotes = kind == _QUOTE
        inside = np.bitwise_xor.accumulate(quotes.view(np.uint8)).view(bool)
        if inside[-1] and (final or len(block) - marks[~inside].max(initial=0) > LONGEST_OPEN):
            return None
        if not _lawful(marks, inside[quotes], quotes, len(block)).all():
            return None
        outside = ~inside & ~quotes
        torn = bool(((kind == _LINE) & inside).any())
        marks, kind = marks[outside], kind[outside]
    ends = np.flatnonzero(kind == _LINE)
    stops = marks[ends]
    starts = np.concatenate([[0], stops[:-1] + 1]) if len(stops) else stops
    counts = np.diff(ends, prepend=-1) - 1
    if torn:
        wrong = np.flatnonzero(counts != shape.width - 1)
        if any(b"\n" in block[starts[line] : stops[line]] for line in wrong.tolist()):
            return None
    return starts, stops, counts


def _marks(block: bytes, separator: str) -> tuple[np.ndarray, np.ndarray]:
    """Where line ends, quotes and separators stand, and which is which."""
    data = np.frombuffer(block, np.uint8)
    special = data == _LINE
    special |= data == ord(separator)
    if b'"' in block:
        special |= data == _QUOTE
    where = np.flatnonzero(special)
    return where, data[where]


def _lawful(marks: np.ndarray, opens: np.ndarray, quotes: np.ndarray, length: int) -> np.ndarray:
    """Whether each quote that opens stands after a separator, and each that closes before one (or a quote, doubled)."""
    near = np.diff(marks, prepend=-1, append=length) == 1
    return np.where(opens, near[:-1][quotes], near[1:][quotes])


def _mended(block: bytes, shape: Shape, final: bool) -> tuple[bytes, bytes, dict[int, str]]:
    """The block with its doubtful lines quoted by the book; those that fit no row are emptied, their text returned."""
    marks, kind = _marks(block, shape.separator)
    quotes = kind == _QUOTE
    stops, where = marks[kind == _LINE], marks[quotes]
    starts = np.concatenate([[0], stops[:-1] + 1])
    line = np.searchsorted(stops, where)
    rank = np.arange(len(where)) - np.searchsorted(where, starts)[line]
    odd = np.bincount(line, minlength=len(stops)) % 2 == 1
    odd[line[~_lawful(marks, rank % 2 == 0, quotes, len(block))]] = True
    pieces, raw, after, merged = list[bytes](), dict[int, str](), 0, 0
    for number in np.flatnonzero(odd).tolist():
        start = int(starts[number])
        if start < after:
            continue  # within a row that began earlier
        cells, stop = _cells(block, start, shape.separator, False)
        if stop < 0 and not final and len(block) - start <= LONGEST_OPEN:
            pieces.append(block[after:start])
            return b"".join(pieces), block[start:], raw
        fitted = _fitted(cells, shape) if stop >= 0 else None
        if fitted is None:
            cells, stop = _cells(block, start, shape.separator, True)
            fitted = _fitted(cells, shape)
        pieces.append(block[after:start])
        if fitted is None:
            raw[number - merged] = _shown(block[start:stop])
            pieces.append(b"\n")
        else:
            pieces.append(_quoted(fitted, shape.separator))
        merged += block.count(b"\n", start, stop)
        after = stop + 1
    pieces.append(block[after:])
    return b"".join(pieces), b"", raw


def _cells(data: bytes, start: int, separator: str, one_line: bool) -> tuple[list[bytes], int]:
    """The cells of the row at `start` and where its line ends; -1 if a quoted cell is still open at the end."""
    quoted, escaped, unclosed, plain = _patterns(separator)
    cells, position = list[bytes](), start
    while True:
        match = None
        if data[position] in b' "':
            match = quoted.match(data, position)
            if match is None and not one_line and unclosed.match(data, position):
                return cells, -1
            match = match or escaped.match(data, position)
        if match and not (one_line and b"\n" in match[0]):
            backslashed = match.re is escaped
            cell = re.sub(rb"\\(.)", rb"\1", match[1], flags=re.DOTALL) if backslashed else match[1]
            cells.append(cell.replace(b'""', b'"'))
        else:
            match = plain.match(data, position)
            assert match is not None
            cells.append(match[0])
        position = match.end()
        if data[position] == 10:
            return cells, position
        position += 1


@lru_cache
def _patterns(separator: str) -> tuple[re.Pattern[bytes], ...]:
    end = re.escape(separator.encode())
    return (
        re.compile(rb' *"([^"]*(?:""[^"]*)*)" *(?=' + end + rb"|\n)"),
        re.compile(rb' *"([^"\\\n]*(?:(?:\\.|"")[^"\\\n]*)*)" *(?=' + end + rb"|\n)"),
        re.compile(rb' *"[^"]*(?:""[^"]*)*\Z'),
        re.compile(rb"[^\n" + end + rb"]*"),
    )


def _fitted(cells: list[bytes], shape: Shape) -> list[bytes] | None:
    """The cells as a row of the shape's width, or None if they are too few or too many."""
    if len(cells) < shape.names or any(cell.strip() for cell in cells[shape.names :]):
        return None
    return cells[: shape.names] + [b""] * (shape.width - shape.names)


def _quoted(cells: list[bytes], separator: str) -> bytes:
    special = (b'"', b"\n", separator.encode())
    return separator.encode().join(
        b'"' + cell.replace(b'"', b'""') + b'"' if any(mark in cell for mark in special) else cell for cell in cells
    ) + (b"\n")


def _shown(text: bytes) -> str:
    return text.decode(errors="replace").rstrip("\n")
