"""Which public format a file or folder has: by the columns of its files, or by what their first lines look like."""

from __future__ import annotations

import difflib
import fnmatch
import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from trajectory.data.files import columnar
from trajectory.data.files.files import Part, opened, parts_of
from trajectory.data.files.lines import Text
from trajectory.data.formats.layout import File, Format, Match
from trajectory.schema import UserError

_SEPARATORS = ",\t;|"
_LOOKED_AT = 1 << 16  # bytes of a file
_LINES = 20
_ASIDE = re.compile(r"\s*#|sep=", re.IGNORECASE)  # comments, and a line that names the separator
_KEY = re.compile(r"""["'](\w+)["']\s*:""")  # of JSON, and of Python's notation


@dataclass(frozen=True)
class Glimpse:
    """What a file shows at its beginning."""

    part: Part
    lines: tuple[str, ...]  # the first that are neither blank nor comments
    columns: frozenset[str]  # in plain form: of its header, if it has one, or the keys of its first record
    records: bool  # whether it may hold lists: JSON or Parquet

    def fits(self, file: File) -> bool:
        """Whether it can be a file of this kind, whatever its name. A damaged first line does not hide it."""
        if file.line:
            alike = [re.fullmatch(file.line, line) is not None for line in self.lines]
            return alike[:1] == [True] or 2 * sum(alike) > len(alike)
        return self.columns.issuperset(map(plain, file.columns)) and (self.records or not file.read)


def plain(name: str) -> str:
    """Without case, spaces, "_" and "-": "Customer ID" is CustomerID."""
    return re.sub(r"[\s_\-]", "", name).lower()


def detect(path: Path, formats: dict[str, tuple[Format, ...]]) -> Match | None:
    """The first of the formats that a file, folder or zip file has."""
    try:
        parts = parts_of(path)
    except UserError:
        return None  # reading it says what is wrong
    alone = not path.is_dir() and not parts[0].member
    glimpses = _glimpses(parts)
    for name, layouts in formats.items():
        for layout in layouts:
            log = [(file, found) for file in layout.log if (found := _chosen(glimpses, file, alone))]
            if not log:
                continue
            around = _glimpses(_siblings(path, layout)) if alone else glimpses
            beside = {key: (file, _chosen(around, file)) for key, file in layout.beside.items()}
            clue = "the first line" if log[0][0].line else "the columns"
            clue += " of " + ", ".join(dict.fromkeys(part.file for _, found in log for part in found))
            match = Match(name, layout, tuple(log), {key: found for key, found in beside.items() if found[1]}, clue)
            return replace(match, unread=() if alone else tuple(part for part in parts if part not in match.parts))
    return None


def require(path: Path, name: str, formats: dict[str, tuple[Format, ...]]) -> Match:
    """The layout of the format that was asked for. UserError if there is no such format or the files do not have it."""
    if name not in formats:
        near = difflib.get_close_matches(name, formats, 1, 0.0)[0]
        raise UserError(
            f"data.format={name!r} is unknown; did you mean {near!r}? Formats: {', '.join(formats)}; "
            'or "auto" (known by its shape), or "" (a plain table)'
        )
    match = detect(path, {name: formats[name]})
    if match is None:
        wanted = "; or ".join(dict.fromkeys(_wanted(file) for layout in formats[name] for file in layout.log))
        seen = ", ".join(part.file for part in parts_of(path)[:10])
        raise UserError(
            f"data.format={name!r} does not fit {path}: expected {wanted}; found {seen}; set data.format= to read it "
            "as a plain table"
        )
    return match


def _wanted(file: File) -> str:
    name = "a file" if file.name == "*" else file.name.replace("|", " or ")
    return name + (f" with the columns {', '.join(file.columns)}" if file.columns else f" with lines like {file.line}")


def _siblings(path: Path, layout: Format) -> list[Part]:
    """The files beside a log that may tell of its items, by their names."""
    if not layout.beside:
        return []
    return [
        Part(other)
        for other in sorted(path.parent.iterdir())
        if other != path and other.is_file() and any(_named(other.name, file.name) for file in layout.beside.values())
    ]


def _chosen(glimpses: list[Glimpse], file: File, any_name: bool = False) -> tuple[Part, ...]:
    """The files that fit; of alternative names those of the first one that is there."""
    fitting = [glimpse.part for glimpse in glimpses if glimpse.fits(file)]
    if not any_name:
        alternatives = ([part for part in fitting if _named(part.file, name)] for name in file.name.split("|"))
        fitting = next(filter(None, alternatives), [])
    return tuple(fitting)


def _named(name: str, pattern: str) -> bool:
    alternatives = pattern.lower().split("|")
    stem = re.sub(r"\.(gz|bz2|xz|zst|zip)$", "", name.lower())
    return any(fnmatch.fnmatch(stem, one) for one in alternatives)


def _glimpses(parts: Iterable[Part]) -> list[Glimpse]:
    return [glimpse for part in parts if (glimpse := _glimpse(part, part.path.stat().st_mtime_ns)) is not None]


@lru_cache(maxsize=4096)  # a source is looked at several times on the way to its histories
def _glimpse(part: Part, _changed: int) -> Glimpse | None:
    try:
        with opened(part) as (stream, _):
            table = stream.read(4) == b"PAR1"
        if table:
            return Glimpse(part, (), frozenset(map(plain, columnar.names(part, arrow=False))), True)
        text = next(Text(part).blocks(_LOOKED_AT), b"").decode("utf-8", "replace")
    except (UserError, OSError):
        return None  # reading it says what is wrong
    found = (line for line in text.splitlines() if line.strip() and not _ASIDE.match(line))
    lines = tuple(itertools.islice(found, _LINES))
    first = lines[0].lstrip() if lines else ""
    if json := first.startswith(("{", "[")):
        names = _KEY.findall(first if first.startswith("{") else text)
    else:
        separator = max(_SEPARATORS, key=first.count)
        names = [cell.strip().strip('"') for cell in first.split(separator)]
    return Glimpse(part, lines, frozenset(map(plain, names)), json)
