"""Logs of sessions without users: Yoochoose, Diginetica and OTTO. Each session is taken as a user."""

from __future__ import annotations

import polars as pl

from trajectory.data.files.files import Part
from trajectory.data.formats.layout import File, Format, described, words
from trajectory.data.formats.nested import records
from trajectory.data.ingest.source.settings import Settings

_MS = "timeframe"


def _contexts(log: pl.DataFrame, _: dict[str, pl.DataFrame]) -> tuple[pl.DataFrame, None]:
    """Clicks tell in what context: 1 to 12 a category, S an offer, 0 nothing, longer numbers a brand."""
    changes = []
    if "context" in log.columns:
        text = words("context")
        category = pl.when(text.str.contains(r"^([1-9]|1[0-2])$")).then(text)
        changes = [category.alias("category"), pl.when(text.str.contains(r"^\d{3,}$")).then(text).alias("brand")]
    if "quantity" in log.columns:
        changes += [words(name).replace("0", None).alias(name) for name in ("price", "quantity")]
    return log.with_columns(changes), None


def _products(log: pl.DataFrame, beside: dict[str, pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    if "categories" not in beside:
        return log, None
    items = described(beside["categories"], "itemId", category=words("categoryId"))
    return log, items.unique("item_id", keep="first", maintain_order=True)


def _sessions(part: Part) -> pl.DataFrame:
    event = pl.Struct({"aid": pl.Int64, "ts": pl.Int64, "type": pl.String})
    return records(part, {"session": pl.Int64, "events": pl.List(event)}, explode="events")


def _settings(
    columns: dict[str, str], event_type_map: dict[str, str] | None = None, interest: str = "category"
) -> Settings:
    return Settings(columns=columns, event_type_map=event_type_map, interest_column=interest)


YOOCHOOSE = (
    Format(
        "Yoochoose",
        log=(
            File(
                name="*clicks*",
                line=r"\d+,\d{4}-\d\d-\d\dT[\d:.]+Z,\d+,(S|\d+)",
                header=("session_id", "timestamp", "item_id", "context"),
                separator=",",
                event_type="click",
            ),
            File(
                name="*buys*",
                line=r"\d+,\d{4}-\d\d-\d\dT[\d:.]+Z,\d+,\d+,\d+",
                header=("session_id", "timestamp", "item_id", "price", "quantity"),
                separator=",",
                event_type="purchase",
            ),
        ),
        settings=_settings(
            {
                **{"user": "session_id", "item": "item_id", "time": "timestamp", "event_type": "event_type"},
                **{"value": "price", "quantity": "quantity"},
            }
        ),
        reshape=_contexts,
        note="a session is taken as a user; a price or quantity of 0 is unknown; a context of 1 to 12 is a category, "
        "of three and more digits a brand",
    ),
)
DIGINETICA = (
    Format(
        "Diginetica",
        log=(
            File(
                name="*item-views*", columns=("sessionId", "itemId", _MS, "eventdate"), separator=";", event_type="view"
            ),
            File(
                name="*purchases*",
                columns=("sessionId", _MS, "eventdate", "ordernumber", "itemId"),
                separator=";",
                event_type="purchase",
            ),
        ),
        settings=_settings(
            {
                **{"user": "sessionId", "item": "itemId", "time": "eventdate", "position": _MS},
                **{"event_type": "event_type", "basket": "ordernumber"},
            }
        ),
        beside={"categories": File(name="product-categories*", columns=("itemId", "categoryId"), separator=";")},
        reshape=_products,
        note="a session is taken as a user (userId is mostly NA); within its day timeframe tells the order; searches, "
        "clicks on their results and prices (logarithms) are not read",
    ),
)
OTTO = (
    Format(
        "OTTO",
        log=(File(columns=("session", "events", "aid", "ts", "type"), read=_sessions),),
        settings=_settings({"user": "session", "item": "aid", "time": "ts", "event_type": "type"}, interest=""),
        note="a session is taken as a user; nothing is known of items",
    ),
    Format(
        "OTTO as a table",
        log=(File(columns=("session", "aid", "ts", "type")),),
        settings=_settings(
            {"user": "session", "item": "aid", "time": "ts", "event_type": "type"},
            {"0": "click", "1": "cart", "2": "purchase"},
            interest="",
        ),
        note="a session is taken as a user; nothing is known of items",
    ),
)
