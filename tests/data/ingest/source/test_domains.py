from pathlib import Path

import polars as pl
import pytest
from ml_collections import ConfigDict

from trajectory.data.ingest.items.table import read_items
from trajectory.data.ingest.log import read_log
from trajectory.data.ingest.quality.cleaning import clean
from trajectory.data.ingest.source import domains
from trajectory.presets.pretrain import SOURCES
from trajectory.schema import UserError
from trajectory.settings import base

# rows, users, items as the data sets' own pages state them
PUBLISHED = {
    "amazon_beauty": (198_502, 22_363, 12_101),
    "amazon_books": (517_167, 38_234, 38_519),
    "amazon_clothing": (277_534, 39_230, 22_948),
    "amazon_electronics": (241_198, 28_566, 15_743),
    "amazon_health": (343_831, 38_329, 18_427),
    "amazon_sports": (296_337, 35_598, 18_357),
    "amazon_video_games": (453_637, 50_597, 16_874),
    "food_com": (555_618, 17_813, 41_240),
    "lastfm": (52_551, 1_090, 3_646),
    "movielens_100k": (100_000, 943, 1_682),
    "movielens_1m": (999_611, 6_040, 3_416),
    "nowplaying_sessions": (1_057_684, 142_556, 60_416),
    "retailrocket_sessions": (710_586, 130_903, 36_968),
    "stackoverflow_badges": (327_487, 4_468, 22),
    "synthea_health": (38_434, 986, 272),
    "taobao_behavior": (84_252, 814, 55_209),
    "tmall_sessions": (443_479, 66_313, 40_727),
    "yoochoose_buys": (292_230, 43_107, 4_659),
    "yoochoose_clicks": (145_716, 17_744, 5_630),
}


def settings(source: str) -> ConfigDict:
    data = base().data
    data.source = source
    return data


def test_every_published_domain_is_known() -> None:
    assert set(domains.known()) == {*PUBLISHED, "complete_journey"}


def test_resolve_fills_defaults_and_keeps_what_was_set() -> None:
    data = settings("complete_journey")
    data.columns.value = "quantity"
    data.interest_column = "department"
    filled = domains.resolve(data)
    assert (filled.item_column, filled.baskets, filled.columns.user) == ("title", True, "household_id")
    assert (filled.columns.value, filled.interest_column) == ("quantity", "department")
    assert filled.event_type_map.to_dict() == {"": "purchase"}
    assert (filled.columns.quantity, filled.duplicates) == ("quantity", "drop")  # as published
    assert domains.resolve(settings("synthea_health")).event_types.condition == "input,target"
    assert domains.resolve(filled) == filled
    assert data.item_column == ""  # the given config is not changed


def test_resolve_leaves_other_sources_alone() -> None:
    assert domains.resolve(settings("some/log.csv")) == settings("some/log.csv")


def test_resolve_orders_by_position_only_where_that_is_the_benchmark() -> None:
    orders = {name: domains.resolve(settings(name)).order for name in domains.known()}
    assert {name for name, order in orders.items() if order == "position"} == {
        "amazon_beauty",
        "amazon_sports",
        "lastfm",
    }


def test_time_orders_a_benchmark_too_if_it_is_asked_for() -> None:
    data = settings("amazon_beauty")
    data.order = "time"
    assert domains.resolve(data).order == "time"


def test_locate_prefers_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lastfm").mkdir()
    monkeypatch.setenv("TRAJECTORY_DATA", str(tmp_path))
    assert domains.locate("lastfm") == tmp_path / "lastfm"


def test_locate_finds_the_data_beside_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shared" / "data" / "lastfm").mkdir(parents=True)
    (tmp_path / "work").mkdir()
    monkeypatch.delenv("TRAJECTORY_DATA", raising=False)
    monkeypatch.setattr(
        domains, "__file__", str(tmp_path / "elsewhere" / "trajectory" / "data" / "ingest" / "source" / "domains.py")
    )
    monkeypatch.chdir(tmp_path / "work")
    assert domains.locate("lastfm") == tmp_path / "shared" / "data" / "lastfm"


def test_locate_says_where_it_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domains, "__file__", str(tmp_path / "trajectory" / "data" / "ingest" / "source" / "domains.py"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="set the environment variable TRAJECTORY_DATA"):
        domains.locate("lastfm")


def test_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(UserError, match=r"movielens_1m.*path of a CSV"):
        read_log(settings("movielens1m"))


def found(name: str) -> str:
    try:
        domains.locate(name)
    except UserError as error:
        pytest.skip(f"no real data: {error}")
    return name


@pytest.mark.parametrize("name", PUBLISHED)
def test_real_domain_reads_in_full(name: str) -> None:
    data = settings(found(name))
    result = clean(read_log(data), data)
    events = result.events
    assert (events.height, events["user"].n_unique(), events["item"].n_unique()) == PUBLISHED[name]
    assert result.quarantine.is_empty()
    timeless = 155 if name == "amazon_beauty" else 0  # 31 users of amazon_beauty have no time at all
    assert "time" not in events.columns or events["time"].null_count() == timeless


def test_complete_journey_reads_from_its_package() -> None:
    data = settings(found("complete_journey"))
    result = clean(read_log(data), data)
    assert result.log.detected["rows"] == 1_469_307
    assert result.counts == {"missing item": 6_310}  # 4,836 of products without a record, 1,474 without a type
    assert set(result.quarantine["reason"]) == {"missing item"}
    assert result.quarantine["item"].null_count() == 0  # the product's number, since it has no type
    assert result.events["item"].n_unique() == 2_242
    assert set(result.events["event_type"].unique()) == {"purchase"}
    assert result.log.items is not None
    assert result.log.items.filter(item="ICE - CRUSHED/CUBED")["category"].to_list() == ["FRZN ICE"]


def test_complete_journey_by_product() -> None:
    data = settings(found("complete_journey"))
    data.item_column = "item"
    log = read_log(data)
    assert log.events["item"].n_unique() == 68_509
    assert log.events["item"].dtype.is_integer()


@pytest.mark.parametrize("source", [*SOURCES["all"], "movielens_100k"])
def test_of_every_domain_that_is_learned_from_something_is_known_of_its_items(source: str) -> None:
    folder = domains.locate(found(source))
    table = folder / "items.parquet"
    items = read_items(pl.read_parquet(table)) if table.exists() else read_log(settings(source)).items
    known = [name for name in ("title", "category") if name in items.columns]
    assert known
    assert items.select(pl.any_horizontal(pl.col(known).is_not_null()).mean()).item() > 0.95
