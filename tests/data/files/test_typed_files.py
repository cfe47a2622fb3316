"""Folders whose files are the types of event, by their names, or whose columns grew."""

import zipfile
from pathlib import Path

import pytest

from tests.raw_logs import cleaned, notes, settings
from trajectory.data.ingest.log import read_log
from trajectory.schema import EventLog, UserError

T0 = 1_700_000_000


def write(folder: Path, *names: str, header: str = "user_id,item_id,timestamp", **texts: str) -> Path:
    """Files of three rows each, and others as given."""
    for number, name in enumerate(names):
        rows = [f"u{i},i{i + number},{T0 + 60 * number + i}" for i in range(3)]
        (folder / name).write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def types(log: EventLog, folder: Path) -> dict[str, int]:
    clean = cleaned(log, folder)
    assert clean.events.height + clean.quarantine.height == log.events.height
    return dict(clean.types.select("type", "rows").iter_rows())


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("views.csv", "carts.csv", "purchases.csv"), {"view": 3, "cart": 3, "purchase": 3}),
        (("train_sessions.csv", "train_purchases.csv", "test_sessions.csv"), {"view": 6, "purchase": 3}),
        (("shop-add_to_cart-2024.csv", "shop-remove_from_cart-2024.csv"), {"cart": 3, "remove_from_cart": 3}),
        (("item_views_1.csv", "item_views_2.csv", "order_returns.csv"), {"view": 6, "return": 3}),
        (("Seitenaufrufe.csv", "Käufe.csv"), {"view": 3, "purchase": 3}),
        (("просмотры.csv", "заказы.csv"), {"view": 3, "purchase": 3}),
        (("浏览.csv", "购买.csv"), {"view": 3, "purchase": 3}),
        (("transactions.csv", "clicks.csv"), {"purchase": 3, "click": 3}),
    ],
)
def test_names_of_files_say_what_was_done(tmp_path: Path, names: tuple[str, ...], told: dict[str, int]) -> None:
    write(tmp_path, *names)
    log = read_log(settings(tmp_path))
    assert types(log, tmp_path) == told
    assert log.detected["found_by"]["event_type"] == "names of files"
    assert "names of files say what was done: " in notes(log, "file")
    assert f"{names[0]} {next(iter(told))} (3 rows)" in notes(log, "file")


def test_files_of_other_columns_are_one_log_with_an_item_table(tmp_path: Path) -> None:
    write(
        tmp_path,
        views="user_id,item_id,viewed_at\nu1,a,2024-01-01 10:00\nu2,b,2024-01-01 11:00\nu2,b\n",
        purchases="order_id;customer;sku;order_date;qty;line_total\n7;u1;a;2024-01-02 10:00;2;9,50\n",
        products="item_id,title,category\na,Ant,x\nb,Bee,y\n",
    )
    log = read_log(settings(tmp_path))
    clean = cleaned(log, tmp_path)
    assert types(log, tmp_path) == {"view": 2, "purchase": 1}
    assert clean.counts == {"malformed row": 1}
    assert clean.events.sort("time")["user"].to_list() == ["u1", "u2", "u1"]
    assert clean.events["time"].null_count() == 0
    assert clean.events["value"].drop_nulls().to_list() == [9.5]
    assert log.items is not None
    assert "views.csv: user_id, item_id, viewed_at taken for customer, sku, order_date" in notes(log, "file")


def test_a_zip_file_of_such_files(tmp_path: Path) -> None:
    write(tmp_path, "views.csv", "purchases.csv")
    with zipfile.ZipFile(tmp_path / "shop.zip", "w") as archive:
        for name in ("views.csv", "purchases.csv"):
            archive.write(tmp_path / name, name)
    assert types(read_log(settings(tmp_path / "shop.zip")), tmp_path) == {"view": 3, "purchase": 3}


@pytest.mark.parametrize("names", [("purchases_1.csv", "orders_2.csv"), ("views.csv", "part.csv"), ("a.csv", "b.csv")])
def test_names_that_say_one_type_or_not_all_say_nothing(tmp_path: Path, names: tuple[str, ...]) -> None:
    log = read_log(settings(write(tmp_path, *names)))
    assert log.events.height == 6
    assert "event_type" not in log.detected["columns"]


def test_a_type_in_the_files_or_none_asked_for_comes_before_their_names(tmp_path: Path) -> None:
    write(tmp_path, "views.csv", "purchases.csv", header="user_id,item_id,event")
    log = read_log(settings(tmp_path))
    assert log.detected["columns"]["event_type"] == "event"
    for name in ("views.csv", "purchases.csv"):
        (tmp_path / name).write_text((tmp_path / name).read_text().replace("event", "timestamp"))
    assert "event_type" in read_log(settings(tmp_path)).detected["columns"]
    off = read_log(settings(tmp_path, columns={"event_type": "-"}))
    assert "event_type" not in off.detected["columns"]


def test_visits_of_one_file_are_not_the_people_of_another(tmp_path: Path) -> None:
    write(
        tmp_path,
        views="session_id,item_id,timestamp\ns1,a,1700000000\n",
        purchases="customer_id,item_id,timestamp,price\nc1,a,1700000001,2\n",
    )
    with pytest.raises(UserError, match="several that could be the log"):
        read_log(settings(tmp_path))


@pytest.mark.parametrize("names", [("2024-01", "2024-02", "2024-03"), ("sales_jan", "sales_feb", "sales_mar")])
def test_files_of_one_name_whose_columns_grew_are_one_log(tmp_path: Path, names: tuple[str, ...]) -> None:
    head, rows = "user_id,item_id,timestamp", "u1,a,1700000000\nu2,b,1700000060\n"
    texts = {names[0]: f"{head}\n{rows}", names[1]: f"{head}\n{rows.replace('u1', 'u3')}"}
    texts[names[2]] = f"{head},store\n" + rows.replace("\n", ",North\n").replace("u1", "u4")
    write(tmp_path, **texts)
    log = read_log(settings(tmp_path, duplicates="keep"))
    assert sorted(log.events["user"].to_list()) == ["u1", "u2", "u2", "u2", "u3", "u4"]
    assert log.events["file"].n_unique() == 3
    assert "some lack store, which is blank there" in notes(log, "file")
    (tmp_path / f"{names[2]}.csv").rename(tmp_path / "other.csv")
    with pytest.raises(UserError, match="several that could be the log"):
        read_log(settings(tmp_path))


def test_an_untyped_log_beside_typed_ones_leaves_a_choice(tmp_path: Path) -> None:
    write(tmp_path, "views.csv", "purchases.csv", "part.csv")
    assert "event_type" not in read_log(settings(tmp_path)).detected["columns"]
    assert "event_type" not in read_log(settings(tmp_path, columns={"event_type": "-"})).detected["columns"]
