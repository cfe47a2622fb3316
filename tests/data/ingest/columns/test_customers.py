"""Users who are the staff of a shop, beside its customers."""

from pathlib import Path

import pytest

from tests.raw_logs import from_text
from trajectory.schema import EventLog


def till(folder: Path, user: str, customer: str, staff: int, **changes: object) -> EventLog:
    rows = [f"s{i % staff},c{i % 40},i{i % 7},{1_700_000_000 + i}" for i in range(120)]
    return from_text(folder, "\n".join([f"{user},{customer},sku,timestamp", *rows]) + "\n", **changes)


def asked(log: EventLog) -> list[tuple[str, str]]:
    return [(note["text"], note["setting"]) for note in log.detected["notes"] if note["topic"] == "users"]


@pytest.mark.parametrize("user", ["User", "user_id", "uid"])
@pytest.mark.parametrize("customer", ["Customer Code", "customer_id", "Kundennummer", "member no"])
def test_a_few_users_beside_many_customers_are_staff(tmp_path: Path, user: str, customer: str) -> None:
    log = till(tmp_path, user, customer, staff=3)
    assert log.detected["columns"]["user"] == customer
    text = f"{customer} (40 people) is read as the user, not {user} (3), who may be staff"
    assert asked(log) == [(text, f"data.columns.user={user}")]
    by_hand = till(tmp_path, user, customer, staff=3, columns={"user": user})
    assert by_hand.detected["columns"]["user"] == user
    assert asked(by_hand) == []


def test_as_many_users_as_customers_are_asked_about_unless_they_are_the_same(tmp_path: Path) -> None:
    log = till(tmp_path, "user_id", "customer_id", staff=30)
    assert log.detected["columns"]["user"] == "user_id"
    text = "user_id (30 people) is read as the user, customer_id (40) is not: which is meant?"
    assert asked(log) == [(text, "data.columns.user=customer_id")]
    assert asked(till(tmp_path, "user_id", "customer_id", staff=40)) == []


def test_what_else_bears_a_customers_name_is_no_user(tmp_path: Path) -> None:
    log = till(tmp_path, "user_id", "customer review", staff=3)
    assert log.detected["columns"]["user"] == "user_id"
