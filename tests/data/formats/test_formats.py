import itertools
import json
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.data.formats.counting import Counts
from tests.data.formats.page import PAGE, page
from tests.data.formats.samples import SAMPLES
from tests.data.ingest.test_log import settings
from trajectory.data.ingest.log import read_log
from trajectory.data.ingest.quality.cleaning import clean
from trajectory.data.ingest.quality.summary import summary
from trajectory.data.ingest.source.domains import resolve
from trajectory.data.store.arrays import flatten
from trajectory.data.store.builder import fingerprint
from trajectory.schema import CleanLog, UserError

CASES = Path(__file__).resolve().parents[4] / "shared" / "cases"


def written(name: str, folder: Path) -> Path:
    return SAMPLES[name].written(folder)


def cleaned(path: Path, **changes: Any) -> CleanLog:
    data = settings(path, **changes).lock()  # as the scripts have it
    return clean(read_log(data), data)


def counted(result: CleanLog) -> Counts:
    events, items = result.events, result.log.items
    interests = 0
    if items is not None and "category" in items.columns:
        there = items["item"].cast(pl.String).is_in(events["item"].cast(pl.String).unique().implode())
        interests = items.filter(there)["category"].drop_nulls().n_unique()
    times = events["time"] if "time" in events.columns else None
    return Counts(
        read=result.log.detected["rows"],
        folded=result.folded,
        aside=result.counts,
        users=events["user"].n_unique(),
        items=events["item"].n_unique(),
        types=dict(events["event_type"].value_counts().iter_rows()),
        interests=interests,
        pieces=events["quantity"].fill_null(1).sum() if "quantity" in events.columns else float(events.height),
        value=pytest.approx(events["value"].sum()) if "value" in events.columns else 0,
        span=(times.min(), times.max()) if times is not None else None,
    )


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_is_read_in_full_without_any_setting(name: str, tmp_path: Path) -> None:
    path = written(name, tmp_path)
    result, expected = cleaned(path), SAMPLES[name].counted(tmp_path)
    assert resolve(settings(path)).format == SAMPLES[name].format
    assert counted(result) == expected
    assert expected.read == expected.kept + expected.folded + sum(expected.aside.values())


def test_format_can_be_named_and_what_is_assumed_is_said(tmp_path: Path) -> None:
    path = written("tmall", tmp_path)
    result = cleaned(path, format="tmall")
    assert counted(result) == SAMPLES["tmall"].counted(tmp_path)
    said = summary(result)
    assert "Tmall (IJCAI-15) (tmall), known by the columns of user_log_format1.csv" in said
    assert "the year is taken as 2014" in said


def test_without_a_format_the_file_is_a_plain_table(tmp_path: Path) -> None:
    path = written("retailrocket", tmp_path) / "events.csv"
    log = read_log(settings(path, format=""))
    assert log.items is None
    assert resolve(settings(path, format="")) == settings(path, format="")


def test_own_log_has_no_format(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user_id,item_id,timestamp,event_type\n1,2,1700000000,view\n")
    assert resolve(settings(tmp_path / "log.csv")) == settings(tmp_path / "log.csv")
    assert resolve(settings(tmp_path)) == settings(tmp_path)


def test_unknown_format_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"did you mean 'movielens'\? Formats: movielens, amazon, .*steam"):
        read_log(settings(written("movielens_25m", tmp_path), format="movie_lens"))


def test_files_of_another_format_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"'otto' does not fit .*with the columns session, events.*found UserBehavior"):
        read_log(settings(written("taobao", tmp_path), format="otto"))


def test_a_file_that_is_needed_is_named(tmp_path: Path) -> None:
    written("instacart", tmp_path)
    (tmp_path / "orders.csv").unlink()
    with pytest.raises(UserError, match=r"Instacart needs orders\* beside order_products__prior.csv"):
        read_log(settings(tmp_path))


