"""What tests ask of every page: what it shows after its script ran in a real browser, and that its data stay data."""

from __future__ import annotations

import atexit
import functools
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from trajectory.reports import pictures
from trajectory.reports.page import catalogues

LAID_OUT = """() => {
  const right = node => Math.round(node.getBoundingClientRect().right);
  const all = names => [...document.querySelectorAll(names)].filter(node => node.getClientRects().length);
  const size = text => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a;
  return {
    page: document.documentElement.scrollWidth,
    blocks: all("p, li, table, figure").map(node => Math.min(right(node), right(node.closest(".wide") || node))),
    letters: all("svg text").map(size),
    rows: all("tr").map(row => row.offsetHeight),
  };
}"""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@contextmanager
def opened(page: Path, view: str = "", width: int = 1200, **options: Any) -> Iterator[Page]:
    """The page in headless Chromium, `view` behind its #; skips where there is none, fails on errors of its script.

    options: such as color_scheme="dark".
    """
    context = _browser().new_context(viewport={"width": width, "height": 900}, accept_downloads=True, **options)
    tab, errors = context.new_page(), []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    try:
        tab.goto(f"{page.as_uri()}{'#' * bool(view)}{view}")
        tab.wait_for_load_state("networkidle")
        tab.wait_for_function("[...document.querySelectorAll('.vega-embed')].every(one => one.querySelector('svg'))")
        yield tab
    finally:
        context.close()
    assert not errors


def drawn(page: Path, view: str = "") -> str:
    """The page's elements after its script ran, without the script."""
    with opened(page, view) as tab:
        return re.sub(r"<script>.*?</script>", "", tab.content(), flags=re.DOTALL)


def laid_out(page: Path, width: int, view: str = "") -> dict[str, Any]:
    """On a screen so wide: the page's width, blocks' right ends, sizes of charts' letters, heights of rows (pixels)."""
    with opened(page, view, width) as tab:
        return tab.evaluate(LAID_OUT)


def barriers(tab: Page) -> list[str]:
    """What axe finds against WCAG 2.2 AA and its best practices, with the first element of each."""
    found = Axe().run(tab, options={"runOnly": RULES}).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]} {one['nodes'][0]['failureSummary'][:300]}" for one in found]


@functools.cache
def _browser() -> Browser:
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("no Chromium on this machine")
    playwright = sync_playwright().start()
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    browser = playwright.chromium.launch(executable_path=path, args=options)
    atexit.register(lambda: (browser.close(), playwright.stop()))
    return browser


def own(page: Path) -> str:
    """The page without the library that draws its charts, and what it would say in other languages."""
    text = page.read_text(encoding="utf-8").replace(f"<script>{pictures.script()}</script>\n", "")
    return text.replace(f"const catalogues = {catalogues()};\n", "")


def inert_data(page: Path, name: str) -> Any:
    """The data that the page's own script holds as `name`, none of whose characters could end the script."""
    html = own(page)
    assert html.count("<script") == html.count("</script>") == 1
    assert "<img src=x" not in html
    data = re.search(f"const {name} = (.*);\n", html).group(1)
    assert not set(data) & set("<>&\u2028")
    return json.loads(data)
