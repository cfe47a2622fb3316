"""attributions.html: hostile names stay text, nothing is fetched, and the script draws the page in a real browser."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import polars as pl
import pytest

from tests.builders import make_histories
from tests.explain.cases import LENGTH, run_of
from tests.pages import barriers, drawn, inert_data, opened, own
from trajectory.explain.report import write_attributions
from trajectory.reports import charts
from trajectory.schema import UserError

HOSTILE = "</script><img src=x onerror=alert(1)>"
COMMENT = "<!--<script>{{ 7 * 7 }}\u2028 & '\""
LOG = make_histories([[1, 2, 3, 1, 5, 2], [4, 4, 6, 4], [2, 1, 1, 3, 6]], num_items=6)
LOG = replace(
    LOG,
    items=LOG.items.with_columns(pl.Series("title", [HOSTILE, COMMENT, "C", "D", "E", None])),
    users=pl.DataFrame({"user": [HOSTILE, "u1", "u2"]}),
    interests=(HOSTILE, COMMENT, "c3"),
)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return write_attributions(run_of(tmp_path_factory.mktemp("report"), "transformer", LOG), steps=(1, 2))


def test_the_page_holds_hostile_names_as_text_and_fetches_nothing(page) -> None:
    data = inert_data(page, "data")
    assert {forecast["user"] for forecast in data["forecasts"]} == {HOSTILE, "u1", "u2"}
    text = own(page)
    assert not re.search(r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//", text)
    assert "url(" not in text


def test_the_page_says_how_many_events_are_read_and_that_forecasts_are_uncalibrated(page, tmp_path) -> None:
    text = page.read_text(encoding="utf-8")
    assert f"The model reads the last {LENGTH} events of a user at most" in text
    assert "uncalibrated" not in text
    assert "the forecasts that are explained here hold was not measured" in text
    run = run_of(tmp_path, "gru", LOG)
    vars(run)["calibration"] = ("what was fitted", "step 1")  # as if its forecasts were calibrated
    assert "explained is uncalibrated" in write_attributions(run, users=["u2"]).read_text(encoding="utf-8")


def test_the_browser_draws_one_forecast_the_drivers_and_the_ages(page, tmp_path) -> None:
    shown = drawn(page)
    data = inert_data(page, "data")
    timeline = re.search(r'(<div id="timeline".*?)<ul id="sentences"', shown, re.DOTALL).group(1)
    middle = data["forecasts"][(len(data["forecasts"]) - 1) // 2]
    bars = re.findall(f'<path[^>]* fill="(?:{charts.GAIN}|{charts.LOSS})"', timeline)
    assert len(bars) == len(middle["events"]) != len(data["forecasts"][0]["events"])
    assert f">past events in order, {len(bars)}</text>" in timeline
    assert 'aria-label="Contribution of each past event"' in timeline
    assert f'<p id="by-type">{html.escape(middle["by_type"], quote=False)}.</p>' in shown
    assert " speak" in middle["by_type"]
    assert "Days ago are counted from the user's newest event" in shown
    choices = shown[shown.index('id="forecast"') :]
    assert choices.count("<option") == len(data["forecasts"]) == 6
    heat = re.search(r'id="heat">(.*?)</table>', shown, re.DOTALL).group(1)
    assert heat.count("<tr") == 1 + len(data["drivers"]["names"])
    ages = re.search(r'id="ages".*?</svg>', shown, re.DOTALL).group(0)
    assert all(f">{text}</text>" in ages for text in ("1", "2", "3–4", "events ago", "nats an event", "view"))
    for ranking in ("this report", "newest first", "random order", "attention"):
        assert shown.count(f"<td>{ranking}</td>") == 2


def test_the_table_is_written_with_the_page(page) -> None:
    rows = pl.read_parquet(page.with_name("attributions.parquet"))
    about = ["user", "event", "time", "item", "title", "interest", "event_type"]
    of_forecast = ["target", "step", "method", "log_probability", "base_value", "completeness_error"]
    assert rows.columns == [*about, *of_forecast, "feature", "value"]
    assert set(rows["title"]) == {HOSTILE, COMMENT, "C", "D", "E", None}
    assert set(rows["step"]) == {1, 2}


def test_users_are_those_named(tmp_path) -> None:
    write_attributions(run_of(tmp_path, "gru", LOG), "item=i3", users=["u2"])
    assert {forecast["target"] for forecast in inert_data(tmp_path / "attributions.html", "data")["forecasts"]} == {"C"}
    rows = pl.read_parquet(tmp_path / "attributions.parquet")
    assert set(rows["user"]) == {"u2"}
    assert set(rows["target"]) == {"i3"}
    with pytest.raises(UserError, match="user nobody: not among the 3"):
        write_attributions(run_of(tmp_path, "gru", LOG), users=["nobody"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_in_the_way(page, scheme) -> None:
    with opened(page, color_scheme=scheme) as tab:
        assert barriers(tab) == []


def test_a_telephone_needs_no_scrolling_sideways(page) -> None:
    with opened(page, width=390) as tab:
        assert tab.evaluate("document.documentElement.scrollWidth") == 390
        assert barriers(tab) == []
