"""An inspection of a log as lines for a terminal and as a page of its own."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from ml_collections import ConfigDict

from trajectory import hints
from trajectory.inspection.inspect import Inspection, Section, inspect
from trajectory.names import plain
from trajectory.reports.page import render
from trajectory.schema import UserError
from trajectory.settings import base
from trajectory.settings.flags import set_fields
from trajectory.writing import write_text

_LOGGER = logging.getLogger(__name__)

_WIDEST = 60  # characters of a cell in a terminal


def show_log(log: str, settings: Sequence[str], out: Path) -> None:
    """As `show`, of a file, a folder, a domain's name or tfds:NAME, with settings such as "data.day_first=yes"."""
    config = base()
    config.data.source = log
    show(set_fields(config, settings).data, out)


def show(data: ConfigDict, out: Path) -> None:
    """Prints what is understood of the log of `config.data` and writes the page `out`; nothing else is stored."""
    if out.suffix != ".html" or not out.parent.is_dir():
        raise UserError(f"{hints.argument('out', str(out))}: expected a page's name that ends in .html, in a folder")
    inspection = inspect(data)
    write_text(as_page(inspection), out)
    _LOGGER.info(f"{as_text(inspection)}\n\nwritten to {out}; nothing was trained or stored")


def as_text(found: Inspection) -> str:
    """The same as the page, in lines."""
    lines = [f"{found.name}: what was understood", ", ".join(f"{number} {what}" for number, what in found.counts), ""]
    lines += ["Please look at", *(f"  - {text}{f'  [{setting}]' * bool(setting)}" for text, setting in found.doubts)]
    if not found.doubts:
        lines.append("  Nothing looks wrong.")
    for section in found.sections:
        lines += ["", section.title, *(f"  {sentence}" for sentence in section.sentences), *_table(section)]
    return "\n".join(lines)


def as_page(found: Inspection) -> str:
    """One HTML file that needs no other."""
    values = {"name": found.name, "counts": found.counts, "doubts": found.doubts, "sections": found.sections}
    return render("inspect.html", "inspection", **values)


def _table(section: Section) -> list[str]:
    rows = [section.header, *section.rows] if section.rows else []
    cells = [[plain(cell, _WIDEST) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    numeric = {*section.numeric} if rows else set()
    return [
        "  "
        + "  ".join(
            cell.rjust(width) if at in numeric else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
