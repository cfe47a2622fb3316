"""insights.html: what matters first, then each part with pictures and tables; one file, works offline and on paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from trajectory.insights.report_model import Part, Picture, Table, Text
from trajectory.reports.page import script_safe, write_page
from trajectory.writing import safe_for_sheets, write_json, write_parquet

OPENING = 10  # sentences
ROWS = 20_000  # of a download from the page, which must stay small enough to be sent; the Parquet file has all


def write_insights(
    parts: list[Part], folder: Path, name: str, note: str = "", warning: str = "", clock: str = ""
) -> Path:
    """Writes each part's tables as <table>.parquet, insights.json (what was measured) and insights.html; returns it.

    `note`, `warning`, `clock`: what the page says first.
    """
    for part in parts:
        for table, rows in part.tables.items():
            write_parquet(rows, folder / f"{table}.parquet")
    write_json({part.name: part.measured for part in parts}, folder / "insights.json")
    return write_page(
        folder / "insights.html",
        "insights",
        name=name,
        note=note,
        warning=warning,
        clock=clock,
        opening=opening(parts),
        parts=[_shown(part) for part in parts],
        files={part.name: sorted(part.tables) for part in parts},
        data=script_safe({table: _csv(rows) for part in parts for table, rows in part.tables.items()}),
    )


def opening(parts: list[Part]) -> list[tuple[str, str]]:
    """(name of the part, sentence): the most important of each part in turn, OPENING at most."""
    deepest = max((len(part.sentences) for part in parts), default=0)
    turns = [(part.name, part.sentences[i]) for i in range(deepest) for part in parts if i < len(part.sentences)]
    order = {part.name: number for number, part in enumerate(parts)}
    return sorted(turns[:OPENING], key=lambda turn: order[turn[0]])


def _shown(part: Part) -> dict[str, Any]:
    return {"name": part.name, "title": part.title, "blocks": [_block(block) for block in part.blocks]}


def _block(block: Text | Table | Picture) -> dict[str, Any]:
    if isinstance(block, Text):
        return {"kind": "text", "words": block.words}
    if isinstance(block, Picture):
        return {"kind": "picture", "title": block.title, "svg": block.svg, "words": block.words, "note": block.note}
    columns = [name for name in block.rows.columns if name != block.by]
    cells = [[_cell(row[name], block.formats.get(name, "")) for name in columns] for row in block.rows.to_dicts()]
    numeric = [block.rows.schema[name].is_numeric() for name in columns]
    groups = block.rows[block.by].cast(pl.String).to_list() if block.by else [""] * len(cells)
    return {
        "kind": "table",
        "title": block.title,
        "by": block.by,
        "choices": list(dict.fromkeys(groups)),
        "columns": list(zip(columns, numeric, strict=True)),
        "rows": list(zip(groups, cells, strict=True)),
        "note": block.note,
    }


def _cell(value: Any, form: str) -> str:
    if value is None:
        return ""
    return form.format(value) if form else str(value)


def _csv(rows: pl.DataFrame) -> str:
    """The table as CSV for a spreadsheet, or the first of its rows if there are very many."""
    flat = rows.with_columns(
        pl.col(name).cast(pl.List(pl.String)).list.join("; ")
        for name, kind in rows.schema.items()
        if isinstance(kind, pl.List)
    )
    return safe_for_sheets(flat.head(ROWS))[0].write_csv(float_precision=6)
