"""JSON, one object a line or an array of them -> blocks of a table: objects within objects become columns a.b."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl

from trajectory.data.files.lines import LONGEST, Text
from trajectory.data.ingest.columns.detect import COMMON_NAMES, detect
from trajectory.schema import UserError

_OF_A_RECORD = {field: COMMON_NAMES[field] for field in ("user", "item", "basket")}
_SPACE = " \t\r\n,"


def is_json(sample: str) -> bool:
    """Whether a text begins as JSON does."""
    return sample.lstrip()[:1] in ("{", "[") and sample.lstrip()[1:].lstrip()[:1] in {*"{[]}\"'0123456789"}


def names(sample: str, name: str) -> list[str]:
    """The columns of the objects that a text begins with."""
    return list(
        dict.fromkeys(column for table, _ in _tables([sample.encode()], name, False) for column in table.columns)
    )


def blocks(text: Text) -> Iterator[tuple[pl.DataFrame, dict[int, str]]]:
    """Tables of the objects' fields; and row of the block -> text, of lines that are no object."""
    return _tables(text.blocks(), text.part.name)


def _tables(texts: Iterable[bytes], name: str, final: bool = True) -> Iterator[tuple[pl.DataFrame, dict[int, str]]]:
    whole, rest, rows = None, "", 0
    for block in texts:
        if whole is None:
            first = block.lstrip().partition(b"\n")[0].decode().strip()
            alone = block.strip().count(b"\n") == 0 and not first.startswith("{'")
            whole = first[0] == "[" or alone or (_object_of(first) is None and first[-1] in "{[,")
        if whole:
            objects, rest = _cut(rest + block.decode(), name)
            if len(objects) == 1 and first[0] == "{" and not rest.strip() and not rows:
                objects = _within(objects[0], name)
            rows += len(objects)
            if objects and not any(isinstance(thing, dict) for thing in objects):
                raise UserError(f"{name} is JSON without objects; expected one object for each row")
            block = "".join(json.dumps(thing) + "\n" for thing in objects).encode()
        if block.strip():
            yield _table(block)
    if final and rest.strip(_SPACE + "]"):
        raise UserError(f"{name} is damaged JSON: it ends within {rest.strip()[:80]!r}; write it again")


def _cut(text: str, name: str) -> tuple[list[Any], str]:
    """The objects of an array, or one after the other, that a text holds whole; and what is left of it."""
    decoder, objects, position = json.JSONDecoder(), [], 0
    if (start := text.lstrip())[:1] == "[" and not start[1:].lstrip().startswith("["):
        text = start[1:]
    while True:
        while position < len(text) and text[position] in _SPACE:
            position += 1
        if position == len(text) or text[position] == "]":
            break
        try:
            thing, position = decoder.raw_decode(text, position)
        except RecursionError:
            raise UserError(f"{name} is JSON nested too deeply for a log") from None
        except json.JSONDecodeError as error:
            if len(text) - position > LONGEST:
                raise UserError(f"{name} is one JSON object of more than {LONGEST} bytes; write one a line") from None
            if text[position] not in "{[" or error.pos < len(text) - 100:
                where = text[position : position + 80]
                raise UserError(f"{name} is damaged JSON near {where!r} ({error.msg}); write it again") from None
            break
        objects.append(thing)
    return objects, text[position:]


def _within(thing: Any, name: str) -> list[Any]:
    """The rows of a document of one object: those in it, where it is only a cover, {"events": [...]}."""
    values = [*thing.values()] if isinstance(thing, dict) else []
    lists = [value for value in values if isinstance(value, list) and value and isinstance(value[0], dict)]
    beside = [key for key, value in thing.items() if value is not lists[0]] if lists else []
    flat = _flattened({key: thing[key] for key in beside})  # such as "meta": {"pages": 3}
    plain = not any(isinstance(value, list | dict) for value in flat.values())
    if len(lists) == 1 and plain and not detect([*beside, *(key.rpartition(".")[2] for key in flat)], _OF_A_RECORD):
        return lists[0]
    columns = [value for value in values if isinstance(value, list | dict) and len(value) > 1]
    if len(values) > 1 and len(columns) == len(values) and len({len(value) for value in columns}) == 1:
        raise UserError(
            f"{name} is JSON by columns; write an object for each row: to_json(orient='records', lines=True)"
        )
    return [thing]


def _table(block: bytes) -> tuple[pl.DataFrame, dict[int, str]]:
    lines = block.count(b"\n")
    try:
        table = pl.read_ndjson(block, infer_schema_length=None)
        if table.height == lines:
            return flat(table), {}
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        pass
    texts = [line for line in block.decode().split("\n") if line.strip()]
    objects = [_object_of(line) for line in texts]
    bad = {row: line for row, (line, thing) in enumerate(zip(texts, objects, strict=True)) if thing is None}
    return _by_hand([thing or {} for thing in objects]), bad


def _object_of(line: str) -> dict[str, Any] | None:
    """The object that a line holds, in JSON or in Python's own notation, as old Amazon files have it; else None."""
    try:
        thing = json.loads(line)
    except (ValueError, RecursionError):
        try:
            thing = ast.literal_eval(line) if line.startswith("{'") else None
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            thing = None
    return thing if isinstance(thing, dict) else None


def flat(table: pl.DataFrame) -> pl.DataFrame:
    """Fields of records, however deep, as columns: "product.id"."""
    while nested := [name for name, kind in table.schema.items() if isinstance(kind, pl.Struct)]:
        for name in nested:
            full = table[name].struct.fields
            table = table.unnest(name, separator=".") if full else table.drop(name)
    return table


def _by_hand(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Row by row, for lines that a fast reader refuses: a field of several types becomes text."""
    flat = [_flattened(row) for row in rows]
    names = dict.fromkeys(name for row in flat for name in row)
    columns = []
    for name in names:
        cells = [row.get(name) for row in flat]
        try:
            column = pl.Series(name, cells, strict=True)
        except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
            column = pl.Series(
                name, [cell if cell is None or isinstance(cell, str) else json.dumps(cell) for cell in cells]
            )
        columns.append(column)
    return pl.DataFrame(columns) if columns else pl.DataFrame({"": [None] * len(rows)})


def _flattened(row: dict[str, Any], before: str = "") -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in row.items():
        result |= _flattened(value, f"{before}{key}.") if isinstance(value, dict) else {before + key: value}
    return result
