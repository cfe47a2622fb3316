"""Whether a column that is called user is the staff of a shop, where a column of customers lies beside it."""

from __future__ import annotations

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.ingest.columns.detect import LOG_NAMES, matching
from trajectory.data.ingest.columns.name_words import has_word, name_words
from trajectory.data.ingest.findings import Findings

_STAFF = ("user", "uid", "username", "account", "login", "profile")  # what the people at a till may be called, too
_CUSTOMERS = (
    "customer", "cust", "client", "buyer", "shopper", "member", "guest", "loyalty", "kunde", "kunden", "kundennummer",
    "debitor", "acheteur", "cliente", "comprador", "acquirente", "klant", "klient", "клиент", "покупатель", "müşteri",
    "会員", "顧客", "会员", "客户", "고객", "회원",
)  # fmt: skip
PEOPLE = (*_CUSTOMERS, *_STAFF, "visitor", "person", "household", "email", "mail", "cookie", "device")
_TIMES = 5  # as many customers as users, from which these are staff


def customers(table: pl.DataFrame, fields: dict[str, str], data: ConfigDict, said: Findings) -> dict[str, str]:
    """The fields with the customer as the user, where the column that was found has far fewer people; else, where both
    name somebody else, it is asked which is meant.
    """
    name = fields.get("user", "")
    if not name or data.columns.user or not {*name_words(name)} & {*_STAFF} or has_word(name, _CUSTOMERS):
        return fields
    free = [column for column in table.columns if column not in fields.values()]
    named = [column for column in matching(free, LOG_NAMES["user"]) if has_word(column, _CUSTOMERS)]
    named = [column for column in named if not table[column].dtype.is_nested() and table[column].count()]
    if not named:
        return fields
    customer = named[0]
    users, others = table[name].drop_nulls().n_unique(), table[customer].drop_nulls().n_unique()
    if others >= _TIMES * users:
        text = f"{customer} ({others:,} people) is read as the user, not {name} ({users:,}), who may be staff"
        said.note("users", text, f"data.columns.user={name}", warning=True)
        return fields | {"user": customer}
    if table.select(name, customer).drop_nulls().n_unique() > max(users, others):
        text = f"{name} ({users:,} people) is read as the user, {customer} ({others:,}) is not: which is meant?"
        said.note("users", text, f"data.columns.user={customer}", warning=True)
    return fields
