"""The line on every page of a run that leads to its other pages, kept true in each page whenever one is written."""

from __future__ import annotations

import os
import re
from html import escape
from pathlib import Path

from trajectory.writing import write_text

PAGES = {
    "insights.html": "What to act on",
    "report.html": "Results and forecasts",
    "migration.html": "Who moved where",
    "attributions.html": "Why",
}
INNER = "insights"  # a run of its own, of what to act on, inside another's folder (quickstart)
_LINE = re.compile(r"<!--pages-->.*?<!--/pages-->", re.DOTALL)


def links(page: Path) -> str:
    """The line of a page, with its own name in bold; empty where there is no other page."""
    others = [found for found in _pages(page.parent) if found != page]
    if not others:
        return "<!--pages--><!--/pages-->"
    shown = sorted([page, *others], key=lambda one: list(PAGES).index(one.name))
    line = "".join(_link(one, page) for one in shown)
    return f'<!--pages--><nav aria-label="Pages of this run">{line}</nav><!--/pages-->'


def refresh(folder: Path) -> None:
    """Writes the line anew in every page of the run in `folder`."""
    for page in _pages(folder):
        text = page.read_text(encoding="utf-8")
        if (old := _LINE.search(text)) and old.group() != (line := links(page)):
            write_text(text.replace(old.group(), line, 1), page)


def _pages(folder: Path) -> list[Path]:
    """Those of the run, of the inner run in its folder and, of an inner run, those around it."""
    outer = folder.parent if folder.name == INNER and any((folder.parent / name).exists() for name in PAGES) else folder
    return [place / name for place in (outer, outer / INNER) for name in PAGES if (place / name).exists()]


def _link(to: Path, page: Path) -> str:
    name = PAGES[to.name]
    if to == page:
        return f'<b aria-current="page">{name}</b>'
    return f'<a href="{escape(Path(os.path.relpath(to, page.parent)).as_posix())}">{name}</a>'
