"""What a made-up shop is said to do, measured on what it does; tolerances are about four standard errors."""

import dataclasses
import itertools

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from trajectory.data.simulate.base import START
from trajectory.data.simulate.shop.events import COLUMNS
from trajectory.data.simulate.shop.generate import generate
from trajectory.data.simulate.shop.parameters import Dirt, Shop
from trajectory.data.times import DAY, WEEK
from trajectory.schema import EVENT_TYPES, UserError

SHOP = Shop(users=1_500, bots=0.02)


@pytest.fixture(scope="module")
def log():
    return generate(SHOP)


@pytest.fixture(scope="module")
def events(log):
    return log.truth["events"]


@pytest.fixture(scope="module")
def browsed(events):
    return events.filter(pl.col("origin") == "browsing")


def of(events, event_type):
    return events.filter(pl.col("event_type") == event_type)


def near(rate, expected, trials):
    return abs(rate - expected) < 4 * np.sqrt(expected * (1 - expected) / trials)


def test_the_same_seed_gives_the_same_shop_and_another_one_another(log):
    again, other = generate(SHOP), generate(SHOP, seed=1)
    assert_frame_equal(again.events, log.events)
    for name, table in log.truth.items():
        assert_frame_equal(again.truth[name], table)
    assert not other.events.head(100).equals(log.events.head(100))


