"""insights.html: what matters comes first, hostile names stay text, readers choose and download, on any screen."""

from __future__ import annotations

import base64
import gzip
import json
import re
from datetime import UTC, datetime

import polars as pl
import pytest

from tests.pages import drawn, laid_out, opened
from trajectory.insights import report
from trajectory.insights.report import opening, write_insights
from trajectory.insights.report_model import Part, Picture, Statement, Table, Text
from trajectory.reports import charts
from trajectory.reports.pictures import svg

HOSTILE = "</script><img src=x onerror=alert(1)>"


SAID = (Statement(HOSTILE, "do", "recommend_lists"), Statement("second", "sure"))


def made_up(name="recommend", sentences=SAID):
    rows = pl.DataFrame({"user": ["a", HOSTILE, HOSTILE], "item": ["x", HOSTILE, "z"], "chance": [0.25, 0.5, None]})
    chart = charts.bars(pl.DataFrame({"item": [HOSTILE], "value": [1.0]}), "item", "value", HOSTILE)
    return Part(
        name,
        f"Part {HOSTILE}",
        sentences,
        (
            Text(HOSTILE),
            Table("Lists", rows, {"chance": "{:.0%}"}, by="user", note=HOSTILE),
            Picture("Drawn", svg(chart), HOSTILE),
        ),
        {f"{name}_lists": rows.with_columns(why=pl.Series([["a", "b"], [], [HOSTILE]]))},
        {"ndcg": 0.5},
    )


def unpacked(page, table):
    """The columns of a table that the page holds."""
    text = re.search(rf'<template id="packed_{table}">(.*?)</template>', page.read_text(), re.DOTALL).group(1)
    held = json.loads(gzip.decompress(base64.b64decode(text)))
    columns = [
        column.get("values") or [None if i is None else column["words"][i] for i in column["at"]]
        for column in held["columns"]
    ]
    return dict(zip(held["names"], columns, strict=True))


def shown(*parts):
    """The parts as the page has them."""
    return [{"name": part.name, "sentences": [(s.kind, str(s), s.table) for s in part.sentences]} for part in parts]


def test_the_page_opens_with_each_parts_first_statements_under_their_heads():
    first = tuple(Statement(word, "do", "lists") for word in "1234567")
    second = (Statement("8", "do"), Statement("rises", "change"))
    found = opening(shown(made_up("a", first), made_up("b", second), made_up("c", (Statement("held", "sure"),))))
    assert [(head["title"], [one[1] for one in head["statements"]]) for head in found] == [
        ("What changed", ["rises"]),
        ("Do now", ["1", "8", "2", "3", "4", "5", "6"]),  # seven at most, of each part in turn
        ("How sure are we", ["held"]),
    ]
    assert found[1]["statements"][0] == ("a", "1", "lists")
    with pytest.raises(KeyError):
        Statement("nothing", "news")


def test_a_part_that_is_made_anew_leaves_the_others_of_the_checkpoint_on_the_page(tmp_path):
    one, two = made_up("segments"), made_up("demand")
    write_insights([one, two], tmp_path, "made up", checkpoint="step 3")
    newer = Part("demand", "Newer", (Statement("rises", "watch"),), (), two.tables, {"ndcg": 0.75})
    page = write_insights([newer], tmp_path, "made up", checkpoint="step 3").read_text()
    assert 'id="segments"' in page
    assert page.count('id="demand"') == 1
    assert "Newer" in page
    assert page.index('id="segments"') < page.index('id="demand"')
    assert json.loads((tmp_path / "insights.json").read_text()) == {"segments": {"ndcg": 0.5}, "demand": {"ndcg": 0.75}}
    assert f"made on {datetime.now(UTC):%Y-%m-%d}" in page
    page = write_insights([newer], tmp_path, "made up", checkpoint="step 9").read_text()
    assert 'id="segments"' not in page, "of another checkpoint"


def test_a_part_that_leaves_the_page_is_said(tmp_path, caplog):
    caplog.set_level("INFO")
    write_insights([made_up("segments")], tmp_path, "made up")
    (tmp_path / "segments_lists.parquet").unlink()
    assert 'id="segments"' not in write_insights([made_up("demand")], tmp_path, "made up").read_text()
    assert "parts whose tables are gone leave the page: segments" in caplog.text
    write_insights([made_up("segments")], tmp_path, "made up", checkpoint="step 9")
    assert "parts that were made of another checkpoint () leave the page: demand" in caplog.text
    (tmp_path / "insights_parts.json").write_text("{")
    write_insights([made_up("demand")], tmp_path, "made up")
    assert "insights_parts.json is damaged" in caplog.text


