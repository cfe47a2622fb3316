from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from tests.baselines.test_next_item import BASKETS, hold_out
from tests.builders import make_histories
from trajectory.baselines.next_item import baselines
from trajectory.data.pipeline import splits
from trajectory.evaluation.protocol import evaluate, measure, protocol, statement, table
from trajectory.protocols import Scores
from trajectory.schema import Histories, Queries
from trajectory.settings import base


class Oracle:
    """Knows the next item of a query."""

    name, batch, log_probabilities = "oracle", None, False

    def __init__(self, h: Histories) -> None:
        self.h = h

    def score(self, queries: Queries) -> Scores:
        scores = np.zeros((len(queries.user), self.h.num_items + 1), np.float32)
        scores[np.arange(len(scores)), self.h.item[queries.stop]] = 1
        return Scores(scores)


@pytest.fixture(scope="module")
def evaluation() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    h = make_histories([(1 + rng.permutation(30)[: rng.integers(3, 10)]).tolist() for _ in range(60)], num_items=30)
    c = base()
    c.evaluation.bootstrap = 100
    split = hold_out(h)
    rows = measure({baseline.name: baseline for baseline in baselines(h, split, c)}, h, split, c)
    return evaluate(Oracle(h), rows, h, split, c, checkpoint="best of validation ndcg@10, epoch 3")[0]


def test_layout(evaluation: dict[str, Any]) -> None:
    assert set(evaluation) == {"metrics", "baselines", "confidence_intervals", "paired", "protocol"}
    names = {"popularity", "recent_popularity", "markov", "co_occurrence"}
    names |= {"interest_popularity", "personal_interest_frequency", "last_interest"}
    assert set(evaluation["baselines"]) == set(evaluation["confidence_intervals"]["baselines"]) == names
    for part in ("validation", "test"):
        assert evaluation["metrics"][part]["ndcg@10"] == 1
        assert evaluation["confidence_intervals"][part]["ndcg@10"] == {"low": 1, "high": 1, "standard_error": 0}
        baseline, interval = (
            evaluation["baselines"]["popularity"][part],
            evaluation["confidence_intervals"]["baselines"]["popularity"][part],
        )
        assert interval["hr@10"]["low"] < baseline["hr@10"] < interval["hr@10"]["high"]
        assert set(interval) == set(baseline) - {"catalogue_coverage@10"}
        assert set(evaluation["baselines"]["last_interest"][part]) == {"interest_accuracy"}
    assert json.loads(json.dumps(evaluation, allow_nan=False)) == evaluation


def test_the_model_meets_the_best_baseline_of_each_metric(evaluation: dict[str, Any]) -> None:
    paired = evaluation["paired"]["test"]
    assert set(paired) == {"hr@10", "ndcg@10", "mrr@10"}  # the model says nothing of interests
    for metric, test in paired.items():
        best = max(by["test"].get(metric, 0) for by in evaluation["baselines"].values())
        assert evaluation["baselines"][test["baseline"]]["test"][metric] == best
        assert test["difference"] == pytest.approx(1 - best)
        assert test["p_value"] == pytest.approx(1 / 101)


@pytest.mark.parametrize(
    ("candidates", "seen", "said"), [(10, "keep", True), (10, "filter", False), (51, "keep", False)]
)
def test_lists_of_all_candidates_are_said_to_tell_nothing(evaluation, candidates, seen, said) -> None:
    facts = evaluation["protocol"] | {"candidates": candidates, "seen": seen}
    assert ("a list of 10 holds all candidates" in " ".join(statement(facts, "test"))) == said


def test_protocol_states_what_was_done(evaluation: dict[str, Any]) -> None:
    facts = evaluation["protocol"]
    assert facts["split"] == "leave_one_out"
    assert facts["users"] == facts["targets"] == {"validation": 60, "test": 60}
    assert facts["cold_targets"] == {"validation": 0, "test": 0}
    assert facts["candidates"] == 30
    assert "no sampling, without" in facts["candidate_rule"]
    assert facts["checkpoint"] == "best of validation ndcg@10, epoch 3"
    assert {"fingerprint", "guarantee", "ties", "seen", "seed", "confidence_intervals", "cold_rule"} <= set(facts)


def test_protocol_counts_cold_targets() -> None:
    h = dataclasses.replace(BASKETS, num_items=3)  # item 4, asked of user 1 at test, is cold
    c = base()
    c.evaluation.seen = "keep"
    facts = protocol(h, hold_out(h), c)
    assert facts["cold_targets"] == {"validation": 0, "test": 1}
    assert "no sampling, with the" in facts["candidate_rule"]


def test_an_item_that_is_asked_for_twice_is_said_to_count_once() -> None:
    lists, steps = [[1, 2, 3, 3], [1, 2, 2, 1]], [[0, 1, 2, 2], [0, 1, 2, 2]]
    h = make_histories(lists, steps=steps, num_items=3)
    c = base()
    facts = protocol(h, hold_out(h), c)
    asked = [[item for item, step in zip(*user, strict=True) if step == 2] for user in zip(lists, steps, strict=True)]
    assert facts["targets"]["test"] == sum(map(len, asked))
    assert facts["target_items"]["test"] == sum(len(set(items)) for items in asked)
    facts["ties"] = facts["log_loss"] = ""
    assert "count each item of a user once: 3" in " ".join(statement(facts, "test"))
    assert "count each item" not in " ".join(statement(facts, "validation"))


