"""Order, numbering, storing and re-use of histories; nothing half-written is ever taken for a whole."""

import json
import sys
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ml_collections import ConfigDict

from trajectory.data.ingest.source import domains
from trajectory.data.pipeline import splits
from trajectory.data.store import builder
from trajectory.data.store.arrays import COLUMNS, describe, flatten
from trajectory.data.store.flat import load
from trajectory.data.store.sales import sales
from trajectory.data.store.tfds_store import open_tfds
from trajectory.schema import CleanLog, EventLog, Histories, UserError
from trajectory.settings import base


def settings_of(**changes) -> ConfigDict:
    data = base().data
    data.update(changes)
    return data


def clean_log(events: dict, items: pl.DataFrame | None = None, features: tuple[str, ...] = ()) -> CleanLog:
    frame = pl.DataFrame(events)
    frame = frame.with_columns(source_line=pl.int_range(1, frame.height + 1))
    return CleanLog(frame, frame.clear(), {}, EventLog(frame, items, features))


def listed(histories: Histories, column: str = "item") -> list[list]:
    """The items (as in the source) or another column, user by user."""
    values = getattr(histories, column)
    if column == "item":
        values = histories.items["item"].to_numpy()[values - 1]
    return [part.tolist() for part in np.split(values, histories.offsets[1:-1])]


def test_worked_log():
    items = pl.DataFrame({"item": [9, 5, 7], "title": ["Tea", "Cup", "Pot"], "category": ["drink", "ware", " "]})
    log = clean_log(
        {
            "user": ["eve", "bob", "eve", "bob", "eve"],
            "item": [9, 5, 5, 9, 3],
            "time": [300, 20, 100, 10, 200],
            "event_type": ["purchase", "view", "view", "gift", "view"],
            "value": [2.5, None, 1.0, None, None],
            "label": [None, 0, 1, None, None],
            "heat": [1.0, 2.0, 3.0, 4.0, 5.0],
        },
        items,
        ("heat",),
    )
    histories = flatten(log, settings_of(event_types=ConfigDict({"gift": "input,target"})), "tea", "f00")
    assert histories.users["user"].to_list() == ["bob", "eve"]
    assert histories.offsets.tolist() == [0, 2, 5]
    assert histories.items["item"].to_list() == [3, 5, 9]  # 7 has no event, 3 no row in the item table
    assert histories.item.tolist() == [3, 2, 2, 1, 3]
    assert histories.time.tolist() == [10, 20, 100, 200, 300]
    assert histories.step.tolist() == [0, 1, 0, 1, 2]
    assert histories.event_types == ("view", "purchase", "gift")
    assert histories.event_type.tolist() == [3, 1, 1, 1, 2]
    np.testing.assert_array_equal(histories.value, np.array([np.nan, np.nan, 1, np.nan, 2.5], np.float32))
    assert histories.label.tolist() == [-1, 0, 1, -1, -1]
    assert histories.features.tolist() == [[4], [2], [3], [5], [1]]
    assert histories.interests == ("drink", "ware")
    assert histories.item_interest.tolist() == [0, 0, 2, 1]
    assert histories.items["interest"].to_list() == [None, "ware", "drink"]
    assert (histories.num_items, histories.num_users, histories.num_events) == (3, 2, 5)
    assert histories.has_time
    assert {key: getattr(histories, key).dtype for key in COLUMNS} == {key: np.dtype(d) for key, d in COLUMNS.items()}


def test_a_log_of_users_and_items_only():
    histories = flatten(clean_log({"user": [2, 1, 2], "item": ["b", "a", "a"]}), settings_of())
    assert listed(histories) == [["a"], ["b", "a"]]
    assert histories.event_types == ("event",)
    assert not histories.has_time
    assert histories.time.tolist() == [0, 0, 0]
    assert histories.interests == ()
    assert histories.features.shape == (3, 0)


