import gzip
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from ml_collections import ConfigDict

from tests.raw_logs import notes
from trajectory.data.ingest.log import read_log
from trajectory.data.ingest.quality.cleaning import clean
from trajectory.schema import EventLog, UserError
from trajectory.settings import base

T0 = 1_700_000_000  # 2023-11-14 22:13:20 UTC
HEADER = "user_id,item_id,timestamp\n"


def settings(source: Path | str, **changes: Any) -> ConfigDict:
    data = base().data
    data.source = str(source)
    for name, value in changes.items():
        if isinstance(value, dict):
            data[name].update(value)
        else:
            data[name] = value
    return data


def from_text(folder: Path, text: str, name: str = "log.csv", **changes: Any) -> EventLog:
    (folder / name).write_bytes(text.encode())
    return read_log(settings(folder / name, **changes))


def column(log: EventLog, name: str) -> list[Any]:
    return log.events[name].to_list()


def fails(folder: Path, content: bytes, words: str, name: str = "log.csv", **changes: Any) -> None:
    """Reading raises a UserError of one line that matches `words`."""
    (folder / name).write_bytes(content)
    with pytest.raises(UserError, match=words) as error:
        read_log(settings(folder / name, **changes))
    assert "\n" not in str(error.value)


def test_csv_in_canonical_columns(tmp_path: Path) -> None:
    log = from_text(
        tmp_path, "user_id,item_id,timestamp,event,price\n7,sku-1,1700000000,buy,2.5\n8,sku-2,1700000060,pv,\n"
    )
    assert column(log, "source_line") == [1, 2]
    assert column(log, "user") == [7, 8]
    assert column(log, "item") == ["sku-1", "sku-2"]
    assert column(log, "time") == [T0, T0 + 60]
    assert column(log, "event_type") == ["buy", "pv"]
    assert column(log, "value") == [2.5, None]
    assert log.items is None
    assert log.detected["columns"]["value"] == "price"
    assert (log.detected["time"], log.detected["order"], log.detected["rows"]) == ("s", "time", 2)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_csv_delimiters_and_line_ends(tmp_path: Path, delimiter: str, ending: str) -> None:
    rows = [["user", "item", "title", "time"], ["a", "x", f'"one{delimiter} ""two"""', "2023-11-14 22:13:20"]]
    log = from_text(tmp_path, "\ufeff" + ending.join(delimiter.join(row) for row in rows) + ending)
    assert (column(log, "user"), column(log, "time")) == (["a"], [T0])
    assert log.items is not None
    assert log.items["title"].to_list() == [f'one{delimiter} "two"']


def test_earlier_names_and_columns_win(tmp_path: Path) -> None:
    log = from_text(tmp_path, "session_id,User ID,user_id,sku,item_id,item_id\n1,2,3,4,5,6\n")
    assert log.detected["columns"] == {"user": "User ID", "item": "item_id"}
    assert column(log, "item") == [5]


def test_labels_other_than_0_and_1_are_marked(tmp_path: Path) -> None:
    assert column(from_text(tmp_path, "user,item,label\n1,1,0\n1,2,1.0\n1,3,\n1,4,2\n"), "label") == [0, 1, None, -1]


def test_leading_zeros_are_part_of_an_id(tmp_path: Path) -> None:
    assert column(from_text(tmp_path, "user,item\n007,1\n7,2\n"), "user") == ["007", "7"]


def test_whole_floats_are_integers(tmp_path: Path) -> None:
    log = from_text(tmp_path, "user,item\n7.0,1\n,2\n8.0,3\n")
    assert column(log, "user") == [7, None, 8]
    pl.DataFrame({"user": [7.0, None, float("nan")], "item": [1, 2, 3]}).write_parquet(tmp_path / "log.parquet")
    assert column(read_log(settings(tmp_path / "log.parquet")), "user") == [7, None, None]


def test_blank_lines_are_no_rows(tmp_path: Path) -> None:
    log = from_text(tmp_path, HEADER + "1,2,1700000000\n\n3,4,1700000000\n  \n\n")
    assert (column(log, "user"), column(log, "source_line")) == ([1, 3], [1, 2])
    assert "malformed" not in log.events.columns


@pytest.mark.parametrize("title", ["plain", '"quoted, here"', '"over\ntwo lines"', 'a 5" pipe', '"half" quoted'])
def test_malformed_rows_keep_their_text(tmp_path: Path, title: str) -> None:
    log = from_text(tmp_path, f"user,item,title\n1,2,{title}\n3,4\n5,6,x,y\n7,8,z\n")
    assert column(log, "malformed") == [None, "3,4", "5,6,x,y", None]
    assert column(log, "user") == [1, None, None, 7]
    assert log.items is not None
    assert log.items.height == 2


