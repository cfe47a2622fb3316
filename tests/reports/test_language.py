"""Pages in the reader's language: whole sentences by the catalogue, parts of lists, and names as they are."""

from __future__ import annotations

import json
import re

import polars as pl
import pytest

from tests.pages import barriers, opened
from trajectory.insights.report import write_insights
from trajectory.insights.report_model import Part, Statement, Table
from trajectory.reports.page import catalogues

SAID = (
    "Keep 247 customers first: they are expected to bring 380,690 of the sales value of the next 90 days, 34% of what "
    "all customers so far are.",
    "Interests bought more than in the 28 days before: Tea and coffee (+155%), Wine, red (+62%) and 6 further.",
    "No change beyond chance of customers and orders against the 28 days before.",
    "Days and hours are by the clock of UTC. What is new has no text yet.",
    "Something that no catalogue has: it stays as it is, whole.",
)
TOLD = (
    "首先留住 247 位客户：预计他们在未来 90 天带来 380,690 的销售额，占现有全部客户的 34%。",
    "比之前 28 天购买了更多的兴趣：Tea and coffee (+155%), Wine, red (+62%)，另有 6 项。",
    "与之前 28 天相比，客户数和订单没有超出偶然的变化。",
    "日期和时刻以 UTC 的时间为准。What is new has no text yet.",
    SAID[4],
)


def page_of(folder, language=""):
    people = pl.DataFrame({"user": ["all"], "interest": ["more"], "action": ["keep"]})
    part = Part(
        "customers",
        "Customers",
        tuple(Statement(words, "do") for words in SAID),
        (Table("Customers", people),),
        {"customers": people},
    )
    return write_insights([part], folder, "Customers", language=language)


def told(tab):
    return [re.sub(r" (更多|more)\s*$", "", line) for line in tab.locator(".do li").all_inner_texts()]


def test_sentences_are_those_of_the_catalogue_and_names_stay(tmp_path):
    with opened(page_of(tmp_path, "zh")) as tab:
        assert tab.evaluate("document.documentElement.lang") == "zh"
        assert told(tab) == list(TOLD)
        assert tab.locator("h1 bdi").inner_text() == "Customers", "the log's own name"
        tab.get_by_role("link", name="全部表格").click()
        tab.wait_for_selector("#rows table")
        cells = tab.locator("#rows td").all_inner_texts()
        assert cells == ["all", "more", "留住"], "a user and an interest of these names"
        assert barriers(tab) == []


def test_a_reader_changes_the_language_and_it_stays(tmp_path):
    with opened(page_of(tmp_path)) as tab:
        assert told(tab) == list(SAID)
        tab.get_by_label("Language 语言").select_option("zh")
        tab.wait_for_function("document.documentElement.lang === 'zh'")
        assert told(tab)[0] == TOLD[0]
        tab.reload()
        assert told(tab)[0] == TOLD[0]


@pytest.mark.parametrize(("locale", "first"), [("zh-CN", TOLD[0]), ("de-DE", SAID[0])])
def test_by_default_it_is_that_of_the_browser(tmp_path, locale, first):
    with opened(page_of(tmp_path), locale=locale) as tab:
        assert told(tab)[0] == first


def test_what_changes_in_a_text_is_in_both_languages():
    """Each {} of the English has its place in the other language, and none that is not there is asked for."""
    for language, texts in json.loads(catalogues()).items():
        for english, other in texts.items():
            places = english.count("{}") + english.count("{n}")
            asked = [i for i in range(places) if f"{{{i}}}" in other] or list(range(other.count("{}")))
            assert max(asked, default=-1) < places, (language, english)
            assert len(asked) == places, (language, english)