def test_tables_and_measures_are_written_beside_the_page(tmp_path):
    part = made_up()
    assert write_insights([part], tmp_path, "made up") == tmp_path / "insights.html"
    assert pl.read_parquet(tmp_path / "recommend_lists.parquet").equals(part.tables["recommend_lists"])
    assert json.loads((tmp_path / "insights.json").read_text()) == {"recommend": {"ndcg": 0.5}}


def test_names_stay_text_and_downloads_are_the_tables(tmp_path):
    page = write_insights([made_up()], tmp_path, HOSTILE, note=HOSTILE)
    assert unpacked(page, "recommend_lists")["why"] == ["a; b", "", HOSTILE]
    html = re.sub(r'xmlns(:xlink)?="http://www.w3.org/[^"]*"', "", page.read_text())  # names, which nobody fetches
    assert "http" not in html
    assert "xlink:href" not in html
    assert "<img src=x" not in html


def test_a_reader_sees_one_user_at_first_and_formatted_numbers(tmp_path):
    shown = drawn(write_insights([made_up()], tmp_path, "made up"))
    table = shown[shown.index('<table id="recommend_2"') :]
    rows = [row.partition("</tr>")[0] for row in table.partition("</table>")[0].split("<tr")[2:]]
    assert len(rows) == 1
    assert "25%" in rows[0]
    assert "<img src=x" not in shown


def test_on_a_telephone_nothing_is_off_the_screen_and_all_can_be_read(tmp_path):
    long = "Bought BREAD 14 times since June 2017: +1.1 nats, and MILK 2 times since May 2017: +0.2 nats"
    rows = pl.DataFrame({f"column {i}": ["what it is"] for i in range(6)} | {"because": [long]})
    frame = pl.DataFrame({"item": ["a item of some length"], "value": [1.0]})
    chart = Picture("Drawn", svg(charts.bars(frame, "item", "value", "values of items")), "values")
    page = write_insights(
        [Part("recommend", "Part", (Statement("first", "do"),), (Table("Lists", rows), chart), {})], tmp_path, "shop"
    )
    found = laid_out(page, 390, "recommend")
    assert found["page"] == 390
    assert max(found["blocks"]) <= 390
    assert min(found["letters"]) >= 12
    assert max(found["rows"]) < 100  # one narrow column of a sentence would make a row of a hand's height


def test_downloads_hold_all_rows_and_run_nothing_in_a_spreadsheet(tmp_path):
    ids = ["=cmd|'/C calc'!A0", "\u202egnp.exe", "-5", "a, b", *map(str, range(30_000))]
    rows = pl.DataFrame({"item": ids, "chance": [0.25, None] * (len(ids) // 2)})
    said = (Statement("\u202egnp.exe leads", "do", "lists"),)
    page = write_insights([Part("recommend", "Part", said, (), {"lists": rows})], tmp_path, "log \u202e", note="")
    assert "\u202e" not in page.read_text(encoding="utf-8")
    with opened(page, "recommend") as tab:
        with tab.expect_download() as taken:
            tab.get_by_role("button", name="Download lists.csv").click()
        lines = taken.value.path().read_text(encoding="utf-8").split("\n")
    assert taken.value.suggested_filename == "lists.csv"
    assert len(lines) == len(ids) + 2
    assert lines[:5] == ["item,chance", "'=cmd|'/C calc'!A0,0.25", "\u202egnp.exe,", "-5,0.25", '"a, b",']


def test_a_reader_looks_up_what_all_tables_say_of_a_customer(tmp_path):
    page = write_insights([made_up("segments"), made_up("demand")], tmp_path, "made up")
    with opened(page, "look") as tab:
        tab.get_by_label("called").fill(HOSTILE)
        tab.get_by_label("called").press("Enter")
        tab.wait_for_selector("#found h3")
        found = tab.inner_html("#found")
    assert found.count("<h3>") == 2
    assert "demand lists: 2 rows" in found
    assert "<img src=x" not in found
    assert found.count("<tr>") == 6


def test_a_table_too_long_for_the_page_lies_beside_it(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "INSIDE", 2)
    page = write_insights([made_up()], tmp_path, "made up").read_text()
    assert "(3 rows, beside this page)" in page
    assert 'href="recommend_lists.csv"' in page
    assert pl.read_csv(tmp_path / "recommend_lists.csv").height == 3
