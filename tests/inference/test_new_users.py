"""Logs of new users for a trained run: any columns, unknown items and types of event reported, no limits of the old."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tests.builders import make_histories
from trajectory.data.store.builder import prepare
from trajectory.data.store.vocabulary import Vocabulary
from trajectory.inference.new_users import read_histories
from trajectory.presets import complete_journey, taobao_behavior
from trajectory.schema import UserError
from trajectory.settings import base

TRAINED = make_histories([[1, 2, 3, 2], [4, 1]], num_items=4, event_types=[[1, 1, 1, 2], [1, 1]])


def data(**changes):
    settings = base().data
    settings.update({"source": "log.csv", **changes})
    return settings


def write(tmp_path, text):
    path = tmp_path / "new.csv"
    path.write_text(text)
    return path


def items(histories):
    return [histories.item[a:b].tolist() for a, b in zip(histories.offsets[:-1], histories.offsets[1:], strict=True)]


def test_user_item_time_is_enough(tmp_path):
    path = write(tmp_path, "user,item,time\nb,i4,2024-03-01\na,i2,2024-03-02\na,i1,2024-03-01\n")
    histories, notes = read_histories(path, Vocabulary.of(TRAINED, data()))
    assert histories.users["user"].to_list() == ["a", "b"]
    assert items(histories) == [[1, 2], [4]]
    assert histories.items is TRAINED.items
    assert histories.event_type.tolist() == [1, 1, 1]
    assert notes == ["no types of event are stated: all are read as 'view'"]


def test_unknown_items_are_reported_and_stay_events(tmp_path):
    path = write(
        tmp_path, "user,item,time,event_type\na,i2,2024-03-02,buy\na,new,2024-03-03,view\na,new,2024-03-04,view\n"
    )
    histories, notes = read_histories(path, Vocabulary.of(TRAINED, data()))
    assert items(histories) == [[2, 0, 0]]
    assert histories.event_type.tolist() == [2, 1, 1]
    assert notes == ["unknown to the model: 1 item in 2 events (new), known only as events"]


def test_who_only_viewed_is_read_by_a_run_that_predicts_purchases_and_no_strange_word_is_a_purchase(tmp_path):
    """Of a log in which purchases are usual, too."""
    trained = make_histories([[1, 2, 3, 2], [4, 1]], num_items=4, event_types=[[2, 2, 1, 2], [2, 1]])
    trained = replace(trained, roles=trained.roles | {"view": ("input",)})
    path = write(
        tmp_path, "user,item,time,event_type\na,i2,2024-03-02,view\nb,i3,2024-03-03,view\nb,i1,2024-03-04,favorite\n"
    )
    settings = data(target_types=("purchase",))
    histories, notes = read_histories(path, Vocabulary.of(trained, settings))
    assert items(histories) == [[2], [3, 1]]
    assert histories.event_type.tolist() == [1, 1, 1]
    assert notes == ["event types unknown to the model are read as 'view': favorite"]


@pytest.mark.parametrize(("known", "written"), [(["007", "12", "x", "y"], "7.0"), ([7, 12, 1, 2], "007")])
def test_ids_mean_the_same_items_as_in_the_trained_log(tmp_path, known, written):
    trained = replace(TRAINED, items=TRAINED.items.with_columns(item=pl.Series(known)))
    path = write(
        tmp_path, f"user,item,time\na,{written},2024-03-01\na,12.0,2024-03-02\na,NA,2024-03-03\nb,x1,2024-03-02\n"
    )
    histories, notes = read_histories(path, Vocabulary.of(trained, data()))
    assert items(histories) == [[1, 2], [0]]
    assert "'NA' 1x" in notes[0]


def test_days_that_nothing_tells_from_months_are_read_as_in_the_trained_log(tmp_path):
    known = tmp_path / "log.csv"
    known.write_text("user,item,time\na,i1,31/01/2024\na,i2,01/02/2024\nb,i1,02/03/2024\n")
    settings = data(source=str(known), prepared_dir=str(tmp_path / "prepared"))
    trained = prepare(settings, "log")
    path = write(tmp_path, "user,item,time\na,i1,03/04/2024\na,i2,05/02/2024\na,i1,04/03/2024\n")
    histories, notes = read_histories(path, Vocabulary.of(trained, settings))
    assert "tells days from months: read as in the log that was learned" in notes[0]
    assert pl.from_epoch(pl.Series(histories.time)).dt.strftime("%m-%d").to_list() == ["02-05", "03-04", "04-03"]
    with pytest.raises(UserError, match=r"data.day_first=yes"):
        read_histories(path, Vocabulary.of(TRAINED, settings))


@pytest.mark.parametrize(("zone", "hour"), [("America/New_York", 7), ("UTC", 12), ("", 12)])
def test_times_are_read_by_the_clock_of_the_trained_log(tmp_path, zone, hour):
    path = write(tmp_path, "user,item,time\na,i1,2024-03-01T12:00:00Z\na,i2,2024-03-02T12:00:00Z\n")
    histories, _ = read_histories(path, Vocabulary.of(replace(TRAINED, zone=zone), data()))
    assert (histories.time // 3600 % 24).tolist() == [hour, hour]


def test_cold_items_are_unknown(tmp_path):
    path = write(tmp_path, "user,item,time,event_type\na,i2,2024-03-02,view\na,i4,2024-03-03,view\n")
    assert items(read_histories(path, Vocabulary.of(replace(TRAINED, num_items=3), data()))[0]) == [[2, 0]]


def test_a_log_of_other_items_is_refused_with_examples(tmp_path):
    path = write(tmp_path, "user,item,time\na,x,2024-03-02\na,y,2024-03-03\n")
    with pytest.raises(UserError, match=r"no item .* known .* it has x, y; the model knows i1, i2, i3, i4"):
        read_histories(path, Vocabulary.of(TRAINED, data()))


def test_columns_named_in_the_run_are_used_only_where_they_are(tmp_path):
    settings = data()
    settings.columns.update({"user": "shopper", "item": "thing"})
    text = "user,item,time,event_type\na,i2,2024-03-02,view\n"
    for header in ("user,item", "shopper,thing"):
        path = write(tmp_path, text.replace("user,item", header))
        assert items(read_histories(path, Vocabulary.of(TRAINED, settings))[0]) == [[2]]
    assert settings.columns.user == "shopper", "the run's own config must not change"


def test_an_order_by_position_falls_back_to_time(tmp_path):
    path = write(tmp_path, "user,item,time,event_type\na,i2,2024-03-02,view\na,i1,2024-03-01,view\n")
    assert items(read_histories(path, Vocabulary.of(TRAINED, data(order="position")))[0]) == [[1, 2]]
    path = write(tmp_path, "user,item,position,event_type\na,i2,1,view\na,i1,2,view\n")
    histories, _ = read_histories(path, Vocabulary.of(TRAINED, data(order="position")))
    assert items(histories) == [[2, 1]]
    assert not histories.has_time


def test_a_domain_keeps_its_baskets_and_event_types(tmp_path):
    trained = replace(make_histories([[1, 2, 3]], steps=[[0, 0, 1]]), event_types=("purchase",))
    path = write(tmp_path, "user,item,time\na,i2,2024-03-02\na,i1,2024-03-02\na,i3,2024-03-04\n")
    histories, notes = read_histories(path, Vocabulary.of(trained, complete_journey.get_config().data))
    assert histories.baskets
    assert histories.step.tolist() == [0, 0, 1]
    assert histories.event_types == ("purchase",)
    assert notes == []


@pytest.mark.parametrize("name", ["auto", "rees46"])
def test_a_plain_table_is_read_after_a_log_in_a_public_format(tmp_path, name):
    log = tmp_path / "2019-Oct.csv"
    log.write_text(
        "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session\n"
        "2019-10-10 08:56:08 UTC,view,i1,9,,acme,5.0,7,s\n"
    )
    settings = data(source=str(log), format=name)
    path = write(tmp_path, "user,item,time,event_type\na,i2,2024-03-02,view\n")
    assert items(read_histories(path, Vocabulary.of(TRAINED, settings))[0]) == [[2]]
    assert items(read_histories(log, Vocabulary.of(TRAINED, settings))[0]) == [[1]]


def test_dates_after_the_domain_s_own_are_no_fault(tmp_path):
    path = write(tmp_path, "user,item,time,event_type\na,i2,2024-03-02,view\n")
    histories, notes = read_histories(path, Vocabulary.of(TRAINED, taobao_behavior.get_config().data))
    assert (items(histories), notes) == ([[2]], [])


def test_unusable_rows_are_reported(tmp_path):
    path = write(tmp_path, "user,item,time,event_type\na,i2,2024-03-02,view\na,i1,never,view\n")
    histories, notes = read_histories(path, Vocabulary.of(TRAINED, data()))
    assert items(histories) == [[2]]
    assert "unparsable time" in notes[0]


def test_users_of_whom_nothing_is_read_are_named(tmp_path):
    path = write(tmp_path, "user,item,time,event_type\na,i2,2024-03-02,view\nb,i1,2024-03-02,search\nc,i1,never,view\n")
    histories, notes = read_histories(path, Vocabulary.of(TRAINED, data()))
    assert histories.users["user"].to_list() == ["a"]
    assert notes[-1] == "left out: 2 users without an event that the model reads (b, c)"


def test_one_user_without_a_column_and_behaviour_texts(tmp_path):
    path = write(tmp_path, "时间,行为\n2024-03-01 10:00:00,浏览i1\n2024-03-01 11:00:00,购买i3\n")
    histories, _ = read_histories(path, Vocabulary.of(TRAINED, data()), "A")
    assert (histories.users["user"].to_list(), items(histories)) == (["A"], [[1, 3]])
    assert histories.event_type.tolist() == [1, 2]


def test_missing_features_are_explained(tmp_path):
    trained = replace(TRAINED, feature_names=("speed",), features=np.zeros((6, 1), np.float32))
    path = write(tmp_path, "user,item,time\na,i2,2024-03-02\n")
    with pytest.raises(UserError, match="'speed'"):
        read_histories(path, Vocabulary.of(trained, data()))


def test_a_model_of_labels_wants_their_column(tmp_path):
    trained = replace(make_histories([[1, 1]]), items=pl.DataFrame({"item": ["step"], "interest": [None]}))
    path = write(tmp_path, "user,time,speed\na,2024-03-02,1.5\n")
    with pytest.raises(UserError, match="needs a column label too"):
        read_histories(path, Vocabulary.of(trained, data()))


@pytest.mark.parametrize(
    "text",
    [
        "a::i2::2024-03-01\na::i1::2024-03-02\n",
        "user;item;time\na;i2;2024-03-01\na;i1;2024-03-02\n",
        "user,item,time\na,i2,2024-03-01\na,i1,2024-03-02\n",
        "a,i2,2024-03-01\na,i1,2024-03-02\n",
    ],
)
def test_a_file_may_be_written_otherwise_than_the_log_of_the_run(tmp_path, text):
    settings = data(separator="::", header=("user", "item", "time"), format="")
    histories, _ = read_histories(write(tmp_path, text), Vocabulary.of(TRAINED, settings))
    assert items(histories) == [[2, 1]]


def test_a_data_frame_is_read_as_a_file_of_its_rows_and_named_as_one(tmp_path):
    text = "user,item,time\na,i2,2024-03-02\na,new,2024-03-03\na,i1,never\n"
    path = write(tmp_path, text)
    vocabulary = Vocabulary.of(TRAINED, data())
    (one, said), (other, also) = (read_histories(log, vocabulary) for log in (path, pl.read_csv(path)))
    assert items(one) == items(other) == [[2, 0]]
    assert [note.replace(str(path), "a data frame of 3 rows") for note in said] == also
    with pytest.raises(UserError, match="no item of a data frame of 1 row is known"):
        read_histories(pl.DataFrame({"user": ["a"], "item": ["x"], "time": ["2024-03-02"]}), vocabulary)
