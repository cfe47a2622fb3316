"""Every planted property measured against its parameter; tolerances are about four standard errors."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from trajectory.data.simulate import synthetic
from trajectory.data.simulate.base import START
from trajectory.data.simulate.synthetic import Synthetic, generate, write
from trajectory.data.times import WEEK
from trajectory.schema import UserError

FROM_MIX = ("interest", "trigger", "distractor")  # origins whose interest is drawn from the user's mix


@pytest.fixture(scope="module")
def log():
    return generate()


@pytest.fixture(scope="module")
def events(log):
    """The default log with origin, week and interest (0-based) of each event."""
    return log.events.with_columns(
        origin=log.truth["origins"]["origin"],
        week=(pl.col("timestamp") - START) // WEEK,
        interest=(pl.col("item_id") - 1) // 50,
    )


@pytest.fixture(scope="module")
def mix(log):
    return log.truth["interest_mix"].drop("user", "week").to_numpy().reshape(2000, 52, 20)


class CauseTrial:
    """Cue baskets of a larger log: each trigger with its distractor, and the next five items after their basket."""

    def __init__(self, log):
        self.log = log
        self.item = log.events["item_id"].to_numpy()
        self.user = log.events["user_id"].to_numpy()
        self.origin = log.truth["origins"]["origin"].to_numpy()
        self.basket = log.events["basket_id"].to_numpy()
        self.trigger, self.distractor = (np.flatnonzero(self.origin == name) for name in ("trigger", "distractor"))
        causes = log.truth["causes"]
        self.number = np.full(1001, -1)  # item id -> number of its cause
        self.target = causes["target"].to_numpy()
        for role in ("trigger", "distractor", "target"):
            self.number[causes[role].to_numpy()] = np.arange(30)

    def window(self, event):
        """Flat indices of the five events after the event's basket, [n, 5]."""
        return np.searchsorted(self.basket, self.basket[event], side="right")[:, None] + np.arange(5)

    def hit(self, event):
        """Whether the target of the event's cause is in its window."""
        return (self.item[self.window(event)] == self.target[self.number[self.item[event]]][:, None]).any(axis=1)


@pytest.fixture(scope="module")
def trial():
    return CauseTrial(generate(Synthetic(users=8000), seed=1))


@pytest.mark.parametrize("repeating", [0.0, 0.6])
def test_events_repeat_the_interest_of_the_basket_before(repeating):
    log = generate(Synthetic(users=300, migrating=0, bursting=0, noise=0, causes=0, basket_size=1, repeating=repeating))
    interest = (log.events["item_id"].to_numpy() - 1) // 50
    same_user = np.diff(log.events["user_id"].to_numpy()) == 0
    same = (np.diff(interest) == 0)[same_user].mean()
    mix = log.truth["interest_mix"].drop("user", "week").to_numpy()
    usual = (mix**2).sum(1).mean()  # of two independent events
    assert same == pytest.approx(repeating + (1 - repeating) * usual, abs=0.02)


def test_default_is_the_documented_one():
    assert dataclasses.asdict(Synthetic()) == {
        "users": 2000,
        "weeks": 52,
        "baskets": 60.0,
        "basket_size": 5,
        "interests": 20,
        "items_per_interest": 50,
        "zipf": 1.0,
        "concentration": 0.3,
        "migrating": 0.4,
        "migration_first": 10,
        "migration_last": 42,
        "migration_mass": 0.5,
        "migration_ramp": 3,
        "bursting": 0.2,
        "repeating": 0.0,
        "seasonal": 5,
        "swing": 0.3,
        "noise": 0.1,
        "causes": 30,
        "probability_with": 0.6,
        "probability_without": 0.02,
        "reach": 5,
        "distractors": 1,
        "spacing": 8,
        "event_types": ("view", "click", "cart", "favorite", "purchase"),
        "event_type_shares": (0.6, 0.2, 0.1, 0.03, 0.07),
    }


def test_same_seed_same_log_other_seed_other_log():
    small = Synthetic(users=100)
    one, same, other = generate(small, 5), generate(small, 5), generate(small, 6)
    assert_frame_equal(one.events, same.events)
    for name, table in one.truth.items():
        assert_frame_equal(table, same.truth[name])
    assert not one.events.equals(other.events)


