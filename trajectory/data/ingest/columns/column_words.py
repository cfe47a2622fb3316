"""Names of columns put together from words, "Customer Code", "buyer-email", and those of other languages."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from itertools import product

# fmt: off
_IDS = ("id", "ids", "no", "nr", "number", "num", "code", "key", "ref", "reference", "uuid", "guid", "hash")
_LOGINS = ("username", "user name", "login", "account", "email", "email address", "mail")
_USERS = ("customer", "buyer", "client", "shopper", "consumer", "purchaser", "cust", "member", "visitor", "household",
          "reviewer", "guest", "loyalty", "loyalty card", "card", "subscriber", "user", "viewer", "person", "profile",
          "contact", "reader", "patron", "borrower", "bidder", "member card", "customer card", "club card",
          "membership", "listener", "player", "rider", "passenger", "donor",
          "business partner", "partner", "party", "bill to customer", "sell to customer", "bill to", "sold to",
          "sold to party", "source customer")
_ITEMS = ("item", "product", "article", "sku", "goods", "listing", "material", "variant", "asset", "stock item",
          "inventory item", "prod", "plu", "ean", "gtin", "upc", "barcode", "content", "track", "movie", "book",
          "offer", "part", "bib", "merchandise", "menu item", "dish", "recipe", "song", "artist", "video", "episode",
          "course", "game", "lot", "venue", "place", "hotel", "restaurant")
_TIMES = ("event", "order", "sale", "sales", "sold", "purchase", "purchased", "ordered", "transaction", "txn", "trx",
          "invoice", "receipt", "bill", "document", "posting", "booking", "checkout", "click", "view", "visit",
          "session", "request", "created", "creation", "create", "placed", "order creation", "order placed",
          "order created", "interaction", "activity", "action", "log", "server", "hit", "watch", "listen", "played",
          "rated", "rating", "opened", "review", "shop", "shopping", "occurred", "recorded",
          "viewed", "clicked", "visited", "searched", "watched", "listened", "carted", "bought")
_WHEN = ("timestamp", "datetime", "date time", "date and time", "time", "at", "date", "on", "utc", "ts", "day")
# fmt: on
# Field -> what the column is of, words that say how it is known, behind it and before it.
_BUILT = {
    "user": (_USERS, (*_IDS, *_LOGINS), ("id", "code")),
    "item": (_ITEMS, _IDS, ("id", "code")),
    "title": (_ITEMS, ("title", "name"), ()),
    "time": (_TIMES, _WHEN, ("timestamp", "datetime", "date", "date of", "time of")),
}
# Without such a word: these are no flags.
_ALONE = {
    "user": (
        "customer",
        "buyer",
        "client",
        "shopper",
        "household",
        "purchaser",
        "loyalty card",
        "patron",
        "borrower",
        "bidder",
    ),
    "item": (
        *("item", "product", "article", "sku", "material", "variant", "asset", "stock item", "plu", "ean", "gtin"),
        *("upc", "barcode", "listing", "movie", "track", "book", "merchandise", "part", "dish"),
    ),
    "time": ("created", "ordered", "purchased", "sold", "placed", "occurred", "recorded", "date created"),
}
_OTHERS = tomllib.loads(files(__package__).joinpath("column_words.toml").read_text("utf-8"))


def names(field: str) -> tuple[str, ...]:
    """The names that a column may have, best first, of a field that the file of words has."""
    things, suffixes, prefixes = _BUILT.get(field, ((), (), ()))
    after = [f"{thing} {suffix}" for suffix, thing in product(suffixes, things)]
    before = [f"{prefix} {thing}" for prefix, thing in product(prefixes, things)]
    return (*after, *before, *_ALONE.get(field, ()), *_OTHERS[field])
