"""insights.html: what changed, what to do, whom to look up, then each part with its tables; works offline and on paper.

The page has each part as of when it was last made with this checkpoint; the tables lie beside it, whole.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from trajectory.insights.registry import PARTS
from trajectory.insights.report_model import HEADS, Block, Part, Picture, Statement, Text
from trajectory.names import FORMULA, NUMBER
from trajectory.reports.packed import flat, packed
from trajectory.reports.page import write_page
from trajectory.writing import write_csv, write_json, write_parquet

FORM = 2  # of what is kept of a part
MADE = "insights_parts.json"  # what the page shows of each part, so that one that is made anew leaves the others there
_LOGGER = logging.getLogger(__name__)
# Columns whose names are looked up on the page, as what.
LOOKED_UP = {"user": "customer", "customer": "customer", "item": "item", "interest": "interest", "segment": "interest"}
INSIDE = 400_000  # rows of a table that the page holds; a longer one is a CSV file beside it


def write_insights(
    parts: Sequence[Part],
    folder: Path,
    name: str,
    *,
    checkpoint: str = "",
    note: str = "",
    warning: str = "",
    clock: str = "",
    language: str = "",
) -> Path:
    """Writes each part's tables as <table>.parquet, insights.json (what was measured) and insights.html; returns it.

    Parts that were made before of the same `checkpoint` stay on the page, with the day they were made. `note`,
    `warning`, `clock`: what the page says first; `language`: that it opens in.
    """
    for part in parts:
        for table, rows in part.tables.items():
            write_parquet(rows, folder / f"{table}.parquet")
    made = kept(folder, checkpoint, {part.name for part in parts}) | {part.name: _shown(part) for part in parts}
    write_json({"form": FORM, "checkpoint": checkpoint, "parts": made}, folder / MADE)
    write_json({part: of["measured"] for part, of in made.items()}, folder / "insights.json")
    shown = [made[part] for part in _in_order(made)]
    beside, inside = {}, {}
    for table in (table for part in shown for table in part["tables"]):
        rows = flat(pl.read_parquet(folder / f"{table}.parquet"))
        if rows.height > INSIDE:
            write_csv(rows, folder / f"{table}.csv")
            beside[table] = rows.height
        else:
            inside[table] = packed(rows)
    return write_page(
        folder / "insights.html",
        "insights",
        name=name,
        note=note,
        warning=warning,
        clock=clock,
        language=language,
        opening=opening(shown),
        parts=shown,
        inside=inside,
        beside=beside,
        formula=json.dumps(FORMULA),
        number=json.dumps(NUMBER),
    )


def kept(folder: Path, checkpoint: str, anew: Collection[str] = ()) -> dict[str, Any]:
    """What the page has of parts that were made before, of the same checkpoint, and whose tables are there; those that
    are made `anew` are left out.
    """
    if not (folder / MADE).exists():
        return {}
    try:
        before = json.loads((folder / MADE).read_text(encoding="utf-8"))
        parts, of = {name: part for name, part in before["parts"].items() if name not in anew}, before["checkpoint"]
    except (ValueError, KeyError, TypeError, AttributeError):
        _LOGGER.warning(f"{folder / MADE} is damaged: parts that were made before leave the page")
        return {}
    gone = parts
    if before.get("form") != FORM:
        why = "that an earlier version made"
    elif of != checkpoint:
        why = f"that were made of another checkpoint ({of})"
    else:
        gone = {
            n: part for n, part in parts.items() if not all((folder / f"{t}.parquet").exists() for t in part["tables"])
        }
        why = "whose tables are gone"
    if gone:
        _LOGGER.warning(f"parts {why} leave the page: {', '.join(gone)}")
    return {name: part for name, part in parts.items() if name not in gone}


def opening(parts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The heads of the page, each with its statements (part, words, table): of each part in turn, as many as HEADS has.

    Heads that nothing is said under are left out.
    """
    heads = []
    for kind, (title, most) in HEADS.items():
        said = [[(part["name"], *one[1:]) for one in part["sentences"] if one[0] == kind] for part in parts]
        deepest = max((len(of) for of in said), default=0)
        turns = [of[i] for i in range(deepest) for of in said if i < len(of)][:most]
        if turns:
            heads.append({"kind": kind, "title": title, "statements": turns})
    return heads


def _in_order(made: dict[str, Any]) -> list[str]:
    return sorted(made, key=lambda name: PARTS.index(name) if name in PARTS else len(PARTS))


def _shown(part: Part) -> dict[str, Any]:
    return {
        "name": part.name,
        "title": part.title,
        "made": f"{datetime.now(UTC):%Y-%m-%d}",
        "sentences": [_statement(one) for one in part.sentences],
        "blocks": [_block(block) for block in part.blocks],
        "tables": sorted(part.tables),
        "measured": part.measured,
    }


def _statement(one: Statement) -> tuple[str, str, str]:
    return one.kind, str(one), one.table


def _block(block: Block) -> dict[str, Any]:
    if isinstance(block, Text):
        return {"kind": "text", "words": block.words, "fold": block.fold}
    if isinstance(block, Picture):
        of = {"title": block.title, "svg": block.svg, "words": block.words, "note": block.note}
        return {"kind": "picture", "fold": block.fold, **of}
    columns = [name for name in block.rows.columns if name != block.by]
    cells = [[_cell(row[name], block.formats.get(name, "")) for name in columns] for row in block.rows.to_dicts()]
    numeric = [block.rows.schema[name].is_numeric() for name in columns]
    kinds = [LOOKED_UP.get(name, "") for name in columns]
    groups = block.rows[block.by].cast(pl.String).to_list() if block.by else []
    first = [row for row, group in zip(cells, groups, strict=True) if group == groups[0]] if block.by else cells
    return {
        "kind": "table",
        "fold": block.fold,
        "title": block.title,
        "by": block.by,
        "choices": list(dict.fromkeys(groups)),
        "columns": list(zip(columns, numeric, kinds, strict=True)),
        "rows": first,
        "packed": packed(_texts(block.by, groups, columns, cells)) if block.by else "",
        "note": block.note,
    }


def _texts(by: str, groups: list[str], columns: list[str], cells: list[list[str]]) -> pl.DataFrame:
    """All rows of a table of which the reader chooses some, as they are shown, the column of the choice first."""
    rows = [[group, *row] for group, row in zip(groups, cells, strict=True)]
    return pl.DataFrame(rows, schema=dict.fromkeys([by, *columns], pl.String), orient="row")


def _cell(value: Any, form: str) -> str:
    if value is None:
        return ""
    return form.format(value) if form else str(value)
