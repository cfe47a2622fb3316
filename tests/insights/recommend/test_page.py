"""Sentences of lists say what was measured."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import polars as pl
import pytest

from tests.builders import make_histories
from trajectory.insights.recommend import evaluation_page, page
from trajectory.insights.recommend.sentences import sentences
from trajectory.reports.words import Words

BOUGHT = Words("purchases", "buy", "bought", "buying")
WINNERS = pl.DataFrame({"title": ["tea"], "users": [159], "expected": [15.2], "lately": [12]})


def held(steps=3, groups=("all",), high=0.01):
    """Recent popularity finds most, the next item ranks best."""
    row = {"users": 16, "error": 0.1}
    found = {"trajectory": (0.365, 0.30), "next item": (0.365, 0.31), "recent_popularity": (0.427, 0.25)}
    rows = {
        name: {group: row | {"recall": recall, "ndcg": ndcg} for group in groups}
        | {"coverage": 0.1, "novelty": 2.0, "diversity": None}
        for name, (recall, ndcg) in found.items()
    }
    test = {"rival": "recent_popularity", "low": -0.1, "high": high, "p_value": 0.01}
    asked = {"steps": steps, "steps_mean": 2.1, "users_of_most": 5, "users": 16}
    return asked | {"rows": rows, "paired": {"all": {"recall@10": test}}}


def told(found, but="", name="most likely"):
    histories = make_histories([[1, 2]])
    table = pl.DataFrame({"list": [name]})
    kept = evaluation_page.kept_back(found, histories)
    return sentences(table, WINNERS, found, "the next event", "in the last 9 days", kept, BOUGHT, but)


def test_the_best_other_list_is_best_by_what_is_told():
    assert told(held())[1] == (
        "Lists of 10 items held 36.5% of what 16 users took in up to 3 events of each that were kept back (2.1 on "
        "average; 5 users have so many); the best other list (recent popularity) 42.7%."
    )
    assert "in one event of each that was kept back;" in told(held(steps=1))[1]


def test_a_list_that_found_more_beyond_chance_is_named():
    assert "Lists are those of recent popularity, for they found more" in told(held(high=-0.001))[2]
    assert not any("Lists are those" in one for one in told(held()))
    assert "come first by recent popularity" in page.order_description(0.0, "the next event", "recent_popularity")


def test_who_is_counted_of_those_who_never_bought_is_said():
    assert "of the 159 who never bought it, 15 are expected" in told(held())[0]
    assert "; in the last 9 days 12 did so for the first time." in told(held())[0]
    assert "of the 159 who never bought it nor had any other event of it, 15" in told(held(), page.BUT)[0]


def test_of_few_buyers_to_win_nothing_is_told(monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "WINNERS", WINNERS.with_columns(expected=pl.lit(1.35)))
    assert not any("to win" in sentence for sentence in told(held()))


def test_shares_of_nothing_are_not_told():
    found = held(groups=("all", "again", "new"))
    assert len(told(found, name="new to the user")) == 3
    alike = held(groups=("all", "again", "new"))
    for row in alike["rows"].values():  # users have had so few items that any list holds them
        row["again"]["recall"] = 1.0
    assert len(told(alike, name="new to the user")) == 2
    found["rows"]["trajectory"]["new"] = {"recall": float("nan"), "ndcg": float("nan"), "error": 0.0, "users": 0}
    assert len(told(found, name="new to the user")) == 2


@pytest.mark.parametrize(
    ("groups", "said"), [(("all",), evaluation_page.MISSED), (("all", "again", "new"), "had before, new:")]
)
def test_the_note_explains_the_columns_that_are_there(groups, said):
    table = evaluation_page.against_baselines(held(groups=groups), "up to 3 events")
    assert said in table.note
    assert ("found, new" in table.rows.columns) == ("had before, new:" in table.note)


def test_relevance_that_rises_is_not_said_to_fall():
    curve = [{"share": share, "ndcg": ndcg, "diversity": 0.5 + share} for share, ndcg in ((0.0, 0.058), (0.1, 0.059))]
    words = evaluation_page.trade_off(curve, 0.1).words
    assert words.startswith("Relevance goes from 0.058 to 0.059")


@pytest.mark.parametrize(("because", "empty"), [(["3 events", "a sale"], False), (["3 events", ""], True)])
def test_a_reason_that_is_empty_is_explained(because, empty):
    rows = {name: ["a", "b"] for name in ("user", "list", "title", "interest")}
    lists = pl.DataFrame(rows | {"rank": [1, 2], "probability": [0.5, 0.4], "because": because})
    table = page.of_users(lists, make_histories([[1, 2]]), "the next event")
    assert ("Empty where no such count speaks for the item" in table.note) == empty


@pytest.mark.parametrize(
    ("days", "of_all", "said"),
    [
        (13, False, "the next 4 events that come in 13 days, if they come then"),
        (13, True, "the next 4 events that come in 13 days"),
        (0, False, "the next 4 events (1.6 on average)"),
    ],
)
def test_chances_are_said_to_be_of_the_days_that_they_are_of(days, of_all, said):
    relevance = SimpleNamespace(fits=(True,), steps=4, steps_had=1.6, days=days, histories=make_histories([[1]]))
    assert page.window(relevance, of_all) == said
    assert page.lately_words(relevance) == (
        f"in the first 4 events of the last {days} days" if days else "in each user's last 4 events"
    )
