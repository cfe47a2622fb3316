"""migration.html: hostile names stay text, nothing is fetched, and the script draws the page in a real browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tests.builders import make_histories
from trajectory.insights.migration import Settings, detect
from trajectory.insights.report import write_migrations

HOSTILE = "</script><img src=x onerror=alert(1)>"
COMMENT = "<!--<script>{{ 7 * 7 }}\u2028 & '\""
DAY = 24 * 3600


def made_up(**changes):
    """Two users move from the first interest to the second, two back: no season. A step a day from 2024-01-01."""
    there, back = [1, 3] * 30 + [2, 3] * 30, [2, 3] * 30 + [1, 3] * 30
    still = np.random.default_rng(0).integers(1, 5, 120).tolist()
    histories = make_histories([there, there, back, back, still], gap=DAY, interests=4)
    histories = replace(
        histories,
        users=pl.DataFrame({"user": [HOSTILE, "u1", "u2", "u3", "u4"]}),
        interests=(HOSTILE, COMMENT, "c3", "c4"),
        **changes,
    )
    return detect(histories, Settings(permutations=199))


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return write_migrations(made_up(), tmp_path_factory.mktemp("report"), f"log {HOSTILE}", HOSTILE)


@pytest.fixture(scope="module")
def shown(report, tmp_path_factory):
    """The page's elements after its script ran in headless Chromium, without the script itself."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("no Chromium on this machine")
    profile = tmp_path_factory.mktemp("profile")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}", "--dump-dom"]
    done = subprocess.run([browser, *options, report.as_uri()], capture_output=True, text=True, timeout=120, check=True)
    return re.sub(r"<script>.*?</script>", "", done.stdout, flags=re.DOTALL)


def test_the_tables_are_written(report):
    found = pl.read_parquet(report.with_name("migrations.parquet"))
    assert found.select("user", "source", "destination").rows() == [
        (HOSTILE, HOSTILE, COMMENT),
        ("u1", HOSTILE, COMMENT),
        ("u2", COMMENT, HOSTILE),
        ("u3", COMMENT, HOSTILE),
    ]
    flows = pl.read_parquet(report.with_name("flows.parquet"))
    assert flows["period"].to_list() == ["whole log"] * 2 + ["2024 Q1"] * 2
    assert flows["users"].to_list() == [2] * 4


def test_a_log_without_time_has_no_quarters(tmp_path):
    write_migrations(made_up(has_time=False), tmp_path, "steps")
    assert pl.read_parquet(tmp_path / "flows.parquet")["period"].to_list() == ["whole log"] * 2


def test_names_cannot_leave_their_place(report):
    html = report.read_text(encoding="utf-8")
    assert html.count("<script") == html.count("</script>") == 1
    assert "<img src=x" not in html
    data = re.search(r"const data = (.*);\n", html).group(1)
    assert not set(data) & set("<>&\u2028")
    assert json.loads(data)["flows"][0]["flows"][1][:3] == [HOSTILE, COMMENT, 2]


def test_nothing_is_fetched(report):
    html = report.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|//[a-z]|url\(|@import|fetch\(|<link|src=\"", html)


def test_the_script_draws_the_page(shown):
    assert '<img src="x"' not in shown
    assert shown.count('class="flow"') == 2
    assert "2 users moved from &lt;/script&gt;" in shown
    assert ">whole log</option>" in shown
    assert ">2024 Q1</option>" in shown
    assert re.search(r'<p id="text">User .* moved \d+% of their interest from .*&lt;/script&gt;', shown)
    assert shown.count("<rect") >= 5 * 4  # windows and interests of the first user


def test_a_log_in_which_nobody_moves_has_a_page_too(tmp_path):
    migrations = made_up()
    none = replace(migrations, found=migrations.found.clear())
    html = write_migrations(none, tmp_path, "still").read_text(encoding="utf-8")
    assert "<b>0</b> migrated" in html
    assert pl.read_parquet(tmp_path / "flows.parquet").height == 0
