from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from tests.builders import make_histories, random_histories
from trajectory.data.store.sample import first_look, some_users
from trajectory.data.store.union import union

LOG = random_histories(50, 20, 9)


def test_some_users_keep_their_events_in_order(capsys):
    some = some_users(LOG, 100)
    assert some.num_events <= 100 < LOG.num_events
    assert (some.num_items, len(some.items)) == (20, 20)
    place = {name: i for i, name in enumerate(LOG.users["user"])}
    for row, name in enumerate(some.users["user"]):
        mine, whole = (slice(*h.offsets[i : i + 2]) for h, i in ((some, row), (LOG, place[name])))
        for column in ("item", "time", "step", "event_type"):
            np.testing.assert_array_equal(getattr(some, column)[mine], getattr(LOG, column)[whole])
    told = capsys.readouterr().out
    assert f"{some.num_users} of 50 users of made_up and their {some.num_events} of {LOG.num_events} events" in told
    assert some.whole == (LOG.fingerprint, 50, LOG.num_events)
    assert some.fingerprint not in (LOG.fingerprint, some_users(LOG, 101).fingerprint)
    assert some_users(LOG, 100).users.equals(some.users), "always the same ones"


def test_several_logs_are_some_of_their_users_together():
    other = replace(LOG, name="other")
    both = union([some_users(LOG, 100), other])
    assert first_look(both).startswith(f"a first look at {both.num_users} of 100 users of made_up+other and their ")
    assert f"{both.num_events} of {2 * LOG.num_events} events" in first_look(both)
    assert first_look(union([LOG, other])) == ""


def test_all_users_are_the_log_itself():
    assert some_users(LOG, 0) is some_users(LOG, LOG.num_events) is LOG


def test_long_histories_are_drawn_before_short_ones():
    log = make_histories([[1]] * 200 + [list(range(1, 200))] * 5)
    assert (np.diff(some_users(log, 700).offsets) > 1).sum() >= 3


def test_what_others_did_outside_their_histories_goes_with_them():
    users = LOG.users["user"]
    returns = pl.DataFrame({"user": users, "type": ["return"] * len(users)})
    some = some_users(replace(LOG, outside=returns), 100)
    assert some.outside["user"].to_list() == some.users["user"].to_list()
