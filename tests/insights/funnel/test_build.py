"""The part of the page: every number it says, where nothing stands out, and where nothing was held out."""

from __future__ import annotations

from types import SimpleNamespace

import polars as pl
import pytest

from tests.builders import fake_run
from tests.insights.funnel.cases import log
from trajectory.inference.new_users import histories_before
from trajectory.insights.funnel.build import build_funnel
from trajectory.insights.report_model import Picture, Table, Text
from trajectory.schema import Split

HOURS = 60


def sessions(item, count, bought):
    """So many users with a view of the item, an hour after each other; the first put it into the cart and buy it."""
    rows = []
    for number in range(count):
        who = f"u{item}_{number:03d}"
        rows.append((who, number * HOURS, item, "view"))
        if number < bought:
            rows += [(who, number * HOURS + 1, item, "cart"), (who, number * HOURS + 2, item, "purchase")]
    return rows


def part_of(events, cut="", **fields):
    histories = log(events)
    queries = histories_before(histories, int(histories.time.max()))
    split = Split("temporal", histories.offsets[:-1], queries, queries, "", {"test": cut} if cut else {})
    config = SimpleNamespace(evaluation=SimpleNamespace(bootstrap=50), seed=0)
    return build_funnel(fake_run(histories=histories, split=split, config=config, **fields))


STANDING_OUT = [*sessions(1, 100, 50), *sessions(2, 100, 2), *sessions(3, 100, 20), *sessions(4, 5, 5)]


def test_the_sentences_name_the_best_and_the_worst_with_sessions_and_the_rate_of_all():
    part = part_of(STANDING_OUT)
    first, second = part.sentences[:2]
    table = part.tables["funnel"]
    best, worst = (table.row(by_predicate=(pl.col("id") == one), named=True) for one in ("i1", "i2"))
    rate = f"{best['purchase']:.1%} ({best['purchase_low']:.1%} to {best['purchase_high']:.1%})"
    assert first == (
        f"Of the items, a view of i1 most often becomes a purchase in the same session: {rate} of 100 sessions with a "
        "view; of all items 25.2%."  # 77 of 305
    )
    assert best["purchase"] == pytest.approx(0.5, abs=0.03)
    assert "a view of i2 most seldom becomes" in second
    assert worst["purchase"] == pytest.approx(0.02, abs=0.02)


def test_the_page_shows_who_stands_out_and_how_sessions_are_counted():
    part = part_of(STANDING_OUT)
    assert isinstance(part.blocks[0], Text)
    assert "A session ends after 30 minutes" in part.blocks[0].words
    assert "of the sessions with a view of an item" in part.blocks[0].words
    assert any(isinstance(block, Picture) for block in part.blocks)
    tables = [block for block in part.blocks if isinstance(block, Table)]
    items = next(block for block in tables if block.title.startswith("Items"))
    assert items.rows.columns == ["item", "interest", "sessions", "put into the cart", "bought", "bought, of carts"]
    assert items.rows["item"].to_list() == ["i1", "i2"], "i4 was viewed five times only"
    assert "1 of 3 items with at least 20 sessions are bought more often than all (25.2%)" in items.note
    assert "not measured" in part.blocks[-1].words
    assert part.measured["not_measured"]


def test_purchases_without_a_view_in_their_session_are_counted_apart():
    part = part_of([*STANDING_OUT, ("zed", 0, 5, "purchase"), ("zed", 1, 5, "view"), ("zed", 1, 1, "purchase")])
    assert part.blocks[1].words.startswith("77 of 79 purchases (an item in a session, once) come after a view of the")


def test_where_nothing_stands_out_that_is_said():
    part = part_of([*sessions(1, 40, 10), *sessions(2, 40, 11)])
    said = [block.words for block in part.blocks if isinstance(block, Text)]
    assert any("Of 2 items with 20 sessions or more none is bought more or less often than" in one for one in said)
    assert part.sentences == ()
    few = part_of(sessions(1, 5, 1))
    said = [block.words for block in few.blocks if isinstance(block, Text)]
    assert any("No item was viewed in 20 sessions or more" in one for one in said)


def test_what_held_is_said_of_the_sessions_after_the_cut():
    part = part_of(STANDING_OUT, cut="2024-01-03T00:00:00+00:00")  # 48 sessions of each item before it
    measured = part.measured["purchase"]
    assert measured["views"] == 3 * 52
    assert measured["happened"] == 2
    assert "sessions from 03 January 2024 on with a log loss of" in part.sentences[-1]
    table = part.blocks[-1]
    assert "156 views (an item in a session, once) of 156 users from 03 January 2024 on" in table.note
    assert "2 became a cart and 2 became a purchase" in table.note
    assert table.rows.height == 8
