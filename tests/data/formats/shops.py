"""Samples of behaviour in shops: Taobao, Tianchi, Tmall, Retailrocket, REES46, JData; and what they hold."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.data.formats.counting import Row, dicts, moment, split
from tests.data.formats.writing import ROWS, clock, write, write_csv


def taobao(folder: Path, rng: random.Random) -> Path:
    rows = [
        (
            rng.randint(1, 25),
            item,
            4000 + item % 6,
            rng.choice(["pv"] * 8 + ["buy", "cart", "fav"]),
            1_511_544_070 + i * 2500,
        )
        for i in range(ROWS)
        for item in [rng.randint(1, 60)]
    ]
    rows[5] = (*rows[5][:4], 2_122_867_200)  # 2037
    rows[6] = (*rows[6][:4], -1_494_000)
    write(folder / "UserBehavior.csv", rows)
    return folder / "UserBehavior.csv"


def tianchi_mobile(folder: Path, rng: random.Random) -> Path:
    rows = [
        (
            rng.randint(1, 25),
            item,
            rng.choice("1111234"),
            rng.choice(["", "97lk14c"]),
            item % 6,
            clock(1_416_000_000 + i * 7000, "%Y-%m-%d %H"),
        )
        for i in range(ROWS - 20)
        for item in [rng.randint(1, 40)]
    ]
    header = ["user_id", "item_id", "behavior_type", "user_geohash", "item_category", "time"]
    rows += [rows[0]] * 10 + [rows[1]] * 10  # the same several times within an hour
    write_csv(folder / "tianchi_mobile_recommend_train_user.csv", header, rows)
    return folder / "tianchi_mobile_recommend_train_user.csv"


def tmall(folder: Path, rng: random.Random) -> Path:
    days = ["0511", "829", "1031", "1111"]
    rows = [
        (
            rng.randint(1, 25),
            item,
            item % 7,
            rng.randint(1, 9),
            "" if item % 9 == 0 else f"{item % 5}.0",
            rng.choice(days),
            rng.choice("000123"),
        )
        for _ in range(ROWS)
        for item in [rng.randint(1, 50)]
    ]
    header = "user_id,item_id,cat_id,seller_id,brand_id,time_stamp,action_type"
    write(folder / "user_log_format1.csv", rows, header=header)
    write(folder / "user_info_format1.csv", [(i, 3, 1) for i in range(1, 26)], header="user_id,age_range,gender")
    return folder


def tmall_2016(folder: Path, rng: random.Random) -> Path:
    rows = [
        (
            rng.randint(1, 25),
            rng.randint(1, 9),
            item,
            item % 7,
            rng.choice("0001"),
            rng.choice(["20150701", "20151130"]),
        )
        for _ in range(ROWS)
        for item in [rng.randint(1, 50)]
    ]
    write(folder / "ijcai2016_taobao.csv", rows, header="use_ID,sel_ID,ite_ID,cat_ID,act_ID,time")
    return folder / "ijcai2016_taobao.csv"


def retailrocket(folder: Path, rng: random.Random) -> Path:
    rows = []
    for i in range(ROWS):
        word = rng.choice(["view"] * 6 + ["addtocart", "transaction"])
        order = 1000 + i if word == "transaction" else ""
        rows.append((1_433_221_332_117 + i * 3_000_017, rng.randint(1, 25), word, rng.randint(1, 40), order))
    write(folder / "events.csv", rows, header="timestamp,visitorid,event,itemid,transactionid")
    properties = []
    for item in range(1, 37):  # four items have no properties
        properties.append((1_435_460_400_000, item, "categoryid", 10 + item % 3))
        properties.append((1_431_226_800_000, item, "categoryid", 19))  # an earlier snapshot, later in the file
        properties.append((1_431_226_800_000, item, "790", "n277200.000"))
        properties.append((1_431_226_800_000, item, "888", "1116713 960601 n277.200"))
    header = "timestamp,itemid,property,value"
    write(folder / "item_properties_part1.csv", properties[:70], header=header)
    write(folder / "item_properties_part2.csv", properties[70:], header=header)
    tree = [(10, 1), (11, 1), (12, 2), (19, 2), (1, 0), (2, ""), (0, "")]
    write(folder / "category_tree.csv", tree, header="categoryid,parentid")
    return folder


def rees46(folder: Path, rng: random.Random) -> Path:
    words = ["view"] * 5 + ["cart", "remove_from_cart", "purchase"]
    rows = []
    for i in range(ROWS):
        item = rng.randint(1, 40)
        code = "" if item % 3 == 0 else f"electronics.kind{item % 4}"
        time = clock(1_569_888_000 + i * 1000) + " UTC"
        rows.append(
            (
                time,
                rng.choice(words),
                item,
                f"20530135556318826{item % 7:02d}",
                code,
                "acme",
                "35.79",
                rng.randint(1, 25),
                f"s{i}",
            )
        )
    header = "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session"
    write(folder / "2019-Oct.csv", rows, header=header)
    return folder / "2019-Oct.csv"


def jdata(folder: Path, rng: random.Random) -> Path:
    header = "user_id,sku_id,time,model_id,type,cate,brand"
    rows = [
        (
            f"{200_000 + rng.randint(1, 25)}.0",
            item,
            clock(1_454_284_800 + i * 4000),
            rng.choice(["", "216"]),
            rng.choice("1166662345"),
            item % 5,
            item % 8,
        )
        for i in range(ROWS - 15)
        for item in [rng.randint(1, 40)]
    ]
    rows = [*rows[:50], *[rows[49]] * 15, *rows[50:]]  # one click, logged again and again
    write(folder / "JData_Action_201602.csv", rows[:150], header=header)
    write(folder / "JData_Action_201603.csv", rows[150:], header=header)
    write(
        folder / "JData_User.csv",
        [(200_001, "26-35岁", 1, 3, "2016-01-26")],
        header="user_id,age,sex,user_lv_cd,user_reg_tm",
        encoding="gbk",
    )
    return folder


def read_taobao(folder: Path) -> Iterator[Row]:
    words = {"pv": "view", "buy": "purchase", "cart": "cart", "fav": "favorite"}
    for cells in split(folder / "UserBehavior.csv", ","):
        time = int(cells[4])
        aside = "impossible time" if time < 1_509_494_400 else "time in the future" if time > 1_514_764_799 else ""
        yield Row(cells[0], cells[1], words[cells[3]], time, cells[2], aside=aside, same=tuple(cells))


def read_tianchi(folder: Path) -> Iterator[Row]:
    words = {"1": "view", "2": "favorite", "3": "cart", "4": "purchase"}
    for row in dicts(folder / "tianchi_mobile_recommend_train_user.csv"):
        at, event_type = moment(row["time"], "%Y-%m-%d %H"), words[row["behavior_type"]]
        yield Row(row["user_id"], row["item_id"], event_type, at, row["item_category"], same=tuple(row.values()))


def read_tmall(folder: Path) -> Iterator[Row]:
    words = {"0": "click", "1": "cart", "2": "purchase", "3": "favorite"}
    for row in dicts(folder / "user_log_format1.csv"):
        at, event_type = moment("2014" + row["time_stamp"].zfill(4), "%Y%m%d"), words[row["action_type"]]
        yield Row(row["user_id"], row["item_id"], event_type, at, row["cat_id"], same=tuple(row.values()))


def read_retailrocket(folder: Path) -> Iterator[Row]:
    words = {"view": "view", "addtocart": "cart", "transaction": "purchase"}
    category: dict[str, tuple[int, str]] = {}
    for part in "12":
        for row in dicts(folder / f"item_properties_part{part}.csv"):
            if row["property"] == "categoryid":
                latest = (int(row["timestamp"]), row["value"])
                category[row["itemid"]] = max(category.get(row["itemid"], latest), latest)
    for row in dicts(folder / "events.csv"):
        interest = category.get(row["itemid"], (0, ""))[1]
        at = int(row["timestamp"]) // 1000
        yield Row(row["visitorid"], row["itemid"], words[row["event"]], at, interest, same=tuple(row.values()))


def read_rees46(folder: Path) -> Iterator[Row]:
    named: dict[str, Counter[str]] = {}
    table = dicts(folder / "2019-Oct.csv")
    for row in table:
        named.setdefault(row["product_id"], Counter())[row["category_code"] or row["category_id"]] += 1
    for row in table:
        interest = named[row["product_id"]].most_common(1)[0][0]
        at, price = moment(row["event_time"], "%Y-%m-%d %H:%M:%S UTC"), float(row["price"])
        event_type, same = row["event_type"], tuple(row.values())
        yield Row(row["user_id"], row["product_id"], event_type, at, interest, value=price, same=same)


def read_jdata(folder: Path) -> Iterator[Row]:
    words = ("", "view", "cart", "remove_from_cart", "purchase", "favorite", "click")
    for month in ("201602", "201603"):
        for row in dicts(folder / f"JData_Action_{month}.csv"):
            user, event_type = row["user_id"].removesuffix(".0"), words[int(row["type"])]
            yield Row(user, row["sku_id"], event_type, moment(row["time"]), row["cate"], same=tuple(row.values()))


def read_tmall_2016(folder: Path) -> Iterator[Row]:
    for row in dicts(folder / "ijcai2016_taobao.csv"):
        event_type, at = ("click", "purchase")[int(row["act_ID"])], moment(row["time"], "%Y%m%d")
        yield Row(row["use_ID"], row["ite_ID"], event_type, at, row["cat_ID"], same=tuple(row.values()))