def test_what_is_set_by_hand_wins_over_the_format(tmp_path: Path) -> None:
    path = written("yoochoose", tmp_path)
    result = cleaned(path, interest_column="brand", event_type_map={"click": "view"}, columns={"value": "-"})
    assert set(result.events["event_type"]) == {"view", "purchase"}
    assert "value" not in result.events.columns
    assert result.log.items is not None
    assert result.log.items["brand"].drop_nulls().unique().to_list() == ["2089046"]


@pytest.mark.parametrize(
    ("name", "column", "interests"),
    [("tianchi_mobile", "item_category", 6), ("hm", "product_group_name", 1), ("mind", "subcategory", 12)],
)
def test_columns_of_the_files_keep_their_names(name: str, column: str, interests: int, tmp_path: Path) -> None:
    result = cleaned(written(name, tmp_path), interest_column=column)
    assert result.log.items is not None
    assert result.log.items[column].n_unique() == interests


def test_a_default_that_is_set_by_hand_wins_too(tmp_path: Path) -> None:
    data = settings(written("hm", tmp_path), by_hand=("baskets", "duplicates"))
    assert (resolve(data).baskets, resolve(data).duplicates) == (False, "auto")
    assert resolve(data).columns.user == "customer_id"


def test_names_given_to_the_columns_by_hand_make_it_a_plain_table(tmp_path: Path) -> None:
    path = written("taobao", tmp_path)
    data = settings(path, header=("user_id", "item_id", "c", "event_type", "timestamp"))
    assert resolve(data) == data
    assert clean(read_log(data), data).events.height > 290


