"""Users who are visits or orders, each new, and the column of the people that they are of, by how its values nest."""

from __future__ import annotations

import polars as pl

from trajectory.data.ingest.cells.parsing import texts
from trajectory.data.ingest.columns.detect import LOG_NAMES, SESSIONS, matching
from trajectory.data.ingest.columns.name_words import has_word, name_words
from trajectory.data.ingest.columns.overview import may_be_ids
from trajectory.data.ingest.findings import Findings

# fmt: off
_VISITS = ("session", "sessions", "visit", "visits")
_PEOPLE = ("customer", "cust", "client", "buyer", "shopper", "member", "user", "visitor", "person", "people", "profile",
           "account", "household", "email", "mail", "phone", "cookie", "device", "loyalty", "unique", "kunde",
           "cliente")
# Of a place, which many people share.
_PLACES = ("zip", "postal", "postcode", "plz", "cep", "city", "state", "country", "region", "lat", "lng", "lon",
           "geolocation", "store", "shop", "seller", "campaign", "agent", "browser", "page", "url", "ip")
# fmt: on
_LOOKED_AT = 1_000_000  # rows
_MANY = 50  # orders, from which on it is strange that nobody has two
_FEW, _SHARE = 10, 0.02  # people at least, by number and as a share of the users


def doubt_users(table: pl.DataFrame, fields: dict[str, str], used: set[str], said: Findings) -> None:
    """Asks about a column of users that holds visits, or is new with each order, and proposes the people's.

    `used`: columns that mean something else.
    """
    name = fields["user"]
    visits = bool(matching([name], SESSIONS) or {*name_words(name)} & {*_VISITS})
    head = table.head(_LOOKED_AT)
    if not visits and not _new_with_orders(head, fields):
        return
    people = _people(head, name, used, visits)
    if visits:
        text = f"{name} is read as the user, as no column is known to hold people: each session is its own user, and"
        text += " what somebody does over several visits is neither learned nor forecast"
    elif people:
        text = f"{name} is new with each order ({head[name].n_unique():,} users, as many orders)"
    else:
        return
    if people:
        text += f"; each has one {people}, of which there are {head[people].drop_nulls().n_unique():,}: is that who"
        text += f" {'comes' if visits else 'buys'}?"
    setting = f"data.columns.user={people}" if people else "data.columns.user=COLUMN, if one holds people"
    said.note("users", text, setting, warning=True)


def _new_with_orders(table: pl.DataFrame, fields: dict[str, str]) -> bool:
    """Whether each user has one order, and each order one user, and some have several lines."""
    if "basket" not in fields:
        return False
    pairs = table.select(user=fields["user"], order=fields["basket"]).drop_nulls()
    both = pairs.n_unique()
    return _MANY <= both < pairs.height and both == pairs["user"].n_unique() == pairs["order"].n_unique()


def _people(table: pl.DataFrame, user: str, used: set[str], visits: bool) -> str:
    """The column of ids that each user has one of and some share: of those called so, else of all, the one with most
    values; "" if there is none.
    """
    counts = dict[str, int]()
    for column in table:
        if column.name in used or column.dtype.is_nested() or has_word(column.name, _PLACES):
            continue
        if matching([column.name], SESSIONS) or not may_be_ids(column) or not _of_marks(column):
            continue
        pairs = table.select(user=user, person=column).drop_nulls()
        users, people = pairs["user"].n_unique(), pairs["person"].n_unique()
        if max(_FEW, _SHARE * users) <= people < users == pairs.n_unique():
            counts[column.name] = people
    called = matching(counts, LOG_NAMES["user"]) or [name for name in counts if has_word(name, _PEOPLE)]
    return max(called or counts, key=lambda name: counts[name], default="")


def _of_marks(column: pl.Series) -> bool:
    """Whether most cells are one word with digits or an @ in it, as ids are and names of things are not."""
    cells = texts(column.drop_nulls().head(1000)).drop_nulls()
    return 2 * int((cells.str.contains(r"[\d@]") & ~cells.str.contains(r"\s")).sum()) > len(cells)