def test_users_that_are_not_measured_are_said() -> None:
    h = make_histories([[1, 2, 3], [1, 2], [3]], num_items=3)  # leave_one_out needs three steps
    facts = protocol(h, splits.split(h, base().split)[1], base())
    facts["checkpoint"] = "best"
    assert "1 of 3 users (the others have too few steps to hold any out)" in " ".join(statement(facts, "test"))
    assert "1 users (" not in " ".join(statement(facts | {"log_users": 1}, "test"))
    facts["split"] = "temporal"
    assert "(the others have nothing that is predicted in the held-out window, or no event before it)" in " ".join(
        statement(facts, "test")
    )


@pytest.mark.parametrize("seen", ["filter", "keep"])
def test_protocol_counts_repeat_targets_and_users_with_nothing_left(seen: str) -> None:
    h = make_histories([[1, 2, 3, 1], [1, 2, 1, 3], [1, 2, 1, 3, 2]], num_items=3)
    c = base()
    c.evaluation.seen = seen
    split = hold_out(h)
    rows = measure({baseline.name: baseline for baseline in baselines(h, split, c)}, h, split, c)
    found, _ = evaluate(Oracle(h), rows, h, split, c)
    facts = found["protocol"]
    assert facts["repeat_targets"] == {"validation": 1, "test": 2}, "users 1 and 2 are asked for what they have had"
    assert facts["repeat_share"]["test"] == pytest.approx(2 / 3)
    assert facts["nothing_left"] == {"validation": 0, "test": 2 if seen == "filter" else 0}
    assert found["metrics"]["test"]["hr@1"] == pytest.approx(1 / 3 if seen == "filter" else 1)
    text = table(found)
    assert "2 repeat targets (66.7%" in text
    assert ("2 users with nothing left" in text) == (seen == "filter")
    assert ("before seen items leave" in text) == (seen == "filter")


@pytest.mark.parametrize("target", ["first", "last", "all"])
def test_several_held_out_steps_are_said_to_be_one_set_of_targets(target: str) -> None:
    lists = [[1, 2, 1, 1, 2, 2], [2, 1, 2, 2, 1, 2, 1, 1]]  # an event an hour from midnight on
    c = base()
    c.split.kind, c.split.cut, c.split.target = "temporal", "2024-01-01T03:00", target
    h, held_out = splits.split(make_histories(lists), c.split)
    rows = measure({baseline.name: baseline for baseline in baselines(h, held_out, c)}, h, held_out, c)
    text = table(evaluate(Oracle(h), rows, h, held_out, c)[0])
    after = [len(user) - 3 for user in lists]
    several = f"all held-out events as one set ({sum(after) / 2:.1f} on average, at most {max(after)})"
    assert (several in text) == (target == "all")
    assert ("Targets of a user are the next event." in text) == (target == "first")
    assert ("Targets of a user are the last event of the window, with all before it read." in text) == (
        target == "last"
    )


def test_table_is_markdown(evaluation: dict[str, Any]) -> None:
    text = table(evaluation)
    lines = text.splitlines()
    assert lines[0].replace(" ", "") == "||hr@10|ndcg@10|mrr@10|interest_accuracy|catalogue_coverage@10|"
    assert set(lines[1]) == set("|-:")
    rows = [line for line in lines if line.startswith("| ")]
    assert len({len(line) for line in [*rows, lines[1]]}) == 1  # aligned
    assert rows[1].split()[:4] == ["|", "model", "|", "1.0000"]
    assert len(rows) == 2 + len(evaluation["baselines"])
    assert "model - " in text
    assert "epoch 3" in text
    assert "60 users" in text


def test_table_shows_conversion_that_was_added(evaluation: dict[str, Any]) -> None:
    more = json.loads(json.dumps(evaluation))
    more["metrics"]["test"]["conversion_auc"] = 0.75
    more["baselines"]["base rate"] = {"test": {"conversion_auc": 0.5}}
    lines = table(more).splitlines()
    assert "conversion_auc" in lines[0]
    assert "0.7500" in lines[2]
    assert lines[len(more["baselines"]) + 2].split()[:3] == ["|", "base", "rate"]


@pytest.mark.parametrize(
    ("kind", "converting", "told"),
    [
        ("leave_one_out", 20, "51 of 826 events of test have a label, 20 of them convert\n"),
        (
            "leave_one_out",
            0,
            "0 of them convert: without both kinds nothing is measured (split.kind=temporal asks more",
        ),
        ("temporal", 51, "51 of them convert: without both kinds nothing is measured\n"),
    ],
)
def test_table_says_of_how_many_events_conversion_is(
    evaluation: dict[str, Any], kind: str, converting: int, told: str
) -> None:
    more = json.loads(json.dumps(evaluation))
    events = {"asked": 826, "labelled": 51, "converting": converting}
    more["protocol"] |= {"split": kind, "conversion": "does a purchase follow an event within 1 day"}
    more["protocol"]["conversion_events"] = {"test": events}
    assert told in table(more)


def test_table_of_baskets_shows_repeat_and_explore() -> None:
    c = base()
    c.evaluation.update({"bootstrap": 10, "seen": "keep", "cutoffs": (1, 2)})
    split = hold_out(BASKETS)
    rows = measure({baseline.name: baseline for baseline in baselines(BASKETS, split, c)}, BASKETS, split, c, ("test",))
    evaluation, _ = evaluate(Oracle(BASKETS), rows, BASKETS, split, c, parts=("test",))
    assert set(evaluation["metrics"]) == {"test"}
    header = table(evaluation).splitlines()[0]
    assert "recall@2_repeat" in header
    assert "recall@2_explore" in header
