from __future__ import annotations

import numpy as np

from tests.builders import make_histories, random_histories
from trajectory.data.sample import some_users

LOG = random_histories(50, 20, 9)


def test_some_users_keep_their_events_in_order(capsys):
    some = some_users(LOG, 12)
    assert (some.num_users, some.num_items, len(some.items)) == (12, 20, 20)
    place = {name: i for i, name in enumerate(LOG.users["user"])}
    for row, name in enumerate(some.users["user"]):
        mine, whole = (slice(*h.offsets[i : i + 2]) for h, i in ((some, row), (LOG, place[name])))
        for column in ("item", "time", "step", "kind"):
            np.testing.assert_array_equal(getattr(some, column)[mine], getattr(LOG, column)[whole])
    assert capsys.readouterr().out == f"12 of 50 users of made_up, {some.num_events:,} events (split.users)\n"
    assert some.fingerprint not in (LOG.fingerprint, some_users(LOG, 13).fingerprint)
    assert some_users(LOG, 12).users.equals(some.users), "always the same ones"


def test_all_users_are_the_log_itself():
    assert some_users(LOG, 0) is some_users(LOG, 50) is LOG


def test_long_histories_are_drawn_before_short_ones():
    log = make_histories([[1]] * 200 + [list(range(1, 200))] * 5)
    assert (np.diff(some_users(log, 5).offsets) > 1).sum() >= 3
