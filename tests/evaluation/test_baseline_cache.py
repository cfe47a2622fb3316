from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ml_collections import ConfigDict

from tests.baselines.test_next_item import hold_out
from tests.builders import random_histories
from trajectory import digest
from trajectory.baselines.next_item import baselines
from trajectory.evaluation import baseline_cache as module
from trajectory.evaluation.baseline_cache import baseline_results
from trajectory.evaluation.protocol import measure
from trajectory.schema import ItemContent
from trajectory.settings import base

LOG = random_histories(30, 12, 7)
COLD = np.arange(13) > 9
CONTENT = ItemContent({"text": np.eye(13, dtype=np.float32)}, {}, np.zeros((13, 1), np.float32))


@pytest.fixture
def config(tmp_path: Path) -> ConfigDict:
    c = base()
    c.data.prepared_dir = str(tmp_path / "prepared")
    return c


@pytest.fixture
def measured(monkeypatch) -> list[list[str]]:
    """The baselines of each time that they were measured, in order."""
    times: list[list[str]] = []

    def counted(scorers: dict[str, Any], *rest: Any) -> Any:
        times.append(list(scorers))
        return measure(scorers, *rest)

    monkeypatch.setattr(module, "measure", counted)
    return times


def test_what_is_kept_is_what_was_measured(config, measured):
    split = hold_out(LOG)
    rows = {baseline.name: baseline for baseline in baselines(LOG, split, config, CONTENT)}
    expected = measure(rows, LOG, split, config, cold=COLD)
    for _ in range(2):
        found = baseline_results(LOG, split, config, CONTENT, COLD)
        assert {name: set(by) for name, by in found.items()} == {name: {"validation", "test"} for name in rows}
        for name, by_part in expected.items():
            for part, result in by_part.items():
                assert found[name][part].overall == result.overall
                assert set(found[name][part].per_user) == set(result.per_user)
                for metric, values in result.per_user.items():
                    np.testing.assert_array_equal(found[name][part].per_user[metric], values)
    assert measured == [list(rows)]
    assert "catalogue_coverage@10" in found["popularity"]["test"].overall
    assert "hr@10_cold" in found["popularity"]["test"].per_user


def test_all_that_decides_the_results_decides_whether_they_are_shared(config, measured, monkeypatch):
    split = hold_out(LOG)
    earlier = dataclasses.replace(split, train_end=split.train_end - 1)
    short = dataclasses.replace(split, test=split.test.__class__(*(column[:9] for column in split.test)))
    other = ItemContent({"text": CONTENT.vectors["text"][::-1]}, {}, CONTENT.frozen)
    later = dataclasses.replace(LOG, time=LOG.time + np.arange(LOG.num_events))
    cases = [
        (LOG, split, None, None),
        (LOG, split, None, COLD),
        (LOG, split, CONTENT, COLD),
        (LOG, split, other, COLD),
        (LOG, earlier, None, None),
        (LOG, short, None, None),
        (later, split, None, None),
        (dataclasses.replace(LOG, fingerprint="other"), split, None, None),
    ]
    for number, (h, parts, content, cold) in enumerate(cases, 1):
        for _ in range(2):
            baseline_results(h, parts, config, content, cold)
        assert len(measured) == number, f"case {number}"
    config.evaluation.cutoffs = (3,)
    assert "hr@3" in baseline_results(LOG, split, config)["markov"]["test"].per_user
    monkeypatch.setattr(digest, "of_code", lambda rooms: "other")
    baseline_results(LOG, split, config)
    assert len(measured) == len(cases) + 2


def test_a_log_of_many_domains_has_a_long_name(config, measured):
    many = dataclasses.replace(LOG, name="+".join(["amazon_beauty"] * 30))
    for _ in range(2):
        baseline_results(many, hold_out(many), config)
    assert len(measured) == 1


def test_a_folder_that_cannot_be_written_costs_no_results(config, measured, capsys):
    Path(config.data.prepared_dir).write_text("a file")
    assert baseline_results(LOG, hold_out(LOG), config)["markov"]["test"].per_user
    assert "not kept" in capsys.readouterr().out
