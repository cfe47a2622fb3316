"""A run that reads views and carts and predicts purchases, from a data frame to forecasts that say so."""

import polars as pl
import pytest

import trajectory as tj
from trajectory.data.simulate.shop.generate import generate
from trajectory.data.simulate.shop.parameters import Shop

SAID = "Only purchase is predicted; "


@pytest.fixture(scope="module")
def log():
    events = generate(Shop(users=60, interests=4, seasonal=0, items_per_interest=6, causes=0, campaigns=0)).events
    return events.filter(pl.col("event_type").is_in(["view", "cart", "purchase"])).select(
        user="user_id", item="item_id", event_type="event_type", time="timestamp"
    )


@pytest.fixture(scope="module")
def run(log, tmp_path_factory):
    folder = tmp_path_factory.mktemp("purchases")
    settings = {
        "data.target_types": ("purchase",),
        "data.prepared_dir": str(folder / "prepared"),
        "train.epochs": 1,
        "batch.rows": 16,
        "heads.horizon": 2,
        "evaluation.seen": "keep",
        "split.steps": 2,
        "model.width": 16,
        "model.layers": (16,),
        "evaluation.bootstrap": 20,
    }
    prepared = tj.prepare(log, model="gru", split="leave_last", settings=settings)
    return tj.train(prepared, folder / "run")


def test_what_is_measured_are_purchases(run, log):
    measured = tj.evaluate(run)
    stated = run.protocol
    targets = stated["targets"]["test"]
    buyers = log.filter(event_type="purchase").group_by("user").len()
    assert targets > 0
    assert stated["users"]["test"] == (buyers["len"] >= 4).sum()  # two tested, two validated: to ask from, views do
    assert any(SAID in note for note in measured.notes)
    assert {"last_view", "last_purchase", "not_yet"} <= set(measured.frame["method"])


def test_forecasts_say_that_steps_are_purchases(run, log):
    predicted = run.predict(log, top=3)
    assert any(note.startswith(SAID) for note in predicted.notes)
    ahead = run.forecast(log, steps=2)
    assert any(note.startswith(SAID) for note in ahead.notes)
    assert ahead.frame["user"].n_unique() == log["user"].n_unique()


def test_views_change_what_is_predicted_to_be_bought(run, log):
    user = log.filter(event_type="purchase")["user"][0]
    of_user = log.filter(user=user)
    item = log["item"].unique().sort()[0]
    newest = of_user["time"].max() + pl.duration(minutes=1)
    viewed = pl.DataFrame({"user": [user], "item": [item], "event_type": ["view"]}).with_columns(time=newest)
    before, after = (run.predict(events, top=24).frame for events in (of_user, pl.concat([of_user, viewed])))
    assert before.height == after.height
    assert not before.equals(after)