def test_written_log_reads_back(tmp_path):
    small = Synthetic(users=100)
    write(small, tmp_path / "log", seed=2)
    expected = generate(small, 2)
    events = pl.read_parquet(tmp_path / "log" / "interactions.parquet")
    assert events.columns == ["user_id", "item_id", "position", "timestamp", "event_type", "basket_id"]
    assert_frame_equal(events, expected.events)
    assert_frame_equal(pl.read_parquet(tmp_path / "log" / "items.parquet"), expected.items)
    for name, table in expected.truth.items():
        assert_frame_equal(pl.read_parquet(tmp_path / "log" / "truth" / f"{name}.parquet"), table)
    parameters = json.loads((tmp_path / "log" / "truth" / "parameters.json").read_text())
    assert parameters["users"] == 100
    assert parameters["seed"] == 2


def test_folder_that_cannot_be_written_is_explained(tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(UserError, match="give another folder"):
        write(Synthetic(users=1), tmp_path / "taken")


def test_script_writes_a_log_and_explains_a_mistake(tmp_path):
    script = Path(synthetic.__file__).parents[3] / "scripts" / "synthesize.py"
    run = [sys.executable, str(script), "--out", str(tmp_path / "log"), "--seed", "3", "--users"]
    assert subprocess.run([*run, "20"], capture_output=True).returncode == 0
    events = pl.read_parquet(tmp_path / "log" / "interactions.parquet")
    assert_frame_equal(events, generate(Synthetic(users=20), 3).events)
    wrong = subprocess.run([*run, "0"], capture_output=True, text=True)
    assert wrong.returncode == 2
    assert "users=0: expected at least 1" in wrong.stderr


def test_events_are_in_order_and_within_the_year(log):
    events = log.events
    assert events.null_count().sum_horizontal().item() == 0
    assert events["user_id"].n_unique() == 2000
    assert events.equals(events.sort("user_id", "position"))
    rank = events.select(pl.int_range(pl.len()).over("user_id")).to_series()
    assert (events["position"] == rank).all()
    assert START <= events["timestamp"].min() < events["timestamp"].max() < START + 52 * WEEK
    assert set(events["item_id"]) <= set(log.items["item_id"])
    assert log.items["category"].value_counts()["count"].to_list() == [50] * 20
    event_types = events["event_type"].value_counts(normalize=True).sort("proportion", descending=True)
    np.testing.assert_allclose(event_types["proportion"], [0.6, 0.2, 0.1, 0.07, 0.03], atol=0.004)


def test_baskets_share_one_time_and_no_two_are_at_once(log):
    baskets = log.events.group_by("basket_id", maintain_order=True).agg(
        pl.col("user_id").first(), pl.col("timestamp").first(), pl.col("timestamp").n_unique().alias("times"), pl.len()
    )
    assert (baskets["times"] == 1).all()
    gaps = baskets.select(pl.col("timestamp").diff().over("user_id")).drop_nulls()
    assert gaps.min().item() > 0
    assert abs(baskets.height / 2000 - 60) < 0.7
    assert baskets["len"].min() == 1
    assert baskets["len"].max() == 5
    ordinary = baskets.filter(~pl.col("basket_id").is_in(log.truth["bursts"]["basket"].implode()))
    np.testing.assert_allclose(ordinary["len"].value_counts(normalize=True)["proportion"], 0.2, atol=0.005)


def test_crowded_baskets_still_have_their_own_seconds():
    events = generate(Synthetic(users=2, weeks=1, baskets=20_000, migrating=0.0)).events
    assert events.group_by("user_id", "timestamp").agg(pl.col("basket_id").n_unique())["basket_id"].max() == 1


def test_base_mixes_follow_the_dirichlet_law(log, mix):
    stay = np.setdiff1d(np.arange(2000), log.truth["migrations"]["user"].to_numpy() - 1)
    np.testing.assert_allclose(mix.sum(axis=2), 1, atol=1e-5)
    squares = (mix[stay].mean(axis=1) ** 2).sum(axis=1)
    assert abs(squares.mean() - 1.3 / 7) < 0.01  # E[sum m^2] = (a + 1) / (K a + 1)
    np.testing.assert_allclose(mix[stay].mean(axis=(0, 1)), 1 / 20, atol=0.012)


def test_items_of_an_interest_follow_zipf(log, events):
    roles = log.truth["causes"].select("trigger", "target", "distractor").to_numpy().ravel()
    observed, expected = np.zeros(50), np.zeros(50)
    counts = np.bincount(events.filter(pl.col("origin") == "interest")["item_id"], minlength=1001)
    for interest in range(20):
        ids = np.setdiff1d(np.arange(1, 51) + 50 * interest, roles)
        share = 1 / np.arange(1, len(ids) + 1)
        observed[: len(ids)] += counts[ids]
        expected[: len(ids)] += counts[ids].sum() * share / share.sum()
    filled = expected > 0
    assert (np.abs(observed - expected)[filled] < 4.5 * np.sqrt(expected[filled])).all()


def test_events_follow_the_true_mix_in_every_month(events, mix):
    drawn = events.filter(pl.col("origin").is_in(FROM_MIX))
    user, week, interest = (drawn[name].to_numpy() for name in ("user_id", "week", "interest"))
    chance = mix[user - 1, week]
    for month in range(13):
        now = week // 4 == month
        expected = chance[now].sum(axis=0)
        spread = np.sqrt((chance[now] * (1 - chance[now])).sum(axis=0))
        observed = np.bincount(interest[now], minlength=20)
        assert np.abs((observed - expected) / spread).max() < 4.5


def test_migrations_move_half_of_the_mass_in_three_weeks(log, events, mix):
    table = log.truth["migrations"]
    assert table.height == table["user"].n_unique() == 800
    assert (table["week"].min(), table["week"].max()) == (10, 42)
    assert abs(table["week"].mean() - 26) < 4 * 33 / np.sqrt(12 * 800)
    assert (table["source"] != table["destination"]).all()
    assert table["mass"].unique().to_list() == [0.5]
    column = {name: i for i, name in enumerate(log.truth["interest_mix"].columns[2:])}
    user, week = table["user"].to_numpy() - 1, table["week"].to_numpy()
    source, destination = (table[name].replace_strict(column).to_numpy() for name in ("source", "destination"))

    def moved(after):
        gone = mix[user, week - 1, source] - mix[user, week + after, source]
        come = mix[user, week + after, destination] - mix[user, week - 1, destination]
        return gone.mean(), come.mean()

    for after, share in enumerate((1 / 6, 2 / 6, 3 / 6, 3 / 6)):
        np.testing.assert_allclose(moved(after), share, atol=0.01)  # seasons blur single users, not the mean

    drawn = events.filter(pl.col("origin").is_in(FROM_MIX)).join(
        table.rename({"user": "user_id", "week": "start"}), on="user_id"
    )
    drawn = drawn.with_columns(
        **{name: pl.col(name).replace_strict(column) == pl.col("interest") for name in ("source", "destination")}
    )
    before = drawn.filter(pl.col("week") < pl.col("start")).select("source", "destination").mean().row(0)
    later = drawn.filter(pl.col("week") >= pl.col("start") + 2).select("source", "destination").mean().row(0)
    np.testing.assert_allclose(np.subtract(later, before), [-0.5, 0.5], atol=0.02)


def test_other_users_change_with_the_season_only(log, mix):
    stay = np.setdiff1d(np.arange(2000), log.truth["migrations"]["user"].to_numpy() - 1)
    seasons = dict(log.truth["seasons"].iter_rows())
    assert len(seasons) == 5
    week = np.arange(52)
    factor = np.ones((52, 20))
    for i, name in enumerate(log.truth["interest_mix"].columns[2:]):
        if name in seasons:
            factor[:, i] = 1 + 0.3 * np.sin(2 * np.pi * (week / 52 + seasons[name]))
    flat = mix[stay] / factor  # without its season a mix is constant but for its sum
    flat /= flat.sum(axis=2, keepdims=True)
    np.testing.assert_allclose(flat, np.broadcast_to(flat[:, :1], flat.shape), atol=1e-5)


def test_bursts_are_one_basket_of_a_foreign_interest(log, events, mix):
    table = log.truth["bursts"]
    assert table.height == table["user"].n_unique() == 400
    column = {name: i for i, name in enumerate(log.truth["interest_mix"].columns[2:])}
    interest = table["interest"].replace_strict(column).to_numpy()
    assert mix[table["user"].to_numpy() - 1, :, interest].max() < 1 / 20
    burst = events.filter(pl.col("origin") == "burst")
    assert burst.height == 400 * 5
    assert burst["basket_id"].unique(maintain_order=True).equals(table["basket"].rename("basket_id"))
    assert (burst["interest"].to_numpy() == np.repeat(interest, 5)).all()
    first = burst.group_by("basket_id", maintain_order=True).agg(pl.col("position").min())
    assert (first["position"] == table["position"]).all()
    assert events.filter(pl.col("basket_id").is_in(table["basket"].implode())).height == burst.height
    late = events.select(pl.col("position") / pl.len().over("user_id")).to_series().filter(events["origin"] == "burst")
    assert abs(late.mean() - 0.5) < 0.06


def test_noise_is_a_tenth_and_uniform(log, events):
    outside = events.filter(pl.col("origin") != "burst")
    noise = outside.filter(pl.col("origin") == "noise")
    caused = (outside["origin"] == "caused").mean()
    assert abs(noise.height / outside.height - 0.1 * (1 - caused)) < 0.002
    cues = log.truth["causes"].select("trigger", "distractor").to_numpy().ravel()
    counts = np.bincount(noise["item_id"], minlength=1001)[1:]
    assert counts[cues - 1].sum() == 0
    counts = np.delete(counts, cues - 1)
    assert abs(((counts - counts.mean()) ** 2 / counts.mean()).sum() / 939 - 1) < 4 * np.sqrt(2 / 939)


def test_trigger_raises_its_target_to_the_planted_probability(trial):
    hit = trial.hit(trial.trigger)
    assert abs(hit.mean() - 0.6) < 4 * np.sqrt(0.24 / hit.size)
    number = trial.number[trial.item[trial.trigger]]
    trials, hits = np.bincount(number, minlength=30), np.bincount(number[hit], minlength=30)
    assert trials.min() > 300
    assert (np.abs(hits / trials - 0.6) < 4 * np.sqrt(0.24 / trials)).all()


def test_distractor_leaves_its_target_at_the_baseline(trial):
    n = trial.distractor.size
    rate = trial.hit(trial.distractor).mean()
    assert abs(rate - 0.02) < 4 * np.sqrt(0.02 / n)
    caused = trial.log.truth["fired"].select(pl.struct("user", "trigger_position")).to_series()
    own = trial.log.events[trial.trigger].select(pl.struct(user="user_id", trigger_position="position")).to_series()
    unfired = trial.hit(trial.trigger[~own.is_in(caused.implode()).to_numpy()])
    assert abs(unfired.mean() - 0.02) < 4 * np.sqrt(0.02 / unfired.size)  # what would have come without the trigger
    assert 0.7 < rate / unfired.mean() < 1.4


def test_other_probabilities_are_met_as_well():
    trial = CauseTrial(generate(Synthetic(users=4000, probability_with=0.8, probability_without=0.1), seed=2))
    n = trial.trigger.size
    assert abs(trial.hit(trial.trigger).mean() - 0.8) < 4 * np.sqrt(0.16 / n)
    assert abs(trial.hit(trial.distractor).mean() - 0.1) < 4 * np.sqrt(0.09 / n)


def test_distractors_are_as_frequent_and_as_close_as_triggers(trial):
    trigger, distractor = trial.trigger, trial.distractor
    assert (trial.basket[trigger] == trial.basket[distractor]).all()  # hence the same lags to everything later
    assert abs((trigger < distractor).mean() - 0.5) < 2 / np.sqrt(trigger.size)
    a, b = (np.bincount(trial.number[trial.item[event]], minlength=30) for event in (trigger, distractor))
    assert (np.abs(a - b) < 4 * np.sqrt(a + b)).all()
    interest = (trial.item - 1) // 50
    assert (interest[trigger] != interest[distractor]).all()
    causes = trial.log.truth["causes"]
    cues = causes.select("trigger", "distractor").to_numpy().ravel()
    assert np.isin(trial.item, cues).sum() == trigger.size + distractor.size  # no cue item occurs unplanted


def test_more_distractors_lie_in_the_same_basket_and_cause_nothing():
    trial = CauseTrial(generate(Synthetic(users=4000, distractors=3, basket_size=8), seed=3))
    beside = np.searchsorted(trial.basket[trial.trigger], trial.basket[trial.distractor])
    assert (trial.basket[trial.trigger][beside] == trial.basket[trial.distractor]).all()
    assert (np.bincount(beside) == 3).all()
    interest = (trial.item - 1) // 50
    assert (interest[trial.distractor] != interest[trial.trigger][beside]).all()
    n = trial.distractor.size
    assert abs(trial.hit(trial.trigger).mean() - 0.6) < 4 * np.sqrt(0.24 / trial.trigger.size)
    assert abs(trial.hit(trial.distractor).mean() - 0.02) < 4 * np.sqrt(0.02 / n)
    fired = trial.log.truth["fired"]
    first = np.searchsorted(trial.user, fired["user"])
    assert (trial.origin[first + fired["distractor_position"].to_numpy()] == "distractor").all()


def test_firings_point_at_their_events_and_lags_are_uniform(trial):
    fired = trial.log.truth["fired"]
    first = np.searchsorted(trial.user, fired["user"])
    event = {role: first + fired[f"{role}_position"].to_numpy() for role in ("trigger", "distractor", "target")}
    for role, index in event.items():
        assert (trial.item[index] == fired[role].to_numpy()).all()
        assert (trial.user[index] == fired["user"].to_numpy()).all()
        assert (trial.origin[index] == ("caused" if role == "target" else role)).all()
    assert (trial.origin == "caused").sum() == fired.height
    assert (trial.number[fired["trigger"]] == trial.number[fired["target"]]).all()
    assert (trial.basket[event["target"]] > trial.basket[event["trigger"]]).all()
    lag = event["target"] - trial.window(event["trigger"])[:, 0] + 1
    assert (lag == fired["lag"].to_numpy()).all()
    np.testing.assert_allclose(np.bincount(lag)[1:] / lag.size, 0.2, atol=4 * 0.4 / np.sqrt(lag.size))


def test_windows_of_causes_never_overlap(trial):
    window = trial.window(trial.trigger)
    assert (trial.user[window] == trial.user[trial.trigger][:, None]).all()
    begin = np.searchsorted(trial.basket, trial.basket[trial.trigger])
    assert (window[:-1, -1] < begin[1:]).all()
    assert not np.isin(trial.origin[window], ["trigger", "distractor", "burst"]).any()
    assert 0.009 < (trial.origin == "caused").mean() < 0.013  # the documented 1 %


@pytest.mark.parametrize(
    "wrong",
    [
        {"users": 0},
        {"noise": 1.5},
        {"concentration": 0.0},
        {"interests": 1},
        {"seasonal": 21},
        {"migration_last": 50},
        {"migration_first": 43},
        {"probability_with": 0.01},
        {"spacing": 5},
        {"causes": 400},
        {"event_type_shares": (0.5, 0.5)},
    ],
)
def test_contradicting_parameters_are_explained(wrong):
    with pytest.raises(UserError, match="expected"):
        Synthetic(**wrong)


def test_unreachable_baseline_is_explained():
    with pytest.raises(UserError, match=r"probability_without=0\.5: these users reach"):
        generate(Synthetic(users=50, probability_without=0.5))


@pytest.mark.parametrize(
    "little", [{"causes": 0}, {"causes": 1}, {"bursting": 0.0}, {"migrating": 0.0, "seasonal": 0}, {"basket_size": 1}]
)
def test_each_plant_can_be_left_out(little):
    assert generate(Synthetic(users=30, **little)).events["user_id"].n_unique() == 30


@pytest.mark.parametrize("users", [1, 2, 5])
def test_a_few_users_are_enough(users):
    assert generate(Synthetic(users=users)).events["user_id"].n_unique() == users