def test_events_tell_nothing_that_a_shop_would_not_know(log):
    assert log.events.columns == list(COLUMNS)
    assert log.events.equals(log.truth["events"].select(COLUMNS))
    assert log.events.equals(log.events.sort("user_id", "timestamp", maintain_order=True))
    time = log.events["timestamp"].dt.epoch("s")
    assert START <= time.min() < time.max() < START + SHOP.weeks * WEEK
    assert (log.events["week"] == (time - START) // WEEK).all()
    assert (log.events["position"] == log.events.select(pl.int_range(pl.len()).over("user_id")).to_series()).all()


def test_each_step_of_a_session_has_its_probability(browsed):
    count = {
        event_type: of(browsed, event_type).height for event_type in ("impression", "view", "cart", "remove_from_cart")
    }
    assert near(count["view"] / count["impression"], SHOP.viewing, count["impression"])
    assert near(count["cart"] / count["view"], SHOP.carting, count["view"])
    assert near(count["remove_from_cart"] / count["cart"], SHOP.removing, count["cart"])
    by_session = browsed.group_by("session_id").agg(
        left=(pl.col("event_type") == "cart").sum() - (pl.col("event_type") == "remove_from_cart").sum(),
        bought=(pl.col("event_type") == "purchase").sum(),
        searched=(pl.col("event_type") == "search").sum(),
        logged_in=pl.col("logged_in").first(),
    )
    full = by_session.filter(pl.col("left") > 0)
    bought = full["bought"] > 0
    assert near(bought.mean(), SHOP.buying, full.height)
    assert (full["bought"] == full["left"])[bought.arg_true()].all()
    assert by_session.filter(pl.col("left") == 0)["bought"].sum() == 0
    assert by_session["searched"].max() == 1
    assert near(by_session["searched"].mean(), SHOP.searching, by_session.height)
    idle = by_session.filter(pl.col("bought") == 0)
    assert near(idle["logged_in"].mean(), SHOP.logged_in, idle.height)
    assert by_session.filter(pl.col("bought") > 0)["logged_in"].all()


def test_customers_come_as_often_as_said(browsed):
    sessions = browsed.drop_nulls("session_id").group_by("user_id").agg(pl.col("session_id").n_unique())
    assert abs(sessions["session_id"].sum() / SHOP.users / SHOP.weeks - 1) < 4 * np.sqrt(1 / 1.5 / SHOP.users)


def test_what_is_bought_was_in_the_cart_viewed_and_shown_before(events):
    steps = ["impression", "view", "cart", "purchase"]
    table = events.filter(pl.col("event_type").is_in(steps) & (pl.col("origin") != "bot"))
    found = table.pivot("event_type", index=["session_id", "item_id"], values="timestamp")
    for before, after in itertools.pairwise(steps):
        both = found.drop_nulls(after)
        assert both[before].null_count() == 0
        assert (both[before] < both[after]).all()
    orders = of(events, "purchase").group_by("order_id").agg(pl.col("timestamp", "user_id", "session_id").n_unique())
    assert (orders.drop("order_id").max_horizontal() == 1).all()


def test_lines_have_the_pieces_and_prices_that_were_said(log, events):
    bought = of(events, "purchase").join(
        log.items.select("item_id", list_price="price", category="category"), "item_id"
    )
    assert abs(bought["quantity"].mean() - SHOP.quantity) < 4 * np.sqrt(0.5 / bought.height)
    assert bought["quantity"].min() == 1
    promoted = log.truth["promotions"].select(item_id="item", week="week", off="discount")
    bought = bought.join(promoted, on=["item_id", "week"], how="left").with_columns(pl.col("off").fill_null(0.0))
    coupon = pl.when(pl.col("campaign").is_not_null()).then(1 - SHOP.coupon_discount).otherwise(1.0)
    expected = bought.select((pl.col("list_price") * (1 - pl.col("off")) * coupon).alias("price"))["price"]
    assert (bought["price"] - expected).abs().max() <= 0.00501
    assert (bought["value"] - bought["quantity"] * bought["price"]).abs().max() < 0.005
    assert 0.02 < (bought["off"] > 0).mean() < 0.2
    with_coupon = bought.drop_nulls("campaign").join(log.truth["campaigns"], on="campaign")
    assert (with_coupon["category"] == with_coupon["category_right"]).all()
    treated = log.truth["assignments"].filter("treated").select("campaign", user_id="user")
    assert with_coupon.join(treated, on=["campaign", "user_id"], how="anti").is_empty()
    assert with_coupon.select(pl.col("timestamp").dt.epoch("s").is_between("start", "stop", closed="left").all()).item()


def test_demand_is_what_was_sold_less_what_came_back(log, events):
    week = (pl.col("timestamp").dt.epoch("s") - START) // WEEK
    pieces = pl.col("quantity") * pl.col("event_type").replace_strict({"purchase": 1, "return": -1}, default=0)
    money = pl.col("value") * pl.col("event_type").replace_strict({"purchase": 1, "return": -1}, default=0)
    recount = events.filter(pl.col("order_id").is_not_null()).group_by(pl.col("item_id").alias("item"), week=week)
    recount = recount.agg(demand=pieces.sum(), value=money.sum().round(2)).sort("item", "week")
    assert_frame_equal(log.truth["weekly_demand"].select("item", "week", "demand", "value"), recount)


def test_no_more_comes_back_than_was_bought_and_not_before(events):
    bought = of(events, "purchase").select(
        "user_id", "order_id", "item_id", bought="quantity", at="timestamp", paid="price"
    )
    back = of(events, "return").join(bought, on=["user_id", "order_id", "item_id"], how="left")
    assert back["bought"].null_count() == 0
    assert (back["quantity"] <= back["bought"]).all()
    assert (back["price"] == back["paid"]).all()
    assert back.select("order_id", "item_id").is_unique().all()
    wait = (back["timestamp"] - back["at"]).dt.total_seconds() / DAY
    assert 1 <= wait.min() < wait.max() <= SHOP.return_days + 1e-4
    early = bought.filter(pl.col("at").dt.epoch("s") < START + SHOP.weeks * WEEK - SHOP.return_days * DAY - 1)
    came = early.join(back, on=["order_id", "item_id"], how="semi").height
    assert near(came / early.height, SHOP.returning, early.height)


def test_roles_are_those_of_the_types(events):
    roles = dict(events.select("event_type", "roles").unique().iter_rows())
    assert roles == {event_type: ",".join(EVENT_TYPES[event_type]) for event_type in roles}
    assert len(roles) == 7


def test_migrations_move_their_mass(log, browsed):
    sessions = browsed.drop_nulls(["session_id", "item_id"]).unique("session_id").join(log.items, on="item_id")
    table = sessions.join(log.truth["migrations"].rename({"user": "user_id", "week": "begins"}), on="user_id")
    assert log.truth["migrations"].height == round(SHOP.migrating * SHOP.users)
    for name, moved in (("source", -SHOP.migration_mass), ("destination", SHOP.migration_mass)):
        hit = (pl.col("category") == pl.col(name)).mean()
        before = table.filter(pl.col("week") < pl.col("begins")).select(hit).item()
        after = table.filter(pl.col("week") >= pl.col("begins") + SHOP.migration_ramp - 1).select(hit).item()
        assert abs(after - before - moved * (1 - SHOP.noise)) < 0.03  # seasons blur it


@pytest.fixture(scope="module")
def trial():
    """A shop of few causes and many views; per cause the sessions with a view of the trigger, and of the control."""
    shop = Shop(users=4_000, causes=3, cause_probability=0.25, bots=0.0, migrating=0.0)
    return shop, generate(shop, seed=2)


def hits(log, shop, cue, target, other):
    """Whether each session that views `cue`, the only one about, is followed by an order of the target in time."""
    reach = pl.duration(days=shop.reach_days)
    looked = of(log.events, "view").filter(pl.col("item_id").is_in([cue, other])).sort("timestamp")
    around = pl.col("timestamp").diff().over("user_id")
    alone = looked.filter(
        (around.is_null() | (around > reach)) & (around.shift(-1).over("user_id").fill_null(reach * 2) > reach)
    ).filter((pl.col("item_id") == cue) & (pl.col("week") < shop.weeks - 1 - shop.reach_days // 7))
    orders = of(log.events, "purchase").filter(pl.col("item_id") == target).select("user_id", bought="timestamp")
    pairs = alone.join(orders, on="user_id").filter(
        (pl.col("bought") > pl.col("timestamp")) & (pl.col("bought") <= pl.col("timestamp") + reach)
    )
    return alone.join(pairs, on=["user_id", "timestamp"], how="semi").height, alone.height


def test_a_cause_lifts_its_target_as_planted_and_its_control_does_not(trial):
    shop, log = trial
    for trigger, control, target in log.truth["causes"].select("trigger", "control", "target").iter_rows():
        usual, of_control = hits(log, shop, control, target, trigger)
        came, of_trigger = hits(log, shop, trigger, target, control)
        rate, base = came / of_trigger, usual / of_control
        expected = shop.cause_probability + (1 - shop.cause_probability) * base
        spread = np.sqrt(expected * (1 - expected) / of_trigger + base * (1 - base) / of_control)
        assert of_trigger > 400
        assert base < 0.05
        assert abs(rate - expected) < 4 * spread


def test_holdouts_are_random_and_campaigns_have_their_uplift(trial):
    shop, log = trial
    assigned = log.truth["assignments"].rename({"user": "user_id"})
    assert near(1 - assigned["treated"].mean(), shop.holdout, assigned.height)
    assert near(assigned.height / shop.users / shop.campaigns, shop.eligible, shop.users * shop.campaigns)
    assert near(assigned.filter("treated")["extra"].mean(), shop.uplift, assigned["treated"].sum())
    assert not assigned.filter(~pl.col("treated"))["extra"].any()
    lines = of(log.events, "purchase").join(log.items.select("item_id", "category"), on="item_id")
    lines = lines.with_columns(pl.col("timestamp").dt.epoch("s")).unique("order_id")
    for number, category, start, stop in (
        log.truth["campaigns"].select("campaign", "category", "start", "stop").iter_rows()
    ):
        mine = assigned.filter(pl.col("campaign") == number)

        def difference(some, mine=mine):
            orders = mine.join(some.group_by("user_id").len("orders"), on="user_id", how="left")
            orders = orders.with_columns(pl.col("orders").fill_null(0))
            treated, control = (orders.filter(pl.col("treated") == side)["orders"] for side in (True, False))
            spread = np.sqrt(treated.var() / treated.len() + control.var() / control.len())
            return treated.mean() - control.mean(), spread

        gap, spread = difference(lines.filter(pl.col("timestamp") < start))
        assert abs(gap) < 4 * spread
        during = pl.col("timestamp").is_between(start, stop, closed="left") & (pl.col("category") == category)
        gap, spread = difference(lines.filter(during))
        assert abs(gap - shop.uplift) < 4 * spread


def test_bots_are_known_to_the_truth_alone(log, events):
    bots = log.truth["bots"]["user"]
    assert bots.len() == round(SHOP.bots * SHOP.users)
    theirs = events.filter(pl.col("origin") == "bot")
    assert theirs["user_id"].is_in(bots.implode()).all()
    assert not events.filter(pl.col("origin") != "bot")["user_id"].is_in(bots.implode()).any()
    assert theirs["event_type"].unique().to_list() == ["view"]
    gap = theirs.select(pl.col("timestamp").diff().over("session_id")).to_series().drop_nulls()
    assert 0.2 <= gap.dt.total_microseconds().min() / 1e6 < gap.dt.total_microseconds().max() / 1e6 < 0.9
    assert abs(bots.mean() / (1.02 * SHOP.users) - 0.5) < 4 * np.sqrt(1 / 12 / bots.len())


def test_every_device_has_one_user_and_every_event_one_of_its_users(log, events):
    devices = log.truth["devices"]
    assert devices["device"].is_unique().all()
    assert events.join(devices, left_on=["device_id", "user_id"], right_on=["device", "user"], how="anti").is_empty()
    per_user = devices.filter(~pl.col("user").is_in(log.truth["bots"]["user"].implode())).group_by("user").len()
    assert abs(per_user["len"].mean() - 1 - SHOP.devices) < 4 * np.sqrt(SHOP.devices / SHOP.users)
    assert events.group_by("user_id").agg(pl.col("device_id").n_unique())["device_id"].max() > 1


@pytest.mark.parametrize(
    "little",
    [
        {"causes": 0},
        {"campaigns": 0},
        {"bots": 0.0},
        {"returning": 0.0},
        {"migrating": 0.0, "seasonal": 0},
        {"buying": 0.0},
        {"promoted": 0.0},
        {"users": 1},
    ],
)
def test_each_plant_can_be_left_out_of_a_small_shop(little):
    log = generate(dataclasses.replace(Shop(users=50), **little))
    assert log.events["user_id"].n_unique() <= 51


@pytest.mark.parametrize(
    "wrong",
    [
        {"users": 0},
        {"viewing": 1.5},
        {"sessions": 0.0},
        {"departments": 13},
        {"causes": 13},
        {"campaigns": 30},
        {"quantity": 0.5},
        {"items_per_interest": 3},
    ],
)
def test_contradicting_settings_are_explained(wrong):
    with pytest.raises(UserError, match="expected"):
        Shop(**wrong)


def test_more_dirt_than_rows_is_explained():
    with pytest.raises(UserError, match="expected"):
        Dirt(ragged=0.4, duplicate=0.2)
