"""insights.html: what matters comes first, hostile names stay text, readers choose and download, on any screen."""

from __future__ import annotations

import json
import re

import polars as pl

from tests.pages import drawn, inert_data, laid_out
from trajectory.insights.report import opening, write_insights
from trajectory.insights.report_model import Part, Picture, Table, Text
from trajectory.reports import charts
from trajectory.reports.pictures import svg

HOSTILE = "</script><img src=x onerror=alert(1)>"


def made_up(name="recommend", sentences=(HOSTILE, "second")):
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


def test_the_page_opens_with_each_parts_first_sentences():
    parts = [made_up("a", tuple("1234567")), made_up("b", ("8",)), made_up("c", tuple("ABCDE"))]
    found = opening(parts)
    assert len(found) == 10
    assert found == [("a", x) for x in "12345"] + [("b", "8")] + [("c", x) for x in "ABCD"]


def test_tables_and_measures_are_written_beside_the_page(tmp_path):
    part = made_up()
    assert write_insights([part], tmp_path, "made up") == tmp_path / "insights.html"
    assert pl.read_parquet(tmp_path / "recommend_lists.parquet").equals(part.tables["recommend_lists"])
    assert json.loads((tmp_path / "insights.json").read_text()) == {"recommend": {"ndcg": 0.5}}


def test_names_stay_text_and_downloads_are_the_tables(tmp_path):
    page = write_insights([made_up()], tmp_path, HOSTILE, note=HOSTILE)
    found = inert_data(page, "data")
    assert pl.read_csv(found["recommend_lists"].encode())["why"].to_list() == ["a; b", "", HOSTILE]
    html = re.sub(r'xmlns(:xlink)?="http://www.w3.org/[^"]*"', "", page.read_text())  # names, which nobody fetches
    assert "http" not in html
    assert "xlink:href" not in html


def test_a_reader_sees_one_user_at_first_and_formatted_numbers(tmp_path):
    shown = drawn(write_insights([made_up()], tmp_path, "made up"), tmp_path / "browser")
    table = shown[shown.index('<table id="recommend_2"') :]
    rows = [row.partition("</tr>")[0] for row in table.partition("</table>")[0].split("<tr")[2:]]
    assert ["hidden" in row.partition(">")[0] for row in rows] == [False, True, True]
    assert "25%" in rows[0]
    assert "50%" in rows[1]
    assert "<img src=x" not in shown


def test_on_a_telephone_nothing_is_off_the_screen_and_all_can_be_read(tmp_path):
    long = "Bought BREAD 14 times since June 2017: +1.1 nats, and MILK 2 times since May 2017: +0.2 nats"
    rows = pl.DataFrame({f"column {i}": ["what it is"] for i in range(6)} | {"because": [long]})
    frame = pl.DataFrame({"item": ["a item of some length"], "value": [1.0]})
    chart = Picture("Drawn", svg(charts.bars(frame, "item", "value", "values of items")), "values")
    page = write_insights([Part("recommend", "Part", ("first",), (Table("Lists", rows), chart), {})], tmp_path, "shop")
    found = laid_out(page, tmp_path / "telephone", 390)
    assert found["page"] == 390
    assert max(found["blocks"]) <= 390
    assert min(found["letters"]) >= 9
    assert max(found["rows"]) < 100  # one narrow column of a sentence would make a row of a hand's height


def test_downloads_run_nothing_in_a_spreadsheet_and_names_turn_nothing_on_the_page(tmp_path):
    ids = ["=cmd|'/C calc'!A0", "\u202egnp.exe", "-5"]
    rows = pl.DataFrame({"item": ids, "chance": [-0.5, 0.25, 0.1]})
    part = Part("recommend", "Part", ("\u202egnp.exe leads",), (Table("Lists", rows),), {"lists": rows})
    page = write_insights([part], tmp_path, "log \u202e", "").read_text(encoding="utf-8")
    assert "\u202e" not in page
    download = inert_data(tmp_path / "insights.html", "data")["lists"]
    read = pl.read_csv(download.encode(), schema_overrides={"item": pl.String})
    assert read["item"].to_list() == [f"'{ids[0]}", *ids[1:]], "an id is as in the log wherever that is safe"
    assert read["chance"].to_list() == rows["chance"].to_list()
    assert pl.read_parquet(tmp_path / "lists.parquet").equals(rows)
