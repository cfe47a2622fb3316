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


def drawn(page: Path, profile: Path) -> str:
    """The page's elements after its script ran in headless Chromium, without the script; skips where there is none.

    `profile` is an empty folder for the browser.
    """
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("no Chromium on this machine")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"]
    options += ["--dump-dom", "--virtual-time-budget=5000"]  # charts are drawn after the page is there
    done = subprocess.run([browser, *options, page.as_uri()], capture_output=True, text=True, timeout=120, check=True)
    return re.sub(r"<script>.*?</script>", "", done.stdout, flags=re.DOTALL)


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
