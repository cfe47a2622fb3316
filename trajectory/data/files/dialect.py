"""How a delimited text is written: what separates cells, what comes before the rows, what the columns are called."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import polars as pl

from trajectory import hints
from trajectory.data.files.records import SPACES, record
from trajectory.data.ingest.cells.dates import read_dates
from trajectory.data.ingest.columns.detect import COMMON_NAMES, CONTENT_NAMES, ITEM_NAMES, detect
from trajectory.data.ingest.findings import Findings
from trajectory.data.ingest.sales.event_types import WORDS
from trajectory.schema import UserError

# Of those that fit as well, the one that gives more cells is taken, then the earlier one.
SEPARATORS = (",", ";", "\t", "|", "::", "^", "\x01", "||", "~", "^^", "¦", "§", "#", SPACES, " ")
MOST_COLUMNS = 10_000
_WORDS = {"tab": "\t", "\\t": "\t", "space": " ", "comma": ",", "semicolon": ";", "pipe": "|", "\\x01": "\x01"}
_SEP_LINE = re.compile(r'"?sep=(.+?)"?$', re.IGNORECASE)
_TYPED = re.compile(r"(.+):(token|float|token_seq|float_seq)$")  # RecBole's atomic files
_NUMBER = re.compile(r"[-+]?\d[\d.,]*(?:[eE][-+]?\d+)?")
_DATE = re.compile(r"\d{1,4}[-/.年]\d{1,2}[-/.月]\d{1,4}.*|\d{1,2}:\d{2}(:\d{2}.*)?")
_MOMENT = re.compile(r"1\d{9}(\.\d+|\d{3}|\d{6})?")  # unix seconds, milliseconds or microseconds
_DAY = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")  # 20240531
_FRACTION = re.compile(r"[-+]?\d+\.\d+")
_LOOK = 300  # lines that the detection looks at
_FEW = 5  # pieces
_SOME = 10  # lines from which something is concluded of numbers
_TITLES, _TABLE = 10, 3  # lines of a title above a table at most, cells of its rows at least


class HeaderMissing(UserError):
    """The first line of a file is data; `cells` are its cells."""

    def __init__(self, message: str, cells: list[str]) -> None:
        super().__init__(message)
        self.cells = cells


@dataclass(frozen=True)
class Dialect:
    """`start`: bytes before the first row, in UTF-8. `width`: cells of a row, more than names where rows end in blanks.

    `header`: the header line's text, "" where the names are not from the file: where it is repeated, it is no row.
    """

    separator: str
    names: tuple[str, ...]
    width: int
    start: int
    header: str
    notes: tuple[str, ...]


def detect_dialect(text: str, name: str, separator: str = "", header: tuple[str, ...] = (), hint: str = "") -> Dialect:
    """The dialect of a text that begins like this (whole lines). `hint`: what to do where no header line is there.

    Raises HeaderMissing if the first line looks like the rows below it, and UserError if there is no line at all or
    there are too many columns.
    """
    position, named, comments, notes = _preamble(text)
    set_by_hand = bool(separator)
    separator = _WORDS.get(separator, separator) or named
    lines = text[position:].split("\n", _LOOK + 1)[:_LOOK]
    lines = [line for line in lines if line.strip()]
    if not lines:
        raise UserError(f"{name} has no line but blanks and comments; expected column names and rows")
    separator = separator or _detected(lines, len(header))
    if "\n" in separator or '"' in separator or not separator:
        raise UserError(f"data.separator={separator!r}: expected what stands between the cells of a line")
    if not header and (titles := _titles(text[position:], separator)):
        more = text[position : position + titles].strip().split("\n")
        notes.append(f"{len(more)} line(s) above the header line are left out, the first: {_short(more[0])}")
        position += titles
        lines = [line for line in text[position:].split("\n", _LOOK + 1)[:_LOOK] if line.strip()]
    rows, ends = _rows(text[position:], separator)
    first = rows[0]
    if max(len(first), len(header)) > MOST_COLUMNS:
        raise UserError(f"{name} has {len(first):,} columns (at most {MOST_COLUMNS:,} are read); is it a log?")
    head = ""
    if header:
        width = _width(rows, len(header))
        if [cell.strip().lower() for cell in first[: len(header)]] == [cell.lower() for cell in header]:
            head = text[position : position + ends].strip("\n")
            notes.append(f"{name} has a header line of its own that says the same as data.header")
        elif all(len(row) < len(header) for row in rows) or width < len(header):
            raise UserError(
                f"data.header names {len(header)} columns, but lines of {name} have {len(first)} cells: "
                f"{_short(lines[0])}; name each column once"
            )
        names = list(header)
    else:
        commented = record(comments[-1].lstrip("# "), separator)[0] if comments else []
        if len(commented) == len(first) and len(first) > 1 and _is_data(first, rows[1:]):
            names = commented  # the names stand in a comment
            notes.append(f"{name}: the names of its columns are taken from the comment above the rows")
        elif _is_data(first, rows[1:]):
            raise HeaderMissing(_no_header(name, lines[0], rows, hint), first)
        else:
            names, head = first, text[position : position + ends].strip("\n")
            rows = rows[1:]
        while (
            len(names) > 1
            and not names[-1].strip()
            and not any(cell.strip() for row in rows for cell in row[len(names) - 1 : len(names)])
        ):
            names = names[:-1]  # of a delimiter at the line's end
        width = _width(rows, len(names))
        if _is_heading(names) and any(_is_heading(row) for row in rows):
            raise UserError(
                f"{name}: lines such as {_short(names[0])} are headings of the lines below them: write what they say "
                "as a column of each of these lines, and name the columns in a header line"
            )
        if rows and all(len(row) != width for row in rows[:20]) and len(rows) > 2 and width == len(names):
            raise UserError(
                f"{name}: the header line has {len(names)} cells, the lines below have {len(rows[0])}: "
                f"{_short(lines[1] if len(lines) > 1 else lines[0])}; correct the header line, or name the columns in "
                "data.header and take it out"
            )
    if not set_by_hand and separator not in (",", "\t"):
        notes.append(f"{name}: cells are taken to be parted by {_shown(separator)} [data.separator]")
    if width > len(names):
        notes.append(f"{name}: most lines end in {width - len(names)} delimiter(s) more than there are columns")
    start = len(text[: position + (ends if head else 0)].encode())
    return Dialect(separator, tuple(_plain(names)), width, start, head, tuple(notes))


def _preamble(text: str) -> tuple[int, str, list[str], list[str]]:
    """Characters before the first line that is not blank, a comment or "sep=;"; the separator it names; comments."""
    position, separator, comments, notes = 0, "", list[str](), list[str]()
    while position < len(text):
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        line = text[position:end].strip()
        if separator_line := _SEP_LINE.match(text[position:end].strip(" ")):
            separator = _WORDS.get(separator_line[1], separator_line[1])
        elif line.startswith("#"):
            comments.append(line)
        elif line:
            break
        position = end + 1
    if comments:
        notes.append(f"{len(comments)} comment line(s) before the rows are left out, the first: {_short(comments[0])}")
    return min(position, len(text)), separator, comments, notes


def _detected(lines: list[str], columns: int) -> str:
    """The separator by which most lines have the same number of cells, the first line among them."""
    best, best_score = ",", (0.0, 0)
    for separator in SEPARATORS:
        counts = [_count(line, separator) for line in lines]
        width, often = Counter(counts).most_common(1)[0]
        if not width:
            continue
        score = often / len(counts)
        if columns:
            score *= 1 if width >= columns - 1 else 0.3
        elif counts[0] != width:
            titled = width >= _TABLE - 1 and width in counts[:_TITLES]
            score *= 0.8 if counts[0] or titled else 0.3
        if separator in (" ", SPACES):  # words have spaces between them
            score *= 0.7 if separator == " " else 0.75 if any(SPACES in line for line in lines) else 0
        if (round(score, 9), width) > best_score:
            best, best_score = separator, (round(score, 9), width)
    return best


def _count(line: str, separator: str) -> int:
    if '"' in line:
        line = re.sub(r'"[^"]*"', "x", line)
    if separator == SPACES:
        return len(re.findall(" +", line.strip(" ")))
    count = line.count(separator)
    doubled = separator in ("|", "^") and count == 2 * line.count(separator * 2)  # then the pair separates
    return 0 if doubled else count


def _rows(text: str, separator: str) -> tuple[list[list[str]], int]:
    """The cells of the first rows, blank lines left out, and the characters of the first."""
    rows, position, first = list[list[str]](), 0, 0
    while position < len(text) and len(rows) < _LOOK:
        end = text.find("\n", position + 10_000) + 1
        cells, taken = record(text[position : end or len(text)], separator)
        if len(cells) > 1 or cells[0].strip():
            rows.append(cells)
        position += taken
        first = first or position
    return rows, first


def _titles(text: str, separator: str) -> int:
    """Characters of lines above the header line: of a report's title, with half of a row's cells at most, no names."""
    rows, _ = _rows(text, separator)
    width = Counter(map(len, rows)).most_common(1)[0][0]
    full = (i for i, row in enumerate(rows[:_TITLES]) if 2 * sum(bool(cell.strip()) for cell in row) > width)
    above = next(full, 0)
    known = any(detect(row, COMMON_NAMES | CONTENT_NAMES) for row in rows[:above])
    if width < _TABLE or not above or known or _is_data(rows[above], rows[above + 1 :]):
        return 0
    position = 0
    while above or not text[position:].partition("\n")[0].strip(f" \r{separator}"):
        cells, taken = record(text[position:], separator)
        position, above = position + taken, above - bool(len(cells) > 1 or cells[0].strip())
    return position


def _is_heading(row: list[str]) -> bool:
    """Whether a line is one word and a colon."""
    return len(row) == 1 and bool(re.fullmatch(r"\s*\S+:\s*", row[0]))


def _width(rows: list[list[str]], names: int) -> int:
    """Cells of a row: more than there are names where most rows go on with blank ones."""
    wider = Counter(len(row) for row in rows if len(row) > names and not any(cell.strip() for cell in row[names:]))
    if wider:
        width, often = wider.most_common(1)[0]
        if often > sum(len(row) == names for row in rows):
            return width
    return names


def _is_data(first: list[str], rows: list[list[str]]) -> bool:
    """Whether the first line looks like rows below it: a number or a date where they have some, or a word of theirs.

    A column that bears a common name of one makes it a header, and so does counting, 0, 1, 2.
    """
    cells = [cell.strip() for cell in first]
    names = [cell for cell in cells if cell]
    common = {**COMMON_NAMES, **{f"item_{k}": v for k, v in ITEM_NAMES.items()}, **CONTENT_NAMES}
    words = [name for name in names if not _value(name)]
    known = len(detect(words, common))
    if known > 1 or (known and words == names) or all(map(_TYPED.match, names)):
        return False
    if not rows:
        return bool(names) and not words
    if first in rows and not any(map(_value, names)):
        return False  # a header line repeated below
    if len(names) > 2 and names == [str(i) for i in range(len(names))]:
        return False
    below = [[row[i].strip() for row in rows if len(row) == len(first)] for i in range(len(first))]
    for cell, column in zip(cells, below, strict=True):
        filled = [other for other in column if other]
        if _value(cell) and filled and 2 * sum(map(_value, filled)) > len(filled):
            return True
        if cell and len(cells) > 1 and cell in filled:
            return True
    return False


def _value(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell) or _DATE.fullmatch(cell))


def _no_header(name: str, line: str, rows: list[list[str]], hint: str) -> str:
    example = hints.setting("data.header", _likely(rows))
    what = hint or f"name its {len(rows[0])} columns in data.header, for example {example}"
    return f"{name} has no header line, its first line is data: {_short(line)}; {what}"


def _likely(rows: list[list[str]]) -> str:
    """Names of columns that could be those of lines of data, to be corrected by who knows."""
    cells = rows[0]
    words = {word for known in WORDS.values() for word in known}
    left = iter(("user_id", "item_id"))
    names: dict[str, int] = {}
    for number, cell in enumerate(map(str.strip, cells), start=1):
        if cell.lower() in words and "event_type" not in names:
            name = "event_type"
        elif _is_time(cell) and "timestamp" not in names:
            name = "timestamp"
        elif _are_pieces([row[number - 1].strip() for row in rows if len(row) == len(cells)]):
            name = f"c{number}" if "quantity" in names else "quantity"
        elif _FRACTION.fullmatch(cell):
            name = f"c{number}"  # no id
        else:
            name = next(left, f"c{number}")
        names[name] = number
    return ",".join(names)


def _are_pieces(cells: list[str]) -> bool:
    """Whether cells are small whole numbers, half of them at most 5 and some more, as pieces are and ids are not."""
    if not all(re.fullmatch(r"\d{1,3}", cell) for cell in cells):
        return False
    few = sum(int(cell) <= _FEW for cell in cells)
    return len(cells) >= _SOME and 2 * few >= len(cells) and len({*cells}) > 2


def _is_time(cell: str) -> bool:
    if _MOMENT.fullmatch(cell) or _DATE.fullmatch(cell) or _DAY.fullmatch(cell):
        return True
    return bool(re.search(r"[A-Za-z]", cell)) and read_dates(pl.Series([cell]), "yes", Findings()).moment[0] is not None


def _shown(separator: str) -> str:
    return "spaces" if separator in (" ", SPACES) else repr(separator)


def _short(line: str) -> str:
    line = line.strip()
    return repr(line if len(line) <= 120 else line[:117] + "...")


def _plain(names: list[str]) -> list[str]:
    """Names of columns without the types of atomic files, each once: a repeated one gets a number."""
    typed = [_TYPED.match(name.strip()) for name in names]
    if all(typed):
        names = [found[1] for found in typed if found]
    seen: dict[str, int] = {}
    result = []
    for name in map(str.strip, names):
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return result