@pytest.mark.parametrize(
    ("order", "expected"),
    [("time", ["c", "b", "a", "d"]), ("position", ["d", "c", "a", "b"]), ("file", ["a", "b", "c", "d"])],
)
def test_orders(order, expected):
    log = clean_log({"user": [1] * 4, "item": list("abcd"), "time": [30, 20, 10, 40], "position": [2, 3, 1, 0]})
    assert listed(flatten(log, settings_of(order=order))) == [expected]


def test_parts_of_a_second_and_then_positions_order_equal_times():
    users, size = 50, 6
    events = {
        "user": np.repeat(np.arange(users), size),
        "item": np.tile(list("edfcba"), users),
        "time": np.tile([7, 7, 7, 5, 5, 5], users),
        "subsecond": np.tile([10, 10, 900_000, 0, 0, 0], users),
        "position": np.tile([2, 1, 0, 5, 4, 3], users),
    }
    assert listed(flatten(clean_log(events), settings_of())) == [list("abcdef")] * users
    by_time = listed(flatten(clean_log(events), settings_of(order="time")))
    assert {items[5] for items in by_time} == {"f"}
    assert {"".join(sorted(items[:3])) for items in by_time} == {"abc"}
    assert len({"".join(items[:3]) for items in by_time}) == 6, "only chance orders what has no time of its own"


def test_without_times_the_position_orders():
    log = clean_log({"user": [1] * 3, "item": list("abc"), "position": [2, 0, 1]})
    assert listed(flatten(log, settings_of())) == [["b", "c", "a"]]


def test_unknown_times_are_left_out_of_the_span():
    log = clean_log({"user": [1, 1, 2], "item": list("aba"), "time": [86_400, 172_800, None], "position": [0, 1, 0]})
    histories = flatten(log, settings_of(order="position"))
    assert histories.time.tolist() == [86_400, 172_800, 0]
    assert "from 1970-01-02 to 1970-01-03" in describe(histories)


