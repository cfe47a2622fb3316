"""The views that caused purchases of a shop are read from its truth by hand, and ranks are those of these views."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tests.builders import make_histories
from tests.explain.cases import run_of
from trajectory.explain import shop_causes
from trajectory.explain.explain import Explainer
from trajectory.explain.shop_causes import find_shop_causes, read_shop_causes
from trajectory.explain.targets import Target
from trajectory.schema import Histories, Queries, UserError

DAY, BEGIN = 86_400, 1_704_067_200
TYPES = ("view", "purchase")
TRIGGER, CONTROL, TARGET, OTHER = 1, 2, 3, 4
# User, item, days since BEGIN, type, session, origin.
LOG = [
    (7, TRIGGER, 0.0, "view", 1, "browsing"),
    (7, CONTROL, 1.0, "view", 2, "browsing"),
    (7, TARGET, 3.0, "impression", 3, "cause"),
    (7, TARGET, 3.1, "view", 3, "cause"),
    (7, TARGET, 3.1, "view", 3, "cause"),
    (7, TARGET, 3.2, "purchase", 3, "cause"),
    (8, TRIGGER, 0.0, "view", 4, "browsing"),
    (8, TARGET, 2.0, "view", 5, "browsing"),  # a cause as well, so this one is left out
    (8, TARGET, 4.0, "view", 6, "cause"),
    (8, TARGET, 4.0, "purchase", 6, "cause"),
    (9, TARGET, 0.0, "purchase", 7, "browsing"),  # too long ago to be one
    (9, TRIGGER, 2.0, "view", 8, "browsing"),  # as is this
    (9, OTHER, 9.0, "view", 9, "browsing"),
    (9, TRIGGER, 10.0, "view", 10, "browsing"),
    (9, TRIGGER, 10.5, "purchase", 10, "browsing"),
    (9, TARGET, 12.0, "view", 11, "cause"),
    (9, TARGET, 12.0, "purchase", 11, "cause"),
    (9, TARGET, 20.0, "purchase", 12, "browsing"),  # of its own accord
]
SCHEMA = ["user_id", "item_id", "day", "event_type", "session_id", "origin"]


def read(log: pl.DataFrame) -> Histories:
    """What the model reads of a log: its views and purchases, of which these are predicted."""
    log = log.filter(pl.col("event_type").is_in(TYPES))
    users = log["user_id"].unique().sort()
    parts = [log.filter(user_id=user) for user in users]
    histories = make_histories(
        [part["item_id"].to_list() for part in parts],
        num_items=OTHER,
        event_types=[[1 + TYPES.index(name) for name in part["event_type"]] for part in parts],
    )
    return replace(
        histories,
        users=pl.DataFrame({"user": users}),
        items=histories.items.with_columns(item=pl.Series(range(1, OTHER + 1))),
        time=BEGIN + (log["day"].to_numpy() * DAY).astype(np.int64),
        event_types=TYPES,
        roles={"view": ("input",), "purchase": ("input", "target", "sale")},
    )


@pytest.fixture(scope="module")
def log() -> pl.DataFrame:
    return pl.DataFrame(LOG, schema=SCHEMA, orient="row")


@pytest.fixture(scope="module")
def histories(log) -> Histories:
    return read(log)


@pytest.fixture(scope="module")
def folder(log, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    (folder / "truth").mkdir()
    micro = (BEGIN * 1_000_000 + pl.col("day") * DAY * 1_000_000).cast(pl.Int64)
    times = log.with_columns(timestamp=micro.cast(pl.Datetime("us")))
    times.write_parquet(folder / "truth" / "events.parquet")
    causes = {"trigger": [TRIGGER], "control": [CONTROL], "target": [TARGET], "reach_days": [7]}
    pl.DataFrame(causes).write_parquet(folder / "truth" / "causes.parquet")
    return folder


@pytest.fixture(scope="module")
def planted(folder, histories):
    return read_shop_causes(folder, histories)


def test_a_caused_purchase_is_asked_for_before_its_session_unless_its_item_came_up_in_these_days(planted) -> None:
    assert planted.left_out == 1
    assert planted.queries.user.tolist() == [0, 2]
    assert planted.queries.start.tolist() == [0, 9]
    # Two events of user 7 are before the session that begins with the item shown, five of user 9.
    assert planted.queries.stop.tolist() == planted.queries.end.tolist() == [2, 14]
    assert (planted.trigger.tolist(), planted.control.tolist()) == ([TRIGGER] * 2, [CONTROL] * 2)
    assert planted.target.tolist() == [TARGET] * 2
    assert ((planted.since - BEGIN) / DAY).tolist() == [3 - 7, 12 - 7]


@pytest.fixture
def found(tmp_path, histories, planted, monkeypatch):
    """The row of a method that gives each event this score."""

    def by(score: list[float], ranking: str = "mine") -> dict:
        def scored(explainer: Explainer, histories, queries, target, methods, rng):
            for batch in explainer.forecasts(histories, queries, index=target):
                log_p = np.asarray(explainer.function.log_probabilities(batch.inputs))[:, TARGET]
                yield batch, {name: np.array(score)[batch.events(histories)] for name in methods}, log_p

        monkeypatch.setattr(shop_causes, "scored", scored)
        rows = find_shop_causes(run_of(tmp_path, "gru", histories), histories, planted, ["mine"], 10)
        return {row["ranking"]: row for row in rows}[ranking]

    return by


def scores(histories: Histories, of: dict[int, float]) -> list[float]:
    return [of.get(event, 0.0) for event in range(histories.num_events)]


def test_views_of_the_trigger_in_its_days_are_the_causes_and_any_of_them_will_do(histories, found) -> None:
    row = found(scores(histories, {0: 1.0, 12: 0.5}))
    assert (row["first"], row["control_first"], row["forecasts"], row["left_out"]) == (1, 0, 2, 1)
    assert row["nats_cause"] == 0.75
    assert (row["nats_control"], row["nats_others"]) == (0, 0)


def test_the_trigger_long_ago_or_bought_is_no_cause(histories, found) -> None:
    for event in (10, 13):
        assert found(scores(histories, {0: 1.0, 12: 0.5, event: 0.6}))["first"] == 0.5


def test_a_control_that_is_first_is_counted_and_a_tie_is_no_find(histories, found) -> None:
    row = found(scores(histories, {0: 1.0, 1: 2.0, 12: 1.0}))
    assert (row["first"], row["control_first"], row["nats_control"]) == (0.5, 0.5, 2)
    row = found([0.0] * histories.num_events)
    assert (row["first"], row["control_first"]) == (0, 0)


def test_how_likely_the_target_is_without_the_trigger_is_of_the_history_without_it(
    tmp_path, log, histories, planted, found
) -> None:
    row = found([0.0] * histories.num_events)
    fewer = read(log.filter(~pl.Series([event in (LOG[0], LOG[13]) for event in LOG])))
    queries = Queries(planted.queries.user, fewer.offsets[[0, 2]], np.array([1, 12]), np.array([1, 12]))
    explainer = Explainer(run_of(tmp_path, "gru", histories), Target("item"))
    (batch,) = explainer.forecasts(fewer, queries, index=planted.target)
    log_p = np.asarray(explainer.function.log_probabilities(batch.inputs))[:, TARGET]
    assert row["probability_without"] == pytest.approx(np.exp(np.median(log_p)), rel=1e-4)
    assert row["probability"] != pytest.approx(row["probability_without"], rel=1e-3)


def test_co_occurrence_ranks_what_was_followed_by_purchases_of_the_target(histories, found) -> None:
    row = found([0.0] * histories.num_events, "co-occurrence")
    assert row["nats_cause"] is None
    # Of user 7 the control was nearer to it; of user 9, which had bought it before, an event of its own was.
    assert (row["first"], row["control_first"]) == (0, 0.5)


def test_a_shop_without_causes_is_refused(tmp_path, histories, planted) -> None:
    none = replace(planted, target=planted.target[:0])
    with pytest.raises(UserError, match="no purchase of this shop was caused by a view that the model knows"):
        find_shop_causes(run_of(tmp_path, "gru", histories), histories, none, ["saliency"], 10)
