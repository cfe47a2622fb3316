"""A page is its own text in the frame that all pages share, and says nothing where a value is missing."""

from __future__ import annotations

import jinja2
import pytest

from trajectory.reports.page import render

VALUES = {"name": "log <b>", "counts": [("3", "users")], "doubts": [], "sections": []}


def test_a_page_has_the_shared_head_with_its_own_topic():
    page = render("inspect.html", "inspection", **VALUES)
    assert page.startswith("<!doctype html>")
    assert "<title>log &lt;b&gt;: what was understood</title>" in page
    assert '<h1><bdi translate="no">log &lt;b&gt;</bdi>: what was understood</h1>' in page
    assert page.count("<style>") == page.count("<body>") == 1
    assert "<b>3</b> users" in page


def test_a_notice_is_shown_where_there_is_one():
    assert '<p class="note">' not in render("inspect.html", "inspection", **VALUES)
    assert '<p class="note">mind &lt;this&gt;</p>' in render("inspect.html", "inspection", note="mind <this>", **VALUES)


def test_a_value_that_was_not_handed_to_a_page_is_an_error():
    with pytest.raises(jinja2.UndefinedError, match="sections"):
        render("inspect.html", "inspection", name="a", doubts=[])
