"""Planted migrations are found, and nothing else: not chance, season, bursts, nor baskets of one interest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from polars.testing import assert_frame_equal

from tests.builders import make_histories
from trajectory.data.simulate.synthetic import Synthetic, generate
from trajectory.migrations.migration import Settings, detect, settings_for
from trajectory.migrations.recovery import histories_of, score
from trajectory.schema import UserError

QUICK = Settings(permutations=199)
USERS = 120
CHANCE = 0.05 + 3 * np.sqrt(0.05 * 0.95 / USERS)  # p-values of at most 0.05 among so many users without migration


def planted(**changes):
    log = generate(replace(Synthetic(users=USERS), **changes), seed=4)
    return log, detect(histories_of(log), QUICK)


def level(result):
    return float((result.tested["p_value"] <= 0.05).mean())


@pytest.fixture(scope="module")
def default():
    return planted()


def test_planted_migrations_are_found(default):
    log, result = default
    found = score(result.moves, log)
    assert found["planted"] == 48
    assert found["precision"] >= 0.9
    assert found["recall"] >= 0.9
    assert found["false_alarms"] <= 0.05
    assert found["days"] < 7
    assert found["covered"] >= 0.85


def test_what_is_found_has_its_size(default):
    log, result = default
    truth = log.truth["migrations"].select("user", "source")
    right = result.moves.join(truth, on=["user", "source"], how="semi")
    assert abs(right["mass"].mean() - 0.4) < 0.04  # half of all mass but for noise, and some that starts before the end
    assert right["divergence"].is_between(0.05, 0.6).all()
    assert (result.moves["q_value"] <= 0.05).all()
    assert (result.moves["confidence"] == 1 - result.moves["q_value"]).all()
    for earlier, later in (("low", "start"), ("start", "high"), ("start", "end")):
        assert (result.moves[earlier] <= result.moves[later]).all()


def test_nobody_migrates_in_a_log_without_migrations():
    _, result = planted(migrating=0.0)
    assert result.moves.height <= 2
    assert level(result) < CHANCE


def test_a_season_is_no_migration():
    _, result = planted(migrating=0.0, seasonal=20, swing=0.7, causes=0)
    assert np.abs(result.season - 1).max() > 0.5
    assert level(result) < CHANCE
    assert result.moves.height <= 2


def test_bursts_are_no_migration():
    _, result = planted(migrating=0.0, bursting=1.0, basket_size=12)
    assert level(result) < CHANCE
    assert result.moves.height <= 2


def test_sharp_moves_are_found_in_twenty_sessions():
    log, result = planted(users=200, baskets=20.0, migration_mass=0.8, noise=0.0, bursting=0.0, causes=0)
    found = score(result.moves, log)
    assert found["recall"] >= 0.8
    assert found["false_alarms"] <= 0.05


@pytest.mark.parametrize(("repeating", "basket_size"), [(0.5, 1), (0.7, 1), (0.5, 5)])
def test_a_session_like_the_one_before_is_no_migration(repeating, basket_size):
    _, result = planted(migrating=0.0, noise=0.0, bursting=0.0, causes=0, repeating=repeating, basket_size=basket_size)
    assert result.tested["memory"].median() > 0.3
    assert level(result) < 2 * CHANCE  # plain permutations: 0.7 and more
    assert result.moves.height <= 2  # plain permutations: most users


def test_migrations_between_baskets_that_repeat_are_found():
    log, result = planted(repeating=0.3)
    found = score(result.moves, log)
    assert found["detected"] >= 0.7
    assert found["false_alarms"] <= 0.05


def test_baskets_of_one_interest_count_once():
    rng = np.random.default_rng(0)
    lists, steps = [], []
    for _ in range(USERS):
        lists.append(np.repeat(rng.integers(1, 5, 40), 8).tolist())  # 40 baskets, 8 lines of one interest each
        steps.append(np.repeat(np.arange(40), 8).tolist())
    histories = make_histories(lists, steps=steps, gap=7 * 24 * 3600, interests=4)
    result = detect(histories, QUICK)
    assert result.tested["sessions"].to_list() == [40] * USERS
    assert level(result) < CHANCE
    assert result.moves.height <= 2


def without_time(lists):
    return replace(make_histories(lists, interests=4, num_items=4), has_time=False)


def test_a_log_without_time_has_steps_for_dates():
    rng = np.random.default_rng(1)
    still = [rng.integers(1, 5, 120).tolist() for _ in range(10)]
    mover = [1, 4] * 30 + [2, 4] * 30
    result = detect(without_time([mover, *still]), Settings(permutations=199, lasting=10, window=8))
    row = result.moves.row(0, named=True)
    assert (row["user"], row["source"], row["destination"]) == ("u0", "c1", "c2")
    assert row["low"] <= 60
    assert row["high"] > 58  # step 59 is of neither interest
    assert abs(row["start"] - 60) <= 4
    assert row["window"] == row["start"] // 8
    assert row["mass"] == pytest.approx(0.5, abs=0.05)
    assert (result.season == 1).all()


def test_a_user_is_judged_alike_whoever_else_is_there():
    rng = np.random.default_rng(2)
    lists = [rng.integers(1, 5, 80).tolist() for _ in range(6)]
    settings = Settings(permutations=99, lasting=10)
    every = without_time(lists)
    last = replace(without_time(lists[-1:]), users=every.users.tail(1))
    columns = ["user", "sessions", "statistic", "p_value"]
    one, among = (detect(histories, settings).tested.select(columns).tail(1) for histories in (last, every))
    assert_frame_equal(one, among)


def test_short_histories_are_not_tested():
    rng = np.random.default_rng(3)
    lists = [rng.integers(1, 5, 80).tolist(), [1, 2, 3]]
    assert detect(without_time(lists), Settings(permutations=99, lasting=10)).tested["user"].to_list() == ["u0"]
    with pytest.raises(UserError, match="set a smaller `lasting`"):
        detect(without_time(lists), Settings(lasting=60))
    with pytest.raises(UserError, match="no user has more than 3 sessions"):
        detect(without_time([[1, 2, 3], [2, 1]]), Settings(lasting=1))


def test_settings_suit_the_log_before_any_work():
    timed = make_histories([[1, 2] * 40], gap=24 * 3600, num_items=4)
    assert settings_for(timed) == Settings(window=28, lasting=28)
    assert settings_for(timed, lasting=7).lasting == 7
    thirty = without_time([[1, 2] * 15])
    assert settings_for(thirty) == Settings(window=10, lasting=10)
    assert settings_for(thirty, window=5).window == 5
    nameless = replace(without_time([[1, 2] * 8]), interests=())  # those are learned only after
    with pytest.raises(UserError, match=r"nobody has them in the log's 15 steps; .*--lasting, in steps"):
        settings_for(nameless)


def test_who_has_one_interest_only_cannot_migrate():
    rng = np.random.default_rng(5)
    steps = np.repeat(np.arange(60), rng.integers(1, 9, 60)).tolist()  # their weights do not add up exactly
    histories = make_histories([[1] * len(steps)] * 2, steps=[steps] * 2, num_items=4)
    result = detect(replace(histories, has_time=False), Settings(permutations=99, lasting=10))
    assert result.tested.select("statistic", "p_value").rows() == [(0.0, 1.0)] * 2


def test_a_log_without_interests_is_explained():
    histories = replace(make_histories([[1, 2, 3]]), interests=(), item_interest=np.zeros(4, np.int32))
    with pytest.raises(UserError, match="learned_interests"):
        detect(histories)


@pytest.mark.parametrize(
    ("field", "value"),
    [("window", 0.0), ("lasting", -1.0), ("session_timeout", -1.0), ("permutations", 9), ("false_discovery_rate", 1.0)],
)
def test_settings_out_of_range_are_explained(field, value):
    with pytest.raises(UserError, match=f"{field}={value}: expected"):
        Settings(**{field: value})
