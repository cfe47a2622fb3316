"""What reading views is worth: the same purchases asked of models that read or predict other types."""

import numpy as np
import polars as pl
import pytest

from tests.data.pipeline.test_target_types import a_log, settings_of
from trajectory.data.pipeline.splits import split
from trajectory.presets import own_log
from trajectory.schema import UserError
from trajectory.tuning.types_read import ALL, VARIANTS, compare, target_events_alone

SIZES = {"train.epochs": 1, "batch.rows": 8, "model.width": 8, "model.layers": (8,), "evaluation.bootstrap": 20}


@pytest.fixture
def log(tmp_path):
    """Users who view three items and buy the first of them, six times each."""
    rng, rows = np.random.default_rng(0), []
    for user in range(12):
        for visit in range(6):
            viewed = rng.choice(9, 3, replace=False)
            rows += [(user, item, "view", 86_400 * visit + 60 * n) for n, item in enumerate(viewed)]
            rows.append((user, viewed[0], "purchase", 86_400 * visit + 600))
    path = tmp_path / "log.csv"
    pl.DataFrame(rows, schema=["user", "item", "event_type", "time"], orient="row").with_columns(
        pl.from_epoch(pl.col("time") + 1_700_000_000)
    ).write_csv(path)
    return path


def config(log, tmp_path, **changes):
    c = own_log.get_config(f"path={log},model=gru")
    for name, value in ({"data.target_types": ("purchase",)} | SIZES | changes).items():
        *section, field = name.split(".")
        c[section[0]][field] = value
    c.data.prepared_dir = str(tmp_path / "prepared")
    return c


def test_purchases_alone_keep_their_order_and_their_queries():
    histories, parts = split(a_log(), settings_of("leave_one_out"))
    alone, alike, before = target_events_alone(histories, parts)
    assert alone.item.tolist() == [2, 1, 4, 6]
    assert alone.offsets.tolist() == [0, 3, 4]
    assert alone.step.tolist() == [0, 1, 2, 0]
    assert alone.only_targets
    assert before.tolist() == [0, 0, 0, 1, 1, 2, 2, 3, 3, 3, 3, 4, 4]
    assert [column.tolist() for column in alike.test] == [[0], [0], [2], [3]]
    assert alike.train_end.tolist() == [1, 4]


def test_all_are_asked_for_the_same_purchases_and_what_is_finished_is_kept(log, tmp_path):
    out = tmp_path / "out"
    text = compare(config(log, tmp_path), [0], out)
    table = pl.read_csv(out / "types.csv")
    assert set(VARIANTS) < set(table["method"])
    assert {"last_view", "last_purchase", "not_yet", "popularity"} < set(table["method"])
    assert table.filter(method=ALL)["lead"].null_count() == 1
    rest = table.filter(pl.col("method") != ALL)
    test = table.filter(method=ALL)["test"].item()
    np.testing.assert_allclose(rest["lead"], test - rest["test"], atol=1e-6)
    assert (rest["lead_low"] <= rest["lead"]).all()
    assert "purchase predicted, view read beside; 12 users tested" in text
    stamps = {path: path.stat().st_mtime_ns for path in out.glob("*/checkpoints/*")}
    assert compare(config(log, tmp_path), [0], out) == text
    assert stamps == {path: path.stat().st_mtime_ns for path in out.glob("*/checkpoints/*")}


def test_what_cannot_be_compared_is_said(log, tmp_path):
    with pytest.raises(UserError, match="expected what is predicted, such as"):
        compare(config(log, tmp_path, **{"data.target_types": ()}), [0], tmp_path)
    with pytest.raises(UserError, match="no type of event beside view, purchase"):
        compare(config(log, tmp_path, **{"data.target_types": ("purchase", "view")}), [0], tmp_path)
    with pytest.raises(UserError, match="did you mean 'purchase'"):
        compare(config(log, tmp_path, **{"data.target_types": ("purchse",)}), [0], tmp_path)
    with pytest.raises(UserError, match=r"no event is of a type that is predicted \(subscribe\)"):
        compare(config(log, tmp_path, **{"data.target_types": ("subscribe",)}), [0], tmp_path)
