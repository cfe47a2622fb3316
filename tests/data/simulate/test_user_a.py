import itertools

import numpy as np
import polars as pl
import pytest

from trajectory.data.simulate import user_a
from trajectory.schema import UserError


def shipped():
    """The shipped log with its event type and item apart."""
    return pl.read_csv(user_a.LOG).with_columns(
        event_type=pl.col("行为").str.slice(0, 2), item=pl.col("行为").str.slice(2), order=pl.int_range(pl.len())
    )


def test_shipped_files_are_what_the_generator_writes():
    assert user_a.LOG.read_text(encoding="utf-8") == user_a.log().write_csv()
    assert user_a.TABLE.read_text(encoding="utf-8") == user_a.table().write_csv()
    assert user_a.LOG.stat().st_size < 300_000


def test_shipped_log_is_a_readable_chinese_log():
    log = shipped()
    assert log.columns[:3] == ["用户", "时间", "行为"]
    assert log["用户"].n_unique() == 400
    assert set(log["item"]) == set(user_a.ITEMS)
    assert set(log["event_type"]) == {"浏览", "点击", "加购", "收藏", "购买"}
    time = log["时间"].str.to_datetime("%Y-%m-%d %H:%M:%S")
    assert (
        log.with_columns(time=time).select(pl.col("time").diff().over("用户")).drop_nulls().min().item().seconds >= 60
    )
    assert str(time.min()) >= "2024-01-29"
    assert str(time.max()) < "2024-02-28"  # all before user A's day


def test_user_a_has_five_events_from_viewing_item_1_on():
    table = pl.read_csv(user_a.TABLE)
    assert table.columns == ["时间", "行为"]
    assert table["行为"].to_list() == ["浏览商品1", "浏览商品2", "购买商品2", "浏览商品3", "购买商品1"]
    assert table["时间"].is_sorted()


def test_items_follow_the_chain_whatever_the_event_type():
    log = shipped().with_columns(next=pl.col("item").shift(-1).over("用户")).drop_nulls()
    chain = np.array(user_a.TRANSITION)
    for part in (log, log.filter(pl.col("event_type") == "浏览"), log.filter(pl.col("event_type") == "购买")):
        pairs = np.zeros((6, 6))
        codes = [part[name].replace_strict(user_a.ITEMS, range(6)).to_numpy() for name in ("item", "next")]
        np.add.at(pairs, tuple(codes), 1)
        rows = pairs.sum(axis=1, keepdims=True)
        assert (np.abs(pairs / rows - chain) < 4.5 * np.sqrt(chain * (1 - chain) / rows)).all()
    shares = [(log["event_type"] == event_type).mean() for event_type in user_a.EVENT_TYPES]
    np.testing.assert_allclose(shares, user_a.EVENT_TYPE_SHARES, atol=0.03)


def test_the_chain_itself_is_fixed():
    np.testing.assert_allclose(np.sum(user_a.TRANSITION, axis=1), 1)
    truth = user_a.truth(["商品1", "商品2", "商品2", "商品3", "商品1"], 3)
    assert truth.path == ("商品2", "商品3", "商品4")
    assert truth.probability == pytest.approx(0.5 * 0.45 * 0.5)
    np.testing.assert_allclose(truth.distribution[0], [0.1, 0.5, 0.15, 0.1, 0.1, 0.05])


@pytest.mark.parametrize("last", user_a.ITEMS)
def test_truth_equals_enumeration(last):
    steps, chain, start = 4, np.array(user_a.TRANSITION), user_a.ITEMS.index(last)
    distribution, visited, best = np.zeros((steps, 6)), np.zeros((steps, 6)), 0.0
    for path in itertools.product(range(6), repeat=steps):
        probability = float(np.prod([chain[a, b] for a, b in itertools.pairwise((start, *path))]))
        if probability > best:
            best, best_path = probability, path
        for k in range(steps):
            distribution[k, path[k]] += probability
            visited[k, list(set(path[: k + 1]))] += probability
    truth = user_a.truth(["商品3", last], steps)
    np.testing.assert_allclose(truth.distribution, distribution, atol=1e-12)
    np.testing.assert_allclose(truth.visited, visited, atol=1e-12)
    assert truth.path == tuple(user_a.ITEMS[i] for i in best_path)
    assert truth.probability == pytest.approx(best)


@pytest.mark.parametrize(("history", "steps"), [(["商品9"], 3), ([], 3), (["商品1"], 0)])
def test_impossible_question_is_explained(history, steps):
    with pytest.raises(UserError, match="expected at least one of 商品1"):
        user_a.truth(history, steps)