def test_a_quote_that_is_never_closed_swallows_no_rows(tmp_path: Path) -> None:
    log = from_text(tmp_path, 'user,item,title\n1,2,"open\n3,4,x\n5,6,y\n')
    assert column(log, "user") == [1, 3, 5]


def test_gzip(tmp_path: Path) -> None:
    whole = gzip.compress((HEADER + "1,2,1700000000\n").encode())
    (tmp_path / "log.csv.gz").write_bytes(whole)
    assert column(read_log(settings(tmp_path / "log.csv.gz")), "time") == [T0]
    fails(tmp_path, whole[:-12], "cut off or damaged", "log.csv.gz")


@pytest.mark.parametrize(
    ("content", "words", "name"),
    [
        (b"", r"is empty \(0 bytes\)", "log.csv"),
        (HEADER.encode(), "not one row", "log.csv"),
        (b"\n1,2,3\n", "no header line.*'1,2,3'.*data.header", "log.csv"),
        (b"PK\x03\x04rest", "cut off or damaged", "log.zip"),
        (b"PAR1 no more", "cannot be read", "log.parquet"),
        (b"text", "no Parquet file", "log.parquet"),
        (b"\x00\x01\x02\x03", "neither text .CSV, JSON. nor Parquet", "log.bin"),
        (b"1,2268318,pv\n1,2333346,pv\n", "no header line.*'1,2268318,pv'.*data.header", "log.csv"),
        (b"when,what\n1,2\n", "column for the user.*columns when, what.*data.columns.user", "log.csv"),
        (b"user,what\n1,2\n", "column for the item.*user, what", "log.csv"),
        (b"user,item,time\n1,2,after lunch\n", "'after lunch'.*expected unix seconds", "log.csv"),
    ],
)
def test_unreadable_files(tmp_path: Path, content: bytes, words: str, name: str) -> None:
    fails(tmp_path, content, words, name)


