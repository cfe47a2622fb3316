"""A merchant's way through insights.html in a browser: look up, filter, drill down, compare, take along."""

import polars as pl
import pytest

from tests.pages import barriers, opened
from trajectory.insights.report import write_insights
from trajectory.insights.report_model import Part, Picture, Statement, Table, Text, folded
from trajectory.reports import charts
from trajectory.reports.pictures import svg

LONG = "A segment with a name as long as those of segments are, of three interests and what is new in it"
MEMBERS = {"ann": "Tea", "bob": "Tea", "cem": "Wine"}


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("walk")
    segments = pl.DataFrame({"user": list(MEMBERS), "segment": list(MEMBERS.values())})
    customers = pl.DataFrame(
        {"user": list(MEMBERS), "spend": [20.5, 1234.0, None], "action": ["keep", None, "welcome"]}
    )
    periods = pl.DataFrame(
        {
            "period": ["2024-01-01"] * 2 + ["2024-02-01"] * 3 + ["2024-03-01"],
            "whole": [True] * 5 + [False],
            "interest": ["all", "tea", "all", "tea", "wine", "all"],
            "orders": [4, 4, 9, 5, 6, 1],
        }
    )
    bars = svg(charts.bars(pl.DataFrame({"interest": ["tea"], "pieces": [3.0]}), "interest", "pieces", "Pieces"))
    parts = [
        Part(
            "changes",
            "What changed",
            (Statement("More tea.", "change", "change_periods"), Statement("Less wine.", "watch")),
            (Text("Counted."), Picture("Pieces sold", bars, "A bar for tea"), *folded([Text("By counting.")])),
            {"change_periods": periods},
        ),
        Part(
            "customers",
            "Customers: what each will bring",
            (Statement("Keep ann.", "do", "customers"), Statement("Off by 3.", "sure")),
            (Table("Customers", customers, {"spend": "{:.1f}"}), Table("By action", customers, by="action")),
            {"customers": customers},
        ),
        Part(
            "segments",
            "Segments",
            (),
            (Table("Segments", segments),),
            {"segments": segments, "segment_periods": periods.with_columns(segment=pl.lit(LONG))},
        ),
    ]
    return write_insights(parts, folder, "A shop", clock="By the clock of Asia/Tokyo.", note="A note.")


def rows(tab, place):
    return [
        [cell.inner_text() for cell in row.query_selector_all("td")]
        for row in tab.query_selector_all(f"{place} tbody tr")
    ]


def test_one_part_is_shown_at_a_time_and_its_address_leads_to_it(page):
    with opened(page) as tab:
        assert tab.locator(".view:visible").evaluate_all("all => all.map(one => one.id)") == ["opening"]
        tab.get_by_role("link", name="Customers", exact=True).click()
        assert tab.locator(".view:visible").evaluate_all("all => all.map(one => one.id)") == ["customers"]
        assert tab.locator("#views [aria-current]").inner_text() == "Customers"
        tab.emulate_media(media="print")
        tab.evaluate("dispatchEvent(new Event('beforeprint'))")
        printed = tab.locator(".view:visible").evaluate_all("all => all.map(one => one.id)")
        assert printed == ["opening", "changes", "customers", "segments"]
        assert tab.get_by_text("By counting.").is_visible()


def test_from_a_segment_to_its_customers_to_one_of_them(page):
    with opened(page, "segments") as tab:
        tab.locator("#segments").get_by_role("link", name="Wine").click()
        tab.wait_for_selector("#found table")
        assert ["cem"] in rows(tab, "#found")
        tab.locator("#found").get_by_role("link", name="cem").click()
        tab.wait_for_function("document.querySelector('#found').innerText.includes('welcome')")
        assert tab.get_by_label("called").input_value() == "cem"
        assert ["", "welcome"] in rows(tab, "#found")


def test_a_table_is_filtered_sorted_and_taken_along_as_it_is_shown(page):
    with opened(page, "tables/segments") as tab:
        tab.wait_for_selector("#rows table")
        tab.locator("#filters").get_by_label("segment").select_option("Tea")
        assert rows(tab, "#rows") == [["ann", "Tea"], ["bob", "Tea"]]
        tab.locator("#rows").get_by_role("button", name="user").click()
        tab.locator("#rows").get_by_role("button", name="user").click()
        assert rows(tab, "#rows") == [["bob", "Tea"], ["ann", "Tea"]]
        with tab.expect_download() as taken:
            tab.locator("#rows").get_by_role("button", name="Download").click()
        assert taken.value.path().read_text() == "user,segment\nbob,Tea\nann,Tea\n"
        tab.get_by_label("Table", exact=True).select_option("customers")
        tab.wait_for_function("document.querySelector('#rows').innerText.includes('spend')")
        tab.locator("#rows").get_by_role("button", name="spend").click()
        assert [row[1] for row in rows(tab, "#rows")] == ["1,234", "20.5", ""]
        tab.get_by_label("any text").fill("KEEP")
        assert [row[0] for row in rows(tab, "#rows")] == ["ann"]


def test_two_periods_are_compared(page):
    with opened(page, "compare") as tab:
        tab.wait_for_selector("#compared table")
        assert rows(tab, "#compared") == [
            ["all", "4", "9", "5", "125"],
            ["wine", "0", "6", "6", ""],
            ["tea", "4", "5", "1", "25"],
        ]
        tab.locator("#periods select").nth(-2).select_option("2024-02-01")
        tab.locator("#periods select").nth(-1).select_option(label="March 2024 (in part)")
        assert rows(tab, "#compared")[0] == ["all", "9", "1", "-8", "-88.9"]


def test_rows_of_the_choice_are_shown(page):
    with opened(page, "customers") as tab:
        assert rows(tab, "#customers_2") == [["ann", "20.5"]]
        tab.get_by_label("By action: action").select_option("welcome")
        tab.wait_for_selector("#customers_2 >> text=cem")
        assert rows(tab, "#customers_2") == [["cem", ""]]


@pytest.mark.parametrize(("kind", "start"), [("PNG", b"\x89PNG"), ("SVG", b"<svg")])
def test_a_picture_is_taken_along(page, kind, start):
    with opened(page, "changes") as tab:
        with tab.expect_download() as taken:
            tab.get_by_role("button", name=f"Save as {kind}: A bar for tea").click()
        assert taken.value.suggested_filename == f"A bar for tea.{kind.lower()}"
        assert taken.value.path().read_bytes().startswith(start)
        assert tab.locator("#changes svg title").all_text_contents() == ["interest: tea; pieces: 3"]


def test_by_keyboard_alone(page):
    with opened(page) as tab:
        tab.keyboard.press("Tab")
        assert tab.evaluate("document.activeElement.innerText") == "Skip to the content"
        for _ in range(20):
            tab.keyboard.press("Tab")
            if tab.evaluate("document.activeElement.innerText") == "Look up":
                break
        tab.keyboard.press("Enter")
        assert tab.locator("#look").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", ["", "look/customer/ann", "tables/customers", "compare", "changes", "customers"])
def test_nothing_is_in_the_way(page, view, scheme):
    with opened(page, view, color_scheme=scheme) as tab:
        tab.wait_for_timeout(200)
        assert barriers(tab) == []


@pytest.mark.parametrize("view", ["", "look/customer/ann", "tables/customers", "compare", "customers"])
def test_a_telephone_needs_no_scrolling_sideways(page, view):
    with opened(page, view, width=390) as tab:
        tab.wait_for_timeout(200)
        assert tab.evaluate("document.documentElement.scrollWidth") == 390
        assert barriers(tab) == []
