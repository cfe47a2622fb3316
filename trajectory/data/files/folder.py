"""Which of several files, of a folder or a zip file, are the log, which the item table, and which neither."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tqdm.auto import tqdm

from trajectory.data.files.files import Part
from trajectory.data.files.table import FileHead, Layout, first_names, look_at, read_head
from trajectory.data.files.typed_files import grown_logs, typed_logs
from trajectory.data.ingest.columns.detect import ITEM_NAMES, LOG_NAMES, detect, plain
from trajectory.progress import bars_hidden
from trajectory.schema import UserError

_LOG_FILES = ("interactions", "transactions")
_ITEM_FILES = ("items", "products")
_SUFFIXES = (".parquet", ".csv", ".jsonl", ".json", ".inter", ".item", ".tsv", ".txt")


@dataclass(frozen=True)
class Contents:
    """Files by what they are; `notes` names those that are left out, `warnings` where they are more than are read.

    `types`: file -> type of event, where the names of the log's files say it.
    """

    log: list[FileHead]
    items: list[FileHead]
    notes: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    types: dict[Part, str] = field(default_factory=dict)


def sort_out(
    place: Path,
    parts: Sequence[Part],
    layout: Layout,
    asked: Sequence[str],
    hint: str = "",
    types: dict[Part, str] | None = None,
) -> Contents:
    """Files named interactions or transactions are the log, items or products its item table; else columns tell.

    All files of the same columns, in whatever order and case, are parts of one table. `asked`: columns that the user
    has named as the log's. `types`: type of event of files whose names say one; where those of all logs do, all are.
    UserError if no files, or several groups of them, could be the log.
    """
    named = {_stem(part): part for part in reversed(_by_suffix(parts))}
    log, items = (next((named[stem] for stem in stems if stem in named), None) for stems in (_LOG_FILES, _ITEM_FILES))
    types = types or {}
    if log and log not in types:
        left = [part for part in parts if part not in (log, items)]
        return _contents(
            look_at([log], layout, hint), look_at([items], Layout(encoding=layout.encoding)) if items else [], [], left
        )
    looks, notes = _looked_at(parts, layout)
    groups: dict[frozenset[str], list[FileHead]] = {}
    for head in looks:
        groups.setdefault(head.columns, []).append(head)
    logs = [group for group in groups.values() if _is_log(group, asked)]
    typed = typed_logs(logs, types)
    if several := typed or grown_logs(logs):
        rest = [group for group in groups.values() if group not in logs]
        several = sorted(several, key=looks.index)
        return replace(_beside(several, rest, notes), types={head.part: types[head.part] for head in typed})
    if len(groups) == 1 and (len(looks[0].names) > 1 or looks[0].missing):
        logs = list(groups.values())  # there is no choice: what it lacks is said later
    if len(logs) != 1:
        raise UserError(_undecided(place, logs or list(groups.values()), bool(logs), notes))
    return _beside(logs[0], [group for group in groups.values() if group is not logs[0]], notes)


def _beside(log: list[FileHead], rest: list[list[FileHead]], notes: list[str]) -> Contents:
    """The log with the item table among the other groups of files, and what is left out."""
    tables = [group for group in rest if "item" in detect(group[0].names, ITEM_NAMES)]
    tables = tables or [group for group in rest if _stem(group[0].part) in _ITEM_FILES]
    if len(tables) > 1:
        tables = [group for group in tables if _stem(group[0].part) in _ITEM_FILES]
    left = [head.part for group in rest if group not in tables for head in group]
    return _contents(log, tables[0] if tables else [], notes, left)


def left_over(parts: Sequence[Part], layout: Layout, need_items: bool) -> Contents:
    """Files beside a log that is known already: one named items or products is its item table, if that is needed."""
    items = item_file(parts) if need_items else None
    left = [part for part in parts if part != items]
    return Contents([], look_at([items], Layout(encoding=layout.encoding)) if items else [], _left_out(left))


def item_file(parts: Sequence[Part]) -> Part | None:
    """The file that is named as an item table."""
    named = {_stem(part): part for part in reversed(_by_suffix(parts))}
    return next((named[stem] for stem in _ITEM_FILES if stem in named), None)


def _looked_at(parts: Sequence[Part], layout: Layout) -> tuple[list[FileHead], list[str]]:
    """Of each file that can be read what it is; which cannot, as notes."""
    looks, notes = [], []
    for part in tqdm(parts, "looking at files", delay=2, disable=bars_hidden()):
        try:
            head = read_head(part, replace(layout, header=()))
            if layout.separator and len(head.names) == 1:  # what separates the log's cells need not do so everywhere
                head = read_head(part, replace(layout, header=(), separator=""))
            looks.append(head)
        except UserError as error:
            notes.append(f"left out: {error}")
    known = {len(head.names): head.names for head in looks if head.kind == "text" and head.names}
    if layout.header:
        known[len(layout.header)] = layout.header
    for i, head in enumerate(looks):  # parts of a file that was cut have their header line in the first
        if head.missing and (names := known.get(len(head.missing.cells))):
            looks[i] = read_head(head.part, replace(layout, header=names))
    return [found for found in looks if found.kind != "empty"], notes + [
        f"left out, empty: {found.part.file}" for found in looks if found.kind == "empty"
    ]


def _is_log(group: list[FileHead], asked: Sequence[str]) -> bool:
    if any(name in group[0].names for name in asked):
        return True
    columns = detect(group[0].names, LOG_NAMES)
    return {"user", "item"} <= {*columns} or {"time", "behaviour"} <= {*columns}


def _undecided(place: Path, groups: list[list[FileHead]], several: bool, notes: list[str]) -> str:
    shown = "; ".join(
        f"{first_names([head.part.file for head in group])}: {first_names(group[0].names)}" for group in groups[:5]
    )
    what = "several that could be the log" if several else "none with a user and an item column"
    help_ = "" if several else _to_join(groups)
    missing = next((str(group[0].missing) for group in groups if group[0].missing), "")
    return (
        f"{place} is a {_kind(place)} without interactions.parquet or interactions.csv, and its files are {what} "
        f"(it holds {shown or '; '.join(notes) or 'nothing'}); {help_ or 'name the file itself, or rename it'}"
        + (f" ({missing})" if missing else "")
    )


def _kind(place: Path) -> str:
    return "folder" if place.is_dir() else "packed file"


def _to_join(groups: list[list[FileHead]]) -> str:
    """What to do where one file has the users, another one the items, and both a column that tells which belong to
    each other; "" elsewhere.
    """
    found = {group[0].part.file: (group[0].names, detect(group[0].names, LOG_NAMES)) for group in groups}
    for people, (names, has) in found.items():
        for things, (others, have) in found.items():
            if "user" not in has or "item" in has or "item" not in have or "user" in have:
                continue
            if keys := _shared_key(people, names, others):
                of_things, of_people = keys
                on = f"on={of_things!r}" if of_things == of_people else f"left_on={of_things!r}, right_on={of_people!r}"
                user = has["user"]
                more = [file for file, (columns, own) in found.items() if file != people and own.get("user") == user]
                further = [file for file in more if "item" not in found[file][1]][:1]
                what = f", and {further[0]} tells more of the users" if further else ""
                last = f".join(polars.read_csv({further[0]!r}), on={user!r})" if further else ""
                return (
                    f"{people} has the users and {things} the items{what}: join them by {of_things} into one file, for "
                    f"example polars.read_csv({things!r}).join(polars.read_csv({people!r}), {on}){last}"
                )
    return ""


def _shared_key(people: str, names: Sequence[str], others: Sequence[str]) -> tuple[str, str] | None:
    """The column of the items' file, and that of the users', which say which rows belong to each other: order_id and
    the id of orders.csv, or one name in both. An id in both numbers the rows of each.
    """
    one = plain(Path(people).stem).removesuffix("s")
    own = next((name for name in names if plain(name) == "id"), "")
    if own and (foreign := next((name for name in others if plain(name) == f"{one}id"), "")):
        return foreign, own
    shared = [name for name in names if name in others and plain(name) not in ("id", "name", "title", "status")]
    keys = [name for name in shared if plain(name).endswith(("id", "no", "nr", "number", "key", "code"))] or shared
    return (keys[0], keys[0]) if keys else None


def _contents(log: list[FileHead], items: list[FileHead], notes: Sequence[str], left: Sequence[Part]) -> Contents:
    said = _left_out(left)
    if len(left) > len(log) + len(items):
        return Contents(log, items, tuple(notes), said)
    return Contents(log, items, (*notes, *said))


def _left_out(parts: Sequence[Part]) -> tuple[str, ...]:
    return (f"not read as log or item table: {first_names([part.file for part in parts])}",) if parts else ()


def _by_suffix(parts: Sequence[Part]) -> list[Part]:
    """Those that may be found by name, the preferred kind of file first."""
    kinds = [next((i for i, suffix in enumerate(_SUFFIXES) if part.file.endswith(suffix)), -1) for part in parts]
    shallow = min((part.name.count("/") for part in parts), default=0)
    order = sorted((kind, i) for i, kind in enumerate(kinds) if kind >= 0 and parts[i].name.count("/") == shallow)
    return [parts[i] for _, i in order]


def _stem(part: Part) -> str:
    return re.sub(r"\.[a-z]+$", "", part.file)