def test_zipped_folder_of_a_format(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    written("retailrocket", tmp_path / "raw")
    shutil.make_archive(str(tmp_path / "archive"), "zip", tmp_path / "raw")
    assert counted(cleaned(tmp_path / "archive.zip")) == SAMPLES["retailrocket"].counted(tmp_path / "raw")


def test_broken_record_is_set_aside_with_its_text(tmp_path: Path) -> None:
    path = written("amazon_2023", tmp_path)
    lines = path.read_text().splitlines()
    lines[10] = lines[10][:100]
    path.write_text("\n".join(lines))
    result = cleaned(path)
    assert result.counts == {"malformed row": 1}
    assert result.quarantine["malformed"].to_list() == [lines[10]]


def test_an_event_sent_twice_is_one_and_equal_items_of_one_event_are_two(tmp_path: Path) -> None:
    path = written("ga4", tmp_path)
    record = json.loads(next(line for line in path.read_text().splitlines() if '"purchase"' in line))
    record["items"] = record["items"][:1] * 2
    path.write_text("\n".join([json.dumps(record)] * 2))
    result = cleaned(path)
    assert result.events.height == 2
    assert result.counts == {"duplicate": 2}


def test_damaged_first_line_does_not_hide_a_format(tmp_path: Path) -> None:
    path = written("taobao", tmp_path)
    path.write_text("900001,5000\n" + path.read_text())
    assert cleaned(path).counts["malformed row"] == 1


def test_files_that_are_no_part_of_the_log_are_named(tmp_path: Path) -> None:
    said = summary(cleaned(written("yoochoose", tmp_path)))
    assert "not read as log or item table: yoochoose-test.dat" in said


def test_records_may_lack_fields_and_come_as_parquet(tmp_path: Path) -> None:
    path = written("ga4", tmp_path)
    expected = SAMPLES["ga4"].counted(tmp_path)
    records = [json.loads(line) for line in path.read_text().splitlines()]
    records.sort(key=lambda record: len(record["items"]))
    path.write_text("\n".join(json.dumps({k: v for k, v in r.items() if k != "items" or v}) for r in records))
    assert counted(cleaned(path)) == expected
    reviews = written("amazon_2023", tmp_path)
    expected = SAMPLES["amazon_2023"].counted(tmp_path)
    pl.read_ndjson(reviews).write_parquet(tmp_path / "reviews.parquet")
    assert counted(cleaned(tmp_path / "reviews.parquet")) == expected


def test_flat_table_with_the_names_of_a_nested_format_stays_a_table(tmp_path: Path) -> None:
    (tmp_path / "ga4.csv").write_text(
        "event_timestamp,event_name,event_params,user_pseudo_id,item_id\n1609039659225742,view_item,[],1.2,SKU1\n"
    )
    assert resolve(settings(tmp_path / "ga4.csv")).format == "auto"


def test_json_array_is_read_as_json_lines_are(tmp_path: Path) -> None:
    path = written("ga4", tmp_path)
    expected = SAMPLES["ga4"].counted(tmp_path)
    records = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text(json.dumps(records, indent=1))
    assert counted(cleaned(path)) == expected


def test_rows_of_an_item_table_that_are_left_out_are_said(tmp_path: Path) -> None:
    path = written("movielens_1m", tmp_path)
    with (tmp_path / "movies.dat").open("a") as file:
        file.write("40::cut\n")
    assert "items: 1 malformed rows are left out, the first: '40::cut'" in summary(cleaned(path))


def test_an_item_table_beside_a_format_that_has_none_is_read_and_other_files_are_named(tmp_path: Path) -> None:
    path = written("rees46", tmp_path)
    before, items = (
        fingerprint(resolve(settings(tmp_path))),
        pl.read_csv(path, infer_schema=False)["product_id"].unique(),
    )
    items.to_frame().with_columns(title="product_id", category=pl.lit("all")).write_csv(tmp_path / "items.csv")
    (tmp_path / "stores.csv").write_text("store,city\n1,Rome\n")
    result = cleaned(tmp_path)
    assert result.log.items is not None
    assert set(result.log.items["category"]) == {"all"}
    assert "not read as log or item table: stores.csv" in summary(result)
    assert fingerprint(resolve(settings(tmp_path))) != before


def test_an_item_table_beside_a_format_without_categories_gives_interests(tmp_path: Path) -> None:
    path = written("online_retail", tmp_path)
    codes = pl.read_csv(path, infer_schema=False, encoding="latin-1")["StockCode"].unique()
    codes.to_frame().with_columns(category=pl.lit("all")).write_csv(tmp_path / "items.csv")
    result = cleaned(tmp_path)
    assert flatten(result, resolve(settings(tmp_path)), "shop").interests == ("all",)


def test_postage_discounts_and_what_is_charged_by_hand_are_no_sales_of_an_online_retailer(tmp_path: Path) -> None:
    path = written("online_retail", tmp_path)
    goods = cleaned(path).events.height
    line = "536365,{},{},1,12/1/2010 8:26,18,12341,France\n"
    with path.open("a", encoding="latin-1") as file:
        file.writelines(line.format(*cells) for cells in (("POST", "POSTAGE"), ("M", "Manual"), ("D", "Discount")))
    types = dict(cleaned(path).types.select("type", "rows").iter_rows())
    assert types["service_line"] == 3
    assert sum(types.values()) == goods + 3


def test_old_column_spellings_are_known(tmp_path: Path) -> None:
    path = written("online_retail_2", tmp_path) / "Year 2009-2010.csv"
    path.write_text(path.read_text().replace("Customer ID", "Customer_ID", 1))
    assert resolve(settings(path)).format == "online_retail"
    assert cleaned(path).events["user"].n_unique() > 1


def test_changed_items_change_the_fingerprint(tmp_path: Path) -> None:
    path = written("movielens_1m", tmp_path)
    before = fingerprint(resolve(settings(path)))
    (tmp_path / "users.dat").write_text("")
    assert fingerprint(resolve(settings(path))) == before
    (tmp_path / "movies.dat").write_text("1::Other::War\n")
    assert fingerprint(resolve(settings(path))) != before


def histories(path: Path) -> list[list[Any]]:
    """Items of each user, in the order of their histories."""
    data = resolve(settings(path))
    result = flatten(clean(read_log(data), data), data)
    names = result.items["item"].to_list()
    items = [names[i - 1] for i in result.item.tolist()]
    return [items[a:b] for a, b in itertools.pairwise(result.offsets.tolist())]


def test_diginetica_is_in_the_order_of_its_sessions(tmp_path: Path) -> None:
    path = written("diginetica", tmp_path)
    rows = []
    for file, time in (("train-item-views.csv", 3), ("train-purchases.csv", 2)):
        for line in (path / file).read_text().splitlines()[1:]:
            cells = line.split(";")
            rows.append((int(cells[0]), int(cells[time]), int(cells[2 if time == 3 else 5])))
    sessions = itertools.groupby(sorted(rows), key=lambda row: row[0])
    assert histories(path) == [[item for *_, item in session] for _, session in sessions]


def test_mind_begins_with_what_was_clicked_before(tmp_path: Path) -> None:
    path = written("mind", tmp_path)
    expected: dict[str, list[set[str]]] = {}
    rows = [line.split("\t") for line in (path / "behaviors.tsv").read_text().splitlines()]
    for _, user, _, past, _ in rows:
        expected.setdefault(user, [{news} for news in past.split()])
    for _, user, _, _, shown in sorted(rows, key=lambda row: datetime.strptime(row[2], "%m/%d/%Y %I:%M:%S %p")):
        expected[user].append({news[:-2] for news in shown.split(" ") if news.endswith("-1")})
    for items, (_, steps) in zip(histories(path), sorted(expected.items()), strict=False):
        for clicked in filter(None, steps):  # those of one impression have no order
            assert {items.pop(0) for _ in clicked} == clicked
        assert not items


def test_instacart_orders_are_baskets_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    data = resolve(settings(written("instacart", tmp_path)))
    result = flatten(clean(read_log(data), data), data)
    assert result.baskets
    number = pl.read_csv(tmp_path / "orders.csv")
    lines = pl.concat([pl.read_csv(tmp_path / f"order_products__{part}.csv") for part in ("prior", "train")])
    first = lines.join(number, on="order_id").filter(user_id=1).sort("order_number").head(3)["product_id"]
    bought = result.items["item"].gather(result.item[:3] - 1)
    assert set(bought) == set(first)
    assert result.step[:6].tolist() == [0, 0, 0, 1, 1, 1]


@pytest.mark.skipif(not CASES.is_dir(), reason="no cases beside the repository")
@pytest.mark.parametrize(
    ("file", "form", "rows"),
    [
        ("2019-Oct.csv", "rees46", 320),
        ("All_Beauty.jsonl", "amazon", 320),
        ("OnlineRetail_iso.csv", "online_retail", 601),
        ("OnlineRetail_uk.csv", "online_retail", 601),
        ("UserBehavior.csv", "taobao", 320),
        ("tianchi_mobile_min.csv", "tianchi_mobile", 400),
        ("train-item-views.csv", "diginetica", 320),
        ("transactions_train.csv", "hm", 508),
        ("ratings.dat", "movielens", 320),
        ("toy.inter", "recbole", 320),
    ],
)
def test_cases_are_found_and_read_in_full(file: str, form: str, rows: int) -> None:
    assert resolve(settings(CASES / file)).format == form
    result = cleaned(CASES / file)
    assert result.log.detected["rows"] == rows
    assert result.events.height + result.folded > 0.7 * rows


def test_page_of_formats_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "write it anew: python -m tests.data.formats.page"


def test_it_is_said_which_columns_the_format_names(tmp_path: Path) -> None:
    found_by = read_log(
        settings(written("rees46", tmp_path), columns={"value": "price", "basket": "user_session"})
    ).detected["found_by"]
    assert (found_by["user"], found_by["time"], found_by["basket"]) == ("format", "format", "set by hand")
