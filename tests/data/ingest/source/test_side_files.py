"""Files beside a log: read with the log's care, whatever is wrong with them is said in one sentence."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.builders import make_histories
from trajectory.data.context.campaigns import read_campaigns
from trajectory.data.context.demographics import read_demographics
from trajectory.data.context.promotions import read_promotions
from trajectory.data.ingest.source.side_files import as_known
from trajectory.insights.recommend.eligibility import eligible_items
from trajectory.migrations.groups import NONE, read_segments
from trajectory.schema import Histories, UserError
from trajectory.settings import base


def histories(users: list[Any], items: list[Any]) -> Histories:
    from dataclasses import replace

    made = make_histories([[1, 2, 3][: len(items)]] * len(users), num_items=len(items))
    table = made.items.with_columns(item=pl.Series(items))
    return replace(made, users=pl.DataFrame({"user": users}), items=table)


def stocked(keep: np.ndarray) -> list[int]:
    return np.flatnonzero(keep).tolist()


def test_leading_zeros_are_part_of_an_id_in_a_stock_list(tmp_path: Path) -> None:
    path = tmp_path / "stock.csv"
    path.write_text("item,stock\n007,3\n012,1\n")
    assert stocked(eligible_items(histories(["a"], ["007", "012", "x"]), stock=path)) == [1, 2]


def test_ids_that_lost_their_zeros_or_gained_a_decimal_are_known_again(tmp_path: Path) -> None:
    path = tmp_path / "stock.csv"
    path.write_text("item\n7\n12.0\n")
    assert stocked(eligible_items(histories(["a"], ["007", "012", "x"]), stock=path)) == [1, 2]
    assert stocked(eligible_items(histories(["a"], [7, 12, 13]), stock=path)) == [1, 2]


def test_rows_that_cannot_be_used_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "stock.csv"
    path.write_text("item;stock\na;3\nb;many\nc;1;2\nc;\n")
    assert stocked(eligible_items(histories(["u"], ["a", "b", "c"]), stock=path)) == [1]
    said = capsys.readouterr().out
    assert "1 of 4 rows" in said
    assert "c;1;2" in said
    assert "2 of 3 rows" in said
    assert "b, many" in said


def test_segments_of_users_with_leading_zeros(tmp_path: Path) -> None:
    path = tmp_path / "segments.tsv"
    path.write_text("customer_id\tsegment\n001\tnew\n002\tloyal\n002\tloyal\n")
    assert read_segments(path, histories(["001", "002", "003"], ["x"])).tolist() == ["new", "loyal", NONE]


def test_few_known_ids_are_said_with_examples(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "segments.csv"
    path.write_text("user,segment\na,new\nz1,new\nz2,old\n")
    assert read_segments(path, histories(["a", "b"], ["x"])).tolist() == ["new", NONE]
    assert "1 of the 3 users" in capsys.readouterr().out


def test_ids_meet_whatever_their_types() -> None:
    assert as_known(pl.Series(["7", "8", None]), pl.Series([7, 9])).to_list() == [7, None, None]
    assert as_known(pl.Series([7, 8]), pl.Series(["007", "8"])).to_list() == ["007", "8"]
    assert as_known(pl.Series([7.0, 1.5]), pl.Series([7, 9], dtype=pl.Int32)).to_list() == [7, None]


DAMAGE = {
    "empty": b"",
    "one line": b"user,item,segment,week\n",
    "other columns": b"colour,size\nred,1\n",
    "binary": b"\x00\x01\x02\x03" * 9,
    "no header": b"1,2,3\n4,5,6\n",
    "an open archive": b"PK\x03\x04rest",
    "cut off": gzip.compress(b"user,item,segment,week\n1,2,3,4\n")[:-9],
    "json of numbers": b"[1, 2, 3]",
    "no parquet": b"PAR1 no more",
    "all blank": b"user,item,segment,week\n,,,\n,,,\n",
}


@pytest.mark.parametrize("content", DAMAGE.values(), ids=DAMAGE)
def test_damaged_files_are_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    data = base().data
    data.source = str(tmp_path)
    names = (
        "demographics",
        "promotions_by_week",
        "campaigns",
        "campaign_descriptions",
        "coupons",
        "coupon_redemptions",
    )
    for name in ("file", *names):
        (tmp_path / f"{name}.csv").write_bytes(content)
    path, log = tmp_path / "file.csv", histories(["1"], ["2"])
    for read in (
        lambda: eligible_items(log, stock=path),
        lambda: read_segments(path, log),
        lambda: read_demographics(data),
        lambda: read_promotions(data),
        lambda: read_campaigns(data),
    ):
        with pytest.raises(UserError) as error:
            read()
        assert "\n" not in str(error.value)
        assert str(tmp_path) in str(error.value)


def test_tables_of_campaigns_and_households_may_be_csv(tmp_path: Path) -> None:
    (tmp_path / "campaigns.csv").write_text("campaign_id,household_id\n1,007\n1,008\n")
    (tmp_path / "campaign_descriptions.csv").write_text(
        "campaign_id,campaign_type,start_date,end_date\n1,A,2024-01-01,2024-01-31\n"
    )
    (tmp_path / "coupons.csv").write_text("campaign_id,coupon_upc,product_id\n1,9,70\n")
    (tmp_path / "coupon_redemptions.csv").write_text(
        "household_id,coupon_upc,campaign_id,redemption_date\n007,9,1,2024-01-05\n008,9,1,soon\n"
    )
    (tmp_path / "users.csv").write_text("household_id,age\n007,old\n008,young\n")
    data = base().data
    data.source = str(tmp_path)
    found = read_campaigns(data)
    assert found is not None
    assert found.recipients.rows() == [(1, "007"), (1, "008")]
    assert found.described.select("start", "stop").row(0) == (1_704_067_200, 1_704_067_200 + 31 * 86_400)
    assert found.redemptions["user"].to_list() == ["007"]
    households = read_demographics(data)
    assert households is not None
    assert households.rows() == [("007", "old"), ("008", "young")]