def test_chance_orders_equal_times():
    """The source lists equal times by item id; a model that learnt that order would have learnt nothing."""
    users, size = 200, 10
    events = {
        "user": np.repeat(np.arange(users), size),
        "item": np.tile(np.arange(size), users),
        "time": np.tile(np.repeat([5, 6], size // 2), users),
    }
    first, again, other = (flatten(clean_log(events), settings_of(seed=seed)).item for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()
    items = first.reshape(users, 2, size // 2) - 1
    assert (items[:, 0] < size // 2).all(), "chance must not mix different times"
    ascending = (np.diff(items) > 0).mean()  # expected 0.5 with a standard error of at most 0.0125
    assert 0.45 < ascending < 0.55


def test_baskets_by_id_stand_where_their_first_line_does():
    log = clean_log(
        {
            "user": [1, 1, 1, 1, 1, 2, 2],
            "item": ["a", "b", "c", "d", "e", "f", "g"],
            "time": [10, 20, 15, 12, 13, 7, 7],
            "basket": ["x", "x", "y", None, None, "x", "y"],
        }
    )
    histories = flatten(log, settings_of(baskets=True))
    one, two = listed(histories)
    assert set(one[:2]) == {"a", "b"}
    assert one[2:] == ["d", "e", "c"]
    assert sorted(two) == ["f", "g"]
    assert listed(histories, "step") == [[0, 0, 1, 2, 3], [0, 1]]
    assert histories.baskets


def test_baskets_by_time():
    log = clean_log({"user": [1, 1, 1, 2], "item": list("abcd"), "time": [10, 20, 10, 10]})
    histories = flatten(log, settings_of(baskets=True))
    assert listed(histories, "step") == [[0, 0, 1], [0]]
    assert listed(histories, "time") == [[10, 10, 20], [10]]


def test_lines_of_a_basket_come_in_random_order():
    users, size = 200, 6
    events = {
        "user": np.repeat(np.arange(users), size),
        "item": np.tile(np.arange(size), users),
        "time": np.full(users * size, 5),
        "basket": np.tile(np.repeat([0, 1], 3), users),
    }
    histories = flatten(clean_log(events), settings_of(baskets=True))
    items = histories.item.reshape(users, 2, 3) - 1
    assert (items // 3 == items[:, :, :1] // 3).all(), "lines of two baskets are mixed"
    assert 0.4 < (np.diff(items) > 0).mean() < 0.6
    assert 0.35 < (items[:, 0, 0] < 3).mean() < 0.65, "baskets of one time must not keep the source's order"


def test_baskets_need_an_id_or_a_time():
    with pytest.raises(UserError, match="needs a basket id or a time"):
        flatten(clean_log({"user": [1], "item": ["a"]}), settings_of(baskets=True))


@given(
    st.lists(st.tuples(st.integers(0, 4), st.sampled_from("abcdef"), st.integers(0, 9), st.integers(0, 3)), min_size=1),
    st.booleans(),
    st.integers(0, 3),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_every_row_has_one_place(rows, baskets, seed):
    log = clean_log(dict(zip(("user", "item", "time", "basket"), map(list, zip(*rows, strict=True)), strict=True)))
    histories = flatten(log, settings_of(baskets=baskets, seed=seed))
    user = np.repeat(histories.users["user"].to_numpy(), np.diff(histories.offsets))
    item = histories.items["item"].to_numpy()[histories.item - 1]
    placed = Counter(zip(user.tolist(), item.tolist(), histories.time.tolist(), strict=True))
    assert placed == Counter(row[:3] for row in rows)
    for steps, times in zip(listed(histories, "step"), listed(histories, "time"), strict=True):
        assert steps[0] == 0
        assert set(np.diff(steps)) <= ({0, 1} if baskets else {1})
        starts = [min(time for time, step in zip(times, steps, strict=True) if step == s) for s in range(steps[-1] + 1)]
        assert starts == sorted(starts)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "shop.csv"
    path.write_text(
        "user_id,item_id,timestamp,event_type,heat\n"
        "u1,apple,1500000000,view,1.5\nu1,pear,1500000100,purchase,2.5\nu2,pear,1500000000,view,3.5\n"
        "u2,pear,1400000000,view,4.5\nu2,,1500000000,view,4.5\n"
    )
    return path


def data_of(source: Path, **changes) -> ConfigDict:
    changes = {"source": str(source), "prepared_dir": str(source.parent / "prepared"), "features": ("heat",)} | changes
    return settings_of(**changes)


def folders(source: Path) -> list[Path]:
    return sorted(path for path in (source.parent / "prepared" / "shop").iterdir() if path.is_dir())


def test_prepared_folder(source, capsys):
    histories = builder.prepare(data_of(source))
    (folder,) = folders(source)
    assert folder.name == histories.fingerprint[:12]
    shown = capsys.readouterr()
    assert "quarantined            1" in shown.out, "the summary of cleaning is shown"
    assert "dataset" not in (shown.out + shown.err).lower(), "TFDS is silent"
    assert listed(histories) == [["apple", "pear"], ["pear", "pear"]]
    assert isinstance(histories.item, np.memmap)
    assert not histories.item.flags.writeable
    meta = json.loads((folder / "meta.json").read_text())
    assert meta["quarantined"] == {"missing item": 1}
    assert (meta["num_users"], meta["num_events"], meta["num_items"]) == (2, 4, 2)
    assert pl.read_parquet(folder / "quarantine.parquet")["reason"].to_list() == ["missing item"]
    assert describe(load(folder)).splitlines() == [
        "shop: 2 users, 4 events, 2 items, 0 interests",
        "median length of a history: 2 events",
        "from 2014-05-13 to 2017-07-14",
        "types of event: view, purchase",
        "events that repeat an earlier item of the same user: 25.0%",
        "events in the same second as another of the same user: 0.0%",
    ]


def test_others_read_the_prepared_log_from_its_tfds_folder(source):
    histories = builder.prepare(data_of(source))
    (record,) = open_tfds(folders(source)[0] / "tfds").as_data_source("histories")
    assert (record["user"].tolist(), record["length"].tolist()) == ([b"u1", b"u2"], [2, 2])
    for key in COLUMNS:
        np.testing.assert_array_equal(record[key], getattr(histories, key), key)
    assert "tensorflow" not in sys.modules


def test_events_that_are_not_read_are_stored_too(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("user,item,event_type,quantity\na,x,buy,2\na,x,refund,1\nb,y,show,\n")
    histories = builder.prepare(data_of(path, features=()))
    assert histories.outside.select("user", "item", "event_type", "quantity").rows() == [
        ("a", "x", "return", 1),
        ("b", "y", "impression", None),
    ]
    assert histories.roles == {
        "purchase": ("input", "target", "sale"),
        "impression": (),
        "return": ("sale", "negative"),
    }
    assert sales(histories).quantity.tolist() == [2, -1]


def test_second_call_re_uses(source, monkeypatch, capsys):
    first = builder.prepare(data_of(source))
    monkeypatch.delattr(builder, "read_log")
    second = builder.prepare(data_of(source))
    assert "re-using" in capsys.readouterr().out
    assert second.fingerprint == first.fingerprint
    assert (second.item == first.item).all()
    assert second.users.equals(first.users)
    assert second.items.equals(first.items)
    assert (second.event_types, second.feature_names) == (("view", "purchase"), ("heat",))


def test_of_several_at_once_one_prepares(source, monkeypatch):
    calls = []
    read = builder.read_log
    monkeypatch.setattr(builder, "read_log", lambda data: calls.append(1) or read(data))
    found: list[Histories] = []
    threads = [threading.Thread(target=lambda: found.append(builder.prepare(data_of(source)))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1
    assert len(found) == 3


@pytest.mark.parametrize("step", ["write_tfds", "save"])
def test_an_interrupted_prepare_leaves_nothing(source, monkeypatch, step):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(builder, step, killed)
        with pytest.raises(KeyboardInterrupt):
            builder.prepare(data_of(source))
    assert folders(source) == []
    assert builder.prepare(data_of(source)).num_events == 4


def test_a_damaged_folder_is_prepared_anew_and_that_is_said(source, capsys):
    first = np.array(builder.prepare(data_of(source)).item)
    (folder,) = folders(source)
    np.save(folder / "item.npy", first[::-1])
    capsys.readouterr()
    assert (builder.prepare(data_of(source)).item == first).all()
    shown = capsys.readouterr().out
    assert "cannot be used (item.npy is not as it was written): the log is prepared anew" in shown
    assert "re-using" not in shown
    assert folders(source) == [folder]


@pytest.mark.parametrize("name", ["..", "../elsewhere", "a/b", "/etc/x", "a\nb\x00", "n" * 300])
def test_no_name_leads_out_of_the_folder_of_prepared_logs(source, name):
    foreign = source.parent / "other.incomplete"
    foreign.mkdir()
    builder.prepare(data_of(source), name)
    home = source.parent / "prepared"
    assert sorted(source.parent.iterdir()) == sorted([source, foreign, home])
    (made,) = home.iterdir()
    assert made.is_dir()


def test_only_what_a_preparation_left_is_cleaned_up(source):
    home = source.parent / "prepared" / "shop"
    for name in ("mine.incomplete", "0123456789ab.1.incomplete"):
        (home / name).mkdir(parents=True)
    builder.prepare(data_of(source))
    assert {path.name for path in home.glob("*.incomplete")} == {"mine.incomplete"}


def test_a_half_copied_folder_is_prepared_anew(source):
    builder.prepare(data_of(source))
    (folder,) = folders(source)
    (folder / "meta.json").unlink()
    (folder / "item.npy").write_bytes(b"half")
    assert listed(builder.prepare(data_of(source))) == [["apple", "pear"], ["pear", "pear"]]


def test_fingerprint_follows_content_and_settings_and_not_places(source, tmp_path, monkeypatch):
    mark = builder.fingerprint(data_of(source))
    (tmp_path / "elsewhere").mkdir()
    moved = source.rename(tmp_path / "elsewhere" / "shop.csv")
    assert builder.fingerprint(data_of(moved, prepared_dir="x")) == mark
    assert builder.fingerprint(data_of(moved, seed=1)) != mark
    longer = data_of(moved)
    longer.cleaning.min_user_events = 2
    assert builder.fingerprint(longer) != mark
    moved.write_text(moved.read_text().replace("apple", "apply"))
    assert builder.fingerprint(data_of(moved)) != mark
    changed = builder.fingerprint(data_of(moved))
    monkeypatch.setattr(builder, "FORMAT_VERSION", "9.0.0")
    assert builder.fingerprint(data_of(moved)) != changed


def test_a_changed_source_is_prepared_beside_the_old_one(source):
    builder.prepare(data_of(source))
    source.write_text(source.read_text() + "u3,plum,1500000000,view,1\n")
    assert builder.prepare(data_of(source)).num_users == 3
    assert len(folders(source)) == 2


def test_whether_the_source_or_its_reading_changed_is_known(source):
    first = builder.prepare(data_of(source))
    again = builder.prepare(data_of(source, duplicates="keep"))
    assert (again.source, again.fingerprint == first.fingerprint) == (first.source, False)
    source.write_text(source.read_text() + "u3,plum,1500000000,view,1\n")
    assert builder.prepare(data_of(source)).source != first.source


def test_a_source_that_is_not_there(source):
    with pytest.raises(UserError, match=r"shop2\.csv does not exist"):
        builder.prepare(data_of(source.with_name("shop2.csv")))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"source": ""}, "data.source is empty"),
        ({"columns": ConfigDict({"user": "buyer"})}, "buyer"),
        ({"prepared_dir": "{source}"}, "set data.prepared_dir to another folder"),
    ],
)
def test_mistakes_leave_no_folder(source, changes, words):
    data = data_of(source)
    data.update({key: str(source) if value == "{source}" else value for key, value in changes.items()})
    with pytest.raises(UserError, match=words):
        builder.prepare(data)
    assert not list(source.parent.rglob("*.incomplete"))


def prepared(name: str, tmp_path: Path) -> Histories:
    try:
        domains.locate(name)
    except UserError as error:
        pytest.skip(str(error))
    return builder.prepare(settings_of(source=name, prepared_dir=str(tmp_path)))


def test_movielens_100k(tmp_path):
    histories = prepared("movielens_100k", tmp_path)
    assert (histories.num_users, histories.num_events, histories.num_items) == (943, 100_000, 1682)
    lengths = np.diff(histories.offsets)
    assert int(np.median(lengths)) == 65
    same_user = np.diff(np.repeat(np.arange(943), lengths)) == 0
    assert (np.diff(histories.time)[same_user] >= 0).all()
    tied = same_user & (np.diff(histories.time) == 0)
    assert 0.48 < (np.diff(histories.item)[tied] > 0).mean() < 0.52, "ties follow the item id"
    _, result = splits.split(histories, base().split)
    assert len(result.test.user) == 943
    early, result = splits.split(histories, ConfigDict({**base().split, "kind": "temporal"}))
    mask = splits.training_events(early, result)
    assert histories.time[mask].max() < histories.time[result.test.stop].min()
    assert set(early.item[mask]) == set(range(1, early.num_items + 1))
    assert 0 < early.num_items < 1682


def test_complete_journey(tmp_path):
    histories = prepared("complete_journey", tmp_path)
    assert histories.num_users == 2469
    assert histories.baskets
    _, result = splits.split(histories, base().split)
    count = histories.step[histories.offsets[1:] - 1] + 1
    assert len(result.test.user) == (count >= 3).sum() > 2400
    sizes = result.test.end - result.test.stop
    assert 3 < sizes.mean() < 20
    # The lines of each tested basket, and only they, bear the user's last time.
    last = histories.time[result.test.end - 1]
    assert (histories.time[result.test.stop] == last).all()
    assert (histories.time[result.test.stop - 1] < last).mean() > 0.99


def test_a_setting_that_came_since_changes_no_fingerprint_where_it_says_nothing():
    usual, later = settings_of(), settings_of(later=("target_types",))
    assert builder.fingerprint(usual, "x") == builder.fingerprint(later, "x")
    assert builder.fingerprint(usual, "x") != builder.fingerprint(settings_of(target_types=("purchase",)), "x")
