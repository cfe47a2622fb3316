"""A page as people see it: after its script ran in a real browser."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest


def drawn(page: Path, profile: Path) -> str:
    """The page's elements after its script ran in headless Chromium, without the script; skips where there is none.

    `profile` is an empty folder for the browser.
    """
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("no Chromium on this machine")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}", "--dump-dom"]
    done = subprocess.run([browser, *options, page.as_uri()], capture_output=True, text=True, timeout=120, check=True)
    return re.sub(r"<script>.*?</script>", "", done.stdout, flags=re.DOTALL)
