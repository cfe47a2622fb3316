"""Amounts of several currencies are told by the pages that add them up."""

import pytest

from tests.raw_logs import settings
from trajectory.data.store.builder import prepare
from trajectory.insights.currencies import mixed_currencies


@pytest.mark.parametrize(
    ("second", "said"),
    [("CHF", "Currency has 2 currencies (EUR 2x, CHF 1x), whose amounts are added up as they are"), ("EUR", "")],
)
def test_what_was_said_when_the_log_was_prepared(tmp_path, second, said):
    log = tmp_path / "log.csv"
    log.write_text(f"user_id,item_id,amount,currency\n1,1,3,EUR\n1,2,3,{second}\n2,2,3,EUR\n")
    data = settings(log, prepared_dir=str(tmp_path / "prepared"))
    assert mixed_currencies(prepare(data), data).startswith(said)
    assert bool(mixed_currencies(prepare(data), data)) == bool(said)
