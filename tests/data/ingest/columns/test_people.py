"""Users who are visits or orders, and the column of the people that they are of."""

from pathlib import Path

import pytest

from tests.raw_logs import cleaned, from_text
from trajectory.data.ingest.quality.doubts import doubt_events
from trajectory.schema import EventLog


def asked(log: EventLog) -> list[tuple[str, str]]:
    return [(note["text"], note["setting"]) for note in log.detected["notes"] if note["topic"] == "users"]


def visits(folder: Path, name: str, beside: str = "", cell: str = "", **changes: object) -> EventLog:
    """Twenty visits of three events each; `cell` formats what column `beside` says of a visit: by its number, by that
    of eleven, by a letter of eleven.
    """
    visit = [(i // 3, i // 3 % 11, "ABCDEFGHIJK"[i // 3 % 11]) for i in range(60)]
    rows = [f"s{i // 3},i{i % 7},{1_700_000_000 + i},{cell.format(*visit[i])}" for i in range(60)]
    return from_text(folder, "\n".join([f"{name},item_id,timestamp,{beside or 'channel'}", *rows]) + "\n", **changes)


@pytest.mark.parametrize(
    "name",
    ["session_id", "Visit ID", "ga_session_id", "Sitzungs-ID", "ID сессии", "id de sesión", "セッションID", "会话id"],
)
def test_visits_that_are_read_as_users_are_said_to_be_so(tmp_path: Path, name: str) -> None:
    log = visits(tmp_path, name, **({"columns": {"user": name}} if name == "ga_session_id" else {}))
    assert log.detected["columns"]["user"] == name
    if name == "ga_session_id":  # asked for
        assert asked(log) == []
        return
    ((text, setting),) = asked(log)
    assert text.startswith(f"{name} is read as the user")
    assert "over several visits is neither learned nor forecast" in text
    assert setting == "data.columns.user=COLUMN, if one holds people"


def test_people_beside_visits_are_the_users_or_proposed(tmp_path: Path) -> None:
    assert asked(visits(tmp_path, "session_id", "visitor_id", "v{0}")) == []
    rows = [f"s{i // 3},i{i % 7},{1_700_000_000 + i},h{i // 3 % 11},4{i // 3 % 12}" for i in range(60)]
    for name in ("phone", "xid"):
        log = from_text(tmp_path, "\n".join([f"session_id,item_id,timestamp,{name},zip", *rows]) + "\n")
        ((text, setting),) = asked(log)
        assert text.endswith(f"each has one {name}, of which there are 11: is that who comes?")
        assert setting == f"data.columns.user={name}"


def test_what_a_visit_has_several_of_or_all_share_is_no_person(tmp_path: Path) -> None:
    for beside, cell in (
        ("place", "town{2}"),
        ("landing", "page {1}"),
        ("zip", "1{1}"),
        ("xid", "x1"),
        ("xid", "x{0}"),
    ):
        ((_, setting),) = asked(visits(tmp_path, "session_id", beside, cell))
        assert setting == "data.columns.user=COLUMN, if one holds people"


def orders(folder: Path, names: str, cells: str) -> EventLog:
    """Sixty orders of two lines by customers who are new with each; `cells` formats further columns."""
    rows = [f"o{i // 2},c{i // 2},i{i % 9},{1_700_000_000 + i // 2},{cells.format(i // 2 % 51)}" for i in range(120)]
    return from_text(folder, "\n".join([f"order_id,customer_id,product_id,timestamp,{names}", *rows]) + "\n")


@pytest.mark.parametrize("person", ["customer_unique_id", "person_ref", "kenner", "顧客のメール"])
def test_users_who_are_new_with_each_order_are_of_people_by_how_these_nest(tmp_path: Path, person: str) -> None:
    log = orders(tmp_path, f"customer_zip,{person},customer_city", "1{0},p{0},rio")
    ((text, setting),) = asked(log)
    assert text == (
        f"customer_id is new with each order (60 users, as many orders); each has one {person}, of which there are 51: "
        "is that who buys?"
    )
    assert setting == f"data.columns.user={person}"
    assert not any("Every user has one order" in text for text in doubts(log, tmp_path))


def test_without_such_a_column_it_is_only_asked_whether_users_are_orders(tmp_path: Path) -> None:
    log = orders(tmp_path, "customer_zip,customer_city", "1{0},rio")
    assert asked(log) == []
    assert any("Every user has one order" in text for text in doubts(log, tmp_path))


def doubts(log: EventLog, folder: Path) -> list[str]:
    clean = cleaned(log, folder)
    return [text for text, _ in doubt_events(clean.events, clean.types, log.detected)]
