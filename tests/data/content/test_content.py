"""What is known of items as arrays: texts, codes, buckets of price, vectors from files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from ml_collections import ConfigDict

from tests.builders import make_histories
from trajectory.data.content.content import item_content, join, with_behaviour
from trajectory.data.pipeline import splits
from trajectory.schema import CODES, Histories, ItemContent, UserError
from trajectory.settings import base

KIND = ConfigDict({"kind": "leave_one_out"})
LOG = make_histories([[1, 2, 3, 4]], num_items=4)
LOG = replace(
    LOG,
    items=pl.DataFrame(
        {
            "item": ["i1", "i2", "i3", "i4"],
            "title": ["Night cream", "Day cream", None, "Soap"],
            "category": ["face", "face", "hands", None],
            "brand": ["Anna", None, " anna ", "Bea"],
            "price": [1.0, 9.0, None, 30.0],
        }
    ),
)


def config(tmp_path: Path, **changes):
    c = base()
    c.data.prepared_dir = str(tmp_path)
    c.content.by, c.content.text = "content", ()
    c.content.update(changes)
    return c


def test_words_have_codes_that_are_the_same_everywhere(tmp_path: Path) -> None:
    codes = item_content(LOG, config(tmp_path)).codes
    assert {name: values.shape for name, values in codes.items()} == dict.fromkeys(("category", "brand", "price"), (5,))
    assert (codes["category"] > 0).tolist() == [False, True, True, True, False]
    assert codes["category"][1] == codes["category"][2] != codes["category"][3]
    assert codes["brand"][1] == codes["brand"][3] != codes["brand"][4]  # but for spaces and capitals
    assert max(values.max() for values in codes.values()) < CODES
    other = replace(LOG, items=LOG.items.reverse())
    assert item_content(other, config(tmp_path)).codes["brand"].tolist() == [0, *codes["brand"][:0:-1].tolist()]


def test_prices_are_told_by_their_place_among_the_log_s(tmp_path: Path) -> None:
    assert item_content(LOG, config(tmp_path)).codes["price"].tolist() == [0, 1, 6, 0, 10]
    dear = replace(LOG, items=LOG.items.with_columns(pl.col("price") * 100))
    assert item_content(dear, config(tmp_path)).codes["price"].tolist() == [0, 1, 6, 0, 10]


def test_what_a_log_lacks_is_unknown_of_every_item(tmp_path: Path) -> None:
    fewer = replace(LOG, items=LOG.items.drop("price", "brand"))
    codes = item_content(fewer, config(tmp_path)).codes
    assert not codes["price"].any()
    assert not codes["brand"].any()
    with pytest.raises(UserError, match="nothing is known of the items: none of category, brand, price"):
        item_content(replace(LOG, items=LOG.items.select("item")), config(tmp_path))


def vectors(tmp_path: Path, **columns) -> dict[str, str]:
    pl.DataFrame(columns).write_parquet(tmp_path / "image.parquet")
    return {"image": str(tmp_path / "image.parquet")}


def test_further_vectors_come_from_files(tmp_path: Path) -> None:
    files = vectors(tmp_path, item=["i4", "i2", "other"], vector=[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    found = item_content(LOG, config(tmp_path, files=files)).vectors["image"]
    # Without what those that are known have in common, [2, 3], and of length 1.
    np.testing.assert_allclose(found, np.array([[0, 0], [0, 0], [1, 1], [0, 0], [-1, -1]]) / 2**0.5, atol=1e-6)
    assert found.dtype == np.float32


def test_directions_that_all_differ_in_count_less(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    wide = rng.standard_normal((4, 3)) * [10, 1, 0.1]
    files = vectors(tmp_path, item=["i1", "i2", "i3"], vector=wide[:3].tolist())
    found = item_content(LOG, config(tmp_path, files=files, frozen=2)).frozen
    assert found.shape == (5, 2)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), [0, 1, 1, 1, 0], atol=1e-5)
    plain = item_content(LOG, config(tmp_path, files=files)).vectors["image"]
    spread = [np.linalg.svd(x[1:4], compute_uv=False) for x in (plain, found)]
    assert spread[1][1] / spread[1][0] > 2 * spread[0][1] / spread[0][0]
    more = item_content(LOG, config(tmp_path, files=files, frozen=8)).frozen
    np.testing.assert_allclose(more @ more.T, np.pad(more[:, :3], ((0, 0), (0, 5))) @ more.T, atol=1e-6)


def test_what_is_kept_tells_also_what_lies_beside_an_item_in_training_and_how_often_it_was_bought() -> None:
    kept = np.array([[0, 0], [1, 0], [0, 1], [0, 0], [1, 0]], np.float32)
    log = make_histories([[1, 2, 1, 4, 3]] * 9 + [[1, 2, 3, 4, 4]], num_items=4)
    known = ItemContent({}, {}, kept)
    found = with_behaviour(known, *splits.split(log, KIND), 20).frozen
    np.testing.assert_allclose(found[:, 2], np.log1p([0, 19, 10, 1, 0]), rtol=1e-6)
    # 1 is 19 times next to 2 and once two away from 3; 2 is next to 3 once. 20 count as much as an item's own content.
    assert found[1, 1] / found[1, 0] == pytest.approx(19.5 / 39.5)
    assert found[2, 0] / found[2, 1] == pytest.approx(20 / 40)
    np.testing.assert_allclose(found[4, :2], kept[4])
    np.testing.assert_allclose(np.linalg.norm(found[3, :2]), 1, rtol=1e-6)  # only what lies beside it is known
    np.testing.assert_allclose(found[0], 0)
    other = make_histories([[1, 2, 1, 3, 4]] * 9 + [[1, 2, 3, 1, 2]], num_items=4)  # what is held out changes nothing
    again = with_behaviour(known, *splits.split(other, KIND), 20).frozen
    np.testing.assert_array_equal(again, found)
    trusting = with_behaviour(known, *splits.split(log, KIND), 10).frozen
    assert trusting[2, 0] / trusting[2, 1] == pytest.approx(20 / 30)
    assert with_behaviour(known._replace(frozen=kept[:, :0]), *splits.split(log, KIND), 20).frozen.shape == (5, 0)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"item": ["i1"], "image": [[1.0]]}, "lacks the column vector"),
        ({"item": ["i1", "i2"], "vector": [[1.0], [1.0, 2.0]]}, "vectors of 1 to 2 numbers"),
        ({"item": ["x"], "vector": [[1.0]]}, "none of the 1 items.*x is not, the log has such as i1"),
    ],
)
def test_files_that_do_not_fit(tmp_path: Path, columns: dict, words: str) -> None:
    with pytest.raises(UserError, match=words):
        item_content(LOG, config(tmp_path, files=vectors(tmp_path, **columns)))
    with pytest.raises(UserError, match="does not exist"):
        item_content(LOG, config(tmp_path, files={"image": str(tmp_path / "nowhere.parquet")}))


def test_contents_of_several_domains_are_joined(tmp_path: Path) -> None:
    def of(log: Histories):
        return item_content(log, config(tmp_path))

    both = join([of(LOG), of(replace(LOG, items=LOG.items.reverse()))])
    one = of(LOG).codes["category"]
    assert both.codes["category"].tolist() == [*one.tolist(), *one[:0:-1].tolist()]
