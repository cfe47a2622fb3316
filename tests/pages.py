"""What tests ask of every page: what it shows after its script ran in a real browser, and that its data stay data."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from trajectory.reports import pictures

PROBE = """<script>addEventListener("load", () => {
  const right = node => Math.round(node.getBoundingClientRect().right);
  const all = names => [...document.querySelectorAll(names)];
  const size = text => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a;
  parent.postMessage({
    page: document.documentElement.scrollWidth,
    blocks: all("p, li, table, figure").map(node => Math.min(right(node), right(node.closest(".wide") || node))),
    letters: all("svg text").map(size),
    rows: all("tr").filter(row => row.offsetHeight).map(row => row.offsetHeight),
  }, "*");
})</script>"""


def drawn(page: Path, profile: Path) -> str:
    """The page's elements after its script ran in headless Chromium, without the script; skips where there is none.

    `profile` is an empty folder for the browser.
    """
    return re.sub(r"<script>.*?</script>", "", _loaded(page, profile), flags=re.DOTALL)


def laid_out(page: Path, profile: Path, width: int) -> dict[str, Any]:
    """On a screen so wide: the page's width, blocks' right ends, sizes of charts' letters, heights of rows (pixels)."""
    profile.mkdir()
    probed, frame = profile / "page.html", profile / "frame.html"  # a window is never as narrow as a telephone
    probed.write_text(page.read_text(encoding="utf-8").replace("</body>", f"{PROBE}</body>"), encoding="utf-8")
    listen = "addEventListener('message', event => document.body.append(JSON.stringify(event.data)))"
    frame.write_text(f"<script>{listen}</script><iframe src=page.html style='width: {width}px; border: 0'></iframe>")
    return json.loads(re.search(r"</iframe>({.*?})</body>", _loaded(frame, profile / "browser")).group(1))


def _loaded(page: Path, profile: Path) -> str:
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("no Chromium on this machine")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={profile}"]
    options += ["--dump-dom", "--virtual-time-budget=5000"]  # charts are drawn after the page is there
    done = subprocess.run([browser, *options, page.as_uri()], capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


def own(page: Path) -> str:
    """The page without the library that draws its charts."""
    return page.read_text(encoding="utf-8").replace(f"<script>{pictures.script()}</script>\n", "")


def inert_data(page: Path, name: str) -> Any:
    """The data that the page's own script holds as `name`, none of whose characters could end the script."""
    html = own(page)
    assert html.count("<script") == html.count("</script>") == 1
    assert "<img src=x" not in html
    data = re.search(f"const {name} = (.*);\n", html).group(1)
    assert not set(data) & set("<>&\u2028")
    return json.loads(data)
