from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tests.builders import make_histories
from trajectory.explain.targets import Target, choose_targets, read_target
from trajectory.inference.new_users import whole_histories
from trajectory.schema import UserError

LOG = make_histories([[1, 4, 2], [3, 3, 2, 6]], num_items=6)  # interests 1 1 2 and 3 3 2 3
QUERIES = whole_histories(LOG)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("", Target("interest")),
        ("item", Target("item")),
        ("item=i4", Target("item", 4)),
        ("interest=c2", Target("interest", 2)),
        ("migration=c3>c1", Target("migration", 1, 3)),
        ("conversion", Target("conversion")),
    ],
)
def test_words_name_the_target(text: str, target: Target) -> None:
    assert read_target(text, LOG) == target


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("magic", "unknown; expected one of item"),
        ("magic=c1", "unknown"),
        ("conversion=c1", "unknown"),
        ("item=", "no such"),
        ("item=i9", "no such item among the 6"),
        ("interest=x", "none of the 3 interests"),
        ("migration=c1", "with > b"),
    ],
)
def test_what_the_log_does_not_have_is_refused(text: str, problem: str) -> None:
    with pytest.raises(UserError, match=problem):
        read_target(text, LOG)


@pytest.mark.parametrize(("text", "interests"), [("interest", 0), ("migration", 0), ("migration", 1)])
def test_targets_between_interests_need_them(text: str, interests: int) -> None:
    few = replace(LOG, interests=LOG.interests[:interests])
    with pytest.raises(UserError, match=f"has {interests}; --target=item explains items"):
        read_target(text, few)
    assert read_target("", replace(LOG, interests=())) == Target("item")


def test_the_most_likely_is_chosen_where_nothing_is_named() -> None:
    log_p = np.log(np.array([[0.9, 0.01, 0.03, 0.02, 0.01, 0.02, 0.01], [0.1, 0.1, 0.4, 0.1, 0.1, 0.15, 0.05]]))
    assert choose_targets(Target("item"), LOG, QUERIES, log_p, "keep", 1.0)[0].tolist() == [2, 2]
    assert choose_targets(Target("item"), LOG, QUERIES, log_p, "filter", 1.0)[0].tolist() == [3, 5]
    assert choose_targets(Target("item", 4), LOG, QUERIES, log_p, "filter", 1.0)[0].tolist() == [4, 4]
    index, source = choose_targets(
        Target("migration"), LOG, QUERIES, np.log([[0.1, 0.5, 0.3, 0.1], [0.1, 0.1, 0.2, 0.6]]), "", 1.0
    )
    assert (index.tolist(), source.tolist()) == ([2, 2], [1, 3])


def test_a_model_that_ranks_no_items_is_asked_for_conversions() -> None:
    assert read_target("", LOG, ranks=False) == Target("conversion")
    assert read_target("", LOG) == Target("interest")


def test_of_several_domains_an_item_of_the_user_s_own_is_asked() -> None:
    west_east = [["west"] * 3 + ["east"] * 3, ["west"] + ["east"] * (LOG.num_users - 1)]
    items, users = (t.with_columns(domain=pl.Series(n)) for t, n in zip((LOG.items, LOG.users), west_east, strict=True))
    union = replace(LOG, items=items, users=users)
    log_p = np.log(np.array([[0.9, 0.01, 0.02, 0.01, 0.1, 0.02, 0.01], [0.1, 0.1, 0.4, 0.1, 0.1, 0.15, 0.05]]))
    assert choose_targets(Target("item"), union, QUERIES, log_p, "keep", 1.0)[0].tolist() == [2, 5]


def test_items_outside_the_catalogue_are_no_candidates_and_do_no_harm() -> None:
    cold = replace(LOG, num_items=3)  # items 4 and 6 are none of it
    log_p = np.log(np.array([[0.1, 0.5, 0.2, 0.2], [0.1, 0.5, 0.2, 0.2]]))
    assert choose_targets(Target("item"), cold, QUERIES, log_p, "filter", 1.0)[0].tolist() == [3, 1]
