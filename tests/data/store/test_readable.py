"""Names as people read them: labels, no capitals throughout, and nothing that makes two kinds of goods one."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from tests.builders import make_histories
from trajectory.data.store.readable import interest_number, readable
from trajectory.schema import UserError
from trajectory.settings import base


def shop(interests, titles=None, ids=("1", "2", "3")):
    histories = make_histories([[1, 2, 3]])
    items = pl.DataFrame({"item": list(ids)} | ({"title": titles} if titles else {}))
    items = items.with_columns(interest=pl.Series([interests[i % len(interests)] for i in range(3)]))
    return replace(histories, items=items, interests=tuple(interests))


def data(labels="", case="auto"):
    settings = base().data
    settings.labels, settings.name_case = str(labels), case
    return settings


def test_names_in_capitals_alone_are_told_in_small_letters():
    shown = readable(shop(["FROZEN PIZZA", "CHRISTMAS  SEASONAL"], ["MILK 2%", "CRÈME FRAÎCHE", None]), data())
    assert shown.interests == ("Frozen pizza", "Christmas seasonal")
    assert shown.items["interest"].to_list() == ["Frozen pizza", "Christmas seasonal", "Frozen pizza"]
    assert shown.items["title"].to_list() == ["Milk 2%", "Crème fraîche", None]
    assert shown.items["item"].to_list() == ["1", "2", "3"], "ids stay"
    assert readable(shop(["FROZEN PIZZA"]), data(case="as_is")).interests == ("FROZEN PIZZA",)


def test_where_most_names_are_in_small_letters_those_in_capitals_are_names():
    mixed = ["IKEA", "Tea", "Coffee", "Wine"]
    assert readable(shop(mixed), data()).interests == tuple(mixed)
    codes = ("ABC-12", "04: SQ0006", "C")
    assert readable(shop(codes), data()).interests == codes
    assert "title" not in readable(shop(["tea"]), data()).items.columns


def test_labels_are_of_whole_names_else_of_words(tmp_path):
    labels = tmp_path / "labels.csv"
    labels.write_text("name,label\nFRZN,frozen\nHBC,Health and beauty\nDVD,DVD\n")
    shown = readable(shop(["FRZN PIZZA", "HBC", "FRZN/CHILLED DVD"]), data(labels))
    assert shown.interests == ("Frozen pizza", "Health and beauty", "Frozen/chilled dvd")
    with pytest.raises(UserError, match="expected a CSV file with the columns name and label"):
        readable(shop(["TEA"]), data(tmp_path / "none.csv"))


def test_kinds_of_goods_are_never_made_one(tmp_path):
    labels = tmp_path / "labels.csv"
    labels.write_text("name,label\nTEAS,Tea\n")
    assert readable(shop(["TEA", "TEAS", "WINE"]), data(labels)).interests == ("TEA", "TEAS", "Wine")


def test_the_labels_of_complete_journey_come_with_it():
    shown = readable(shop(["FRZN MEAT/MEAT DINNERS", "SALD DRSNG/SNDWCH SPRD"]), data("complete_journey"))
    assert shown.interests == ("Frozen meat/meat dinners", "Salad dressing/sandwich spread")


def test_an_interest_is_found_in_capitals_or_not():
    histories = shop(["Frozen pizza", "tea", "Tea"])
    assert [interest_number(histories, name) for name in ("FROZEN PIZZA", "Tea", "TEA", "wine")] == [1, 3, 0, 0]