def test_unreadable_sources(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        read_log(settings(tmp_path / "none.csv"))
    with pytest.raises(UserError, match="source is empty"):
        read_log(settings(""))
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(UserError, match=r"without interactions.parquet.*holds notes.txt"):
        read_log(settings(tmp_path))
    pl.DataFrame({"user": [1] * 1000, "item": [2] * 1000}).write_parquet(tmp_path / "cut.parquet")
    fails(tmp_path, (tmp_path / "cut.parquet").read_bytes()[:-20], "cannot be read", "cut.parquet")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"columns": {"user": "usr"}}, "data.columns.user='usr' is not in the log.*did you mean 'user'"),
        ({"features": ("weight",)}, "'weight', which is not in the log"),
        ({"features": ("colour",)}, "'colour', which holds no numbers"),
        ({"order": "position"}, "needs a position column"),
        ({"order": "size"}, "data.order='size' is unknown"),
        ({"time_unit": "weeks"}, "data.time_unit='weeks' is unknown"),
        ({"time_unit": "datetime"}, "set data.time_unit"),
        ({"item_column": "shape"}, "data.item_column='shape'"),
    ],
)
def test_settings_that_do_not_fit(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    fails(tmp_path, b"user,time,colour,item\n1,1700000000,red,2\n", words, **changes)


@pytest.mark.parametrize(
    ("cell", "unit"),
    [
        ("1700000000", "s"),
        ("1700000000123", "ms"),
        ("1700000000123456", "us"),
        ("1700000000.9", "s"),
        ("2023-11-14 22:13:20", "text"),
        ("2023-11-14T22:13:20.5Z", "text"),
        ("2023/11/14 22:13:20", "text"),
        ("2023-11-15T06:13:20+08:00", "text"),
        ("2023-11-14 16:43:20-0530", "text"),
        ("2023-11-14 22:13:20 UTC", "text"),
        ("20231114221320", "text"),
        ("2023年11月14日 22时13分20秒", "text"),
    ],
)
def test_time_units_are_detected(tmp_path: Path, cell: str, unit: str) -> None:
    log = from_text(tmp_path, f"user,item,time\n1,2,{cell}\n1,3,\n")
    assert (column(log, "time"), log.detected["time"]) == ([T0, None], unit)


@pytest.mark.parametrize("cell", ["2023-11-14", "20231114", "2023年11月14日", "2023-11-14 00:00"])
def test_days(tmp_path: Path, cell: str) -> None:
    assert column(from_text(tmp_path, f"user,item,date\n1,2,{cell}\n"), "time") == [T0 - T0 % 86_400]


@pytest.mark.parametrize("dtype", [pl.Datetime("ms"), pl.Datetime("ns"), pl.Datetime("us", "Asia/Shanghai"), pl.Date])
def test_time_types(tmp_path: Path, dtype: Any) -> None:
    moment = pl.Series([T0 * 10**6]).cast(pl.Datetime("us", "UTC"))
    moment = (
        moment.cast(dtype)
        if dtype != pl.Datetime("us", "Asia/Shanghai")
        else moment.dt.convert_time_zone("Asia/Shanghai")
    )
    pl.DataFrame({"user": [1], "item": [2], "time": moment}).write_parquet(tmp_path / "log.parquet")
    expected = T0 - T0 % 86_400 if dtype == pl.Date else T0
    log = read_log(settings(tmp_path / "log.parquet"))
    assert (column(log, "time"), log.detected["time"]) == ([expected], "datetime")


def test_time_unit_can_be_forced(tmp_path: Path) -> None:
    assert column(from_text(tmp_path, "user,item,time\n1,2,5000\n", time_unit="ms"), "time") == [5]


def test_unreadable_times_keep_their_text(tmp_path: Path) -> None:
    log = from_text(tmp_path, "user,item,time\n1,2,2023-11-14 22:13:20\n1,3,soon\n1,4, \n1,5,2023-02-30\n")
    assert column(log, "time") == [T0, None, None, None]
    assert column(log, "raw_time") == [None, "soon", None, "2023-02-30"]


def test_order_falls_back_to_position_and_file(tmp_path: Path) -> None:
    assert from_text(tmp_path, "user,item,position\n1,2,0\n").detected["order"] == "position"
    assert from_text(tmp_path, "user,item\n1,2\n").detected["order"] == "file"
    steps = from_text(tmp_path, "user,item,time\n1,2,0\n1,3,1\n")  # counts steps, is no clock
    assert (column(steps, "position"), steps.detected["order"]) == ([0, 1], "position")
    assert "time" not in steps.events.columns


def test_row_hash_is_of_the_whole_row(tmp_path: Path) -> None:
    log = from_text(tmp_path, "user,item,position,colour\n1,2,0,red\n1,2,0,red\n1,2,1,red\n1,2,0,blue\n")
    first, again, later, other = column(log, "row_hash")
    assert first == again
    assert len({first, later, other}) == 3


def test_behaviour_texts_of_one_user(tmp_path: Path) -> None:
    texts = [
        "浏览商品1",
        "购买商品2",
        "加购物车商品3",
        "收藏了商品1",
        " 点击：商品2 ",
        "view item 1",
        "Add to cart: item 2",
        "登录",
    ]
    rows = "".join(f"2024-03-01 10:{minute:02}:00,{text}\n" for minute, text in enumerate(texts))
    log = from_text(tmp_path, "时间,行为\n" + rows, single_user="A")
    assert column(log, "user") == ["A"] * 8
    assert column(log, "item") == ["商品1", "商品2", "商品3", "商品1", "商品2", "item 1", "item 2", None]
    event_types = clean(log, settings("log.csv")).events["event_type"].to_list()
    assert event_types == ["view", "purchase", "cart", "favorite", "click", "view", "cart"]


def test_behaviour_without_a_user_needs_one_named(tmp_path: Path) -> None:
    fails(tmp_path, "时间,行为\n2024-03-01 10:00:00,浏览商品1\n".encode(), "data.single_user")


def test_behaviour_in_unknown_words(tmp_path: Path) -> None:
    fails(tmp_path, "用户,行为\n1,试穿商品1\n".encode(), "'试穿商品1'.*data.event_type_map")
    log = from_text(tmp_path, "用户,行为\n1,试穿商品1\n", event_type_map=ConfigDict({"试穿": "view"}))
    assert column(log, "item") == ["商品1"]


def test_chinese_columns(tmp_path: Path) -> None:
    log = from_text(tmp_path, "用户,商品,时间,行为,金额\n张三,手机,2023-11-14 22:13:20,购买,99.5\n")
    assert log.events.select("user", "item", "time", "event_type", "value").rows() == [
        ("张三", "手机", T0, "购买", 99.5)
    ]


def test_a_row_per_user_and_step(tmp_path: Path) -> None:
    rows = ["1,2023-11-14 22:13:20,3,9.5,1,red,0", "1,2023-11-14 22:14:20,4,,x,red,1"]
    text = "\n".join(["user,time,clicks,price,value,colour,label", *rows])
    log = from_text(tmp_path, text)
    assert log.features == ("clicks", "price", "value_feature")
    assert log.events.schema["clicks"] == pl.Float32
    assert column(log, "price") == [9.5, None]
    assert column(log, "value_feature") == [1.0, None]
    assert (column(log, "item"), column(log, "label")) == (["step", "step"], [0, 1])
    assert log.events.schema["label"] == pl.Int8
    assert "value" not in log.events.columns


def test_a_row_per_step_of_one_user(tmp_path: Path) -> None:
    log = from_text(tmp_path, "time,a,b,label\n0,1,2,0\n1,3,4,1\n", features=("b",))
    assert (column(log, "user"), log.features, column(log, "b")) == (["user", "user"], ("b",), [2.0, 4.0])


def test_features_of_an_ordinary_log(tmp_path: Path) -> None:
    log = from_text(tmp_path, "user,item,weight\n1,2,3.5\n", features=("weight",))
    assert (log.features, column(log, "weight")) == (("weight",), [3.5])


def test_folder_with_item_table(tmp_path: Path) -> None:
    pl.DataFrame({"user_id": [1, 1], "item_id": pl.Series([5, 6], dtype=pl.Int32)}).write_parquet(
        tmp_path / "interactions.parquet"
    )
    items = pl.DataFrame(
        {"item_id": [5, 5, None], "title": ["a", "b", "c"], "category": [["x", "y"], ["x"], []], "year": [1, 2, 3]}
    )
    items.with_columns(tags=pl.Series([["t"]] * 3), price=pl.Series(["1.5", "", "?"])).write_parquet(
        tmp_path / "items.parquet"
    )
    table = read_log(settings(tmp_path)).items
    assert table is not None
    assert table.rows(named=True) == [{"item": 5, "title": "a", "category": "x", "price": 1.5, "year": 1}]
    assert table.schema["item"] == pl.Int32


def test_ids_of_log_and_item_table_meet(tmp_path: Path) -> None:
    (tmp_path / "interactions.csv").write_text("user_id,item_id\n1,5\n")
    pl.DataFrame({"item_id": ["5"], "title": ["a"]}).write_parquet(tmp_path / "items.parquet")
    log = read_log(settings(tmp_path))
    assert log.items is not None
    assert log.events.join(log.items, on="item")["title"].to_list() == ["a"]


def test_item_table_gathered_from_the_log(tmp_path: Path) -> None:
    log = from_text(tmp_path, "user,item,category,brand\n1,5,b,\n1,5,a,N\n1,6,c,\n1,5,b,\n1,,z,\n2,7,y,Q\n2,7,x,\n")
    assert log.items is not None
    assert log.items.rows() == [(5, "b", "N"), (6, "c", None), (7, "x", "Q")]


def test_item_column_regroups_items(tmp_path: Path) -> None:
    (tmp_path / "interactions.csv").write_text("user_id,item_id\n1,1\n1,2\n1,2\n1,3\n1,4\n1,9\n")
    (tmp_path / "items.csv").write_text(
        "item_id,title,category,price\n1,milk,cold,1\n2,milk,dairy,3\n3, ,dairy,1\n4,tea,z,2\n5,tea,a,4\n"
    )
    log = read_log(settings(tmp_path, item_column="title"))
    assert column(log, "item") == ["milk", "milk", "milk", None, "tea", None]
    assert column(log, "raw_item") == [None, None, None, "3", None, "9"]
    assert log.items is not None
    assert log.items.select("item", "title", "category", "price").rows() == [
        ("milk", "milk", "dairy", 2.0),  # two events of dairy milk against one of cold
        ("tea", "tea", "z", 3.0),
    ]
    category = {"1": "cold", "2": "dairy", "3": "dairy", "4": "z"}  # events of 1, 2, 2 and 4 have a title
    counted = {"1": "dairy", "2": "dairy", "4": "z"}
    events = ["1", "2", "2", "4"]
    moved = sum(category[event] != counted[event] for event in events) / len(events)
    assert f"would count {moved:.1%} of the events in another category" in notes(log, "grouped items")


@pytest.fixture(scope="module")
def tfds_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import numpy as np
    import tensorflow_datasets as tfds

    class TinyEvents(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")
        code_path = None  # where TFDS would look for checksums of downloads

        def _info(self) -> Any:
            features = tfds.features.FeaturesDict(
                {
                    "user_id": tfds.features.Text(),
                    "item_id": np.int64,
                    "timestamp": np.int64,
                    "tags": tfds.features.Tensor(shape=(None,), dtype=np.int64),
                }
            )
            return tfds.core.DatasetInfo(builder=self, features=features)

        def _split_generators(self, dl_manager: Any) -> Any:
            return {"train": self._generate_examples(range(3)), "test": self._generate_examples(range(3, 5))}

        def _generate_examples(self, numbers: Any) -> Any:
            for i in numbers:
                yield i, {"user_id": f"用户{i % 2}", "item_id": i, "timestamp": T0 + i, "tags": [1, 2]}

    folder = tmp_path_factory.mktemp("tfds")
    TinyEvents(data_dir=str(folder), file_format="array_record").download_and_prepare()
    return folder


def test_tfds(tfds_folder: Path) -> None:
    log = read_log(settings("tfds:tiny_events", tfds_dir=str(tfds_folder)))
    rows = log.events.sort("item").select("user", "item", "time").rows()
    assert rows == [(f"用户{i % 2}", i, T0 + i) for i in range(5)]
    assert "tags" not in log.events.columns


def test_tfds_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data\.tfds_dir"):
        read_log(settings("tfds:no_such_events", tfds_dir=str(tmp_path)))


def test_a_log_of_steps_says_so_and_what_could_be_its_items(tmp_path: Path) -> None:
    rows = "".join(f"u{i % 7},{i},{22589000 + i % 9},{i % 2},{i / 8}\n" for i in range(60))
    log = from_text(tmp_path, "uid,timestamp,campaign,conversion,cost\n" + rows)
    (asked,) = [note for note in log.detected["notes"] if note["topic"] == "items"]
    assert "each row is a step with a conversion, its numbers features" in asked["text"]
    assert "it could be campaign (9 values)" in asked["text"]
    assert (asked["warning"], asked["setting"]) == (True, "data.columns.item=...")
    assert {*log.detected["features"]} | {*log.detected["unused"]} == {"campaign", "cost"}


@pytest.mark.parametrize(
    ("name", "row", "part"),
    [
        ("log.csv", "u{0},a{0},2024-01-01,5", "u8,a"),
        ("log.jsonl", '{{"user": "u{0}", "item": "a{0}", "time": "2024-01-01"}}', '{"user": "u8", "it'),
    ],
)
def test_a_file_that_ends_within_its_last_row_is_asked_about(tmp_path: Path, name: str, row: str, part: str) -> None:
    rows = [row.format(i) for i in range(8)]
    header = ["user,item,time,value"] if name.endswith("csv") else []
    (tmp_path / name).write_text("\n".join([*header, *rows, part]))
    assert "the file ends within it: was it cut off?" in notes(read_log(settings(tmp_path / name)), "file")
    (tmp_path / name).write_text("\n".join([*header, *rows, part]) + "\n")
    assert "cut off" not in notes(read_log(settings(tmp_path / name)), "file")


def test_an_id_that_numbers_the_rows_of_each_file_joins_nothing(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("id,customer_id,created_at\n1,a,2024-01-01\n2,b,2024-01-02\n")
    (tmp_path / "order_items.csv").write_text("id,order_id,product_id\n1,1,x\n2,1,y\n3,2,x\n")
    with pytest.raises(UserError, match=r"join them by order_id .*left_on='order_id', right_on='id'"):
        read_log(settings(tmp_path))


def test_files_of_which_one_has_the_users_and_one_the_items_are_to_be_joined(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("order_id,customer_id,created_at\n1,a,2024-01-01\n2,b,2024-01-02\n")
    (tmp_path / "lines.csv").write_text("order_id,sku,price\n1,x,2.5\n1,y,3\n2,x,2.5\n")
    told = "orders.csv has the users and lines.csv the items: join them by order_id into one file"
    with pytest.raises(UserError, match=told):
        read_log(settings(tmp_path))


def test_a_file_that_tells_more_of_the_users_is_to_be_joined_too(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("order_id,customer_id,order_date\n1,a,2024-01-01\n")
    (tmp_path / "lines.csv").write_text("order_id,product_id,price\n1,x,2.5\n")
    (tmp_path / "customers.csv").write_text("customer_id,person_ref\na,p\n")
    with pytest.raises(UserError, match=r"and customers\.csv tells more of the users") as error:
        read_log(settings(tmp_path))
    assert str(error.value).endswith("on='order_id').join(polars.read_csv('customers.csv'), on='customer_id')")
