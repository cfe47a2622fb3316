from __future__ import annotations

from typing import Any

import polars as pl

from trajectory.insights.recommend.reasons import reasons


def test_empty_lists_need_no_reasons():
    nobody: Any = None
    lists = pl.DataFrame(schema={"user": pl.String, "item": pl.String, "rank": pl.Int64})
    assert reasons(nobody, nobody, lists).schema == {**lists.schema, "because": pl.String}
