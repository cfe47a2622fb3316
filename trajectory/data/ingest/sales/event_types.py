"""Types of event: their words (English, Chinese, common trackers), their roles, and the type of each row of a log."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection
from functools import cache
from importlib.resources import files

import polars as pl
from ml_collections import ConfigDict

from trajectory import hints
from trajectory.data.ingest.cells.parsing import texts
from trajectory.data.ingest.columns.chinese import simplified
from trajectory.schema import DEFAULT_EVENT_TYPE, EVENT_TYPES, FAILED, ROLES, SERVICE, UserError

# A word's plural means the same. Beside everyday words those of GA4, Segment, Meta, REES46, Retailrocket, Taobao, OTTO.
# fmt: off
WORDS: dict[str, tuple[str, ...]] = {
    "view": ("view", "viewed", "pv", "page view", "pageview", "view item", "product view", "product viewed",
             "view content", "view product", "viewed product", "viewed item", "item view", "item viewed",
             "product detail", "product detail view", "product page view", "product page", "detail",
             "detail view", "browse", "browsed", "listen", "listened", "watch", "watched", "stream", "streamed",
             "浏览", "查看", "观看"),
    "click": ("click", "clicked", "clk", "select item", "product clicked", "product click", "item click",
              "list click", "product list click", "select promotion", "点击", "点开"),
    "cart": ("cart", "add to cart", "added to cart", "add cart", "cart add", "basket", "add to basket",
             "product added", "added product", "product added to cart", "add product to cart", "item added",
             "item added to cart", "加入购物车", "添加购物车", "加购物车", "加购"),
    "favorite": ("favorite", "favourite", "fav", "favorited", "collect", "wishlist", "add to wishlist", "like",
                 "liked", "product added to wishlist", "收藏", "喜欢", "点赞", "关注"),
    "purchase": ("purchase", "purchased", "buy", "bought", "transaction", "order", "ordered", "order completed",
                 "complete purchase", "purchase completed", "placed order", "place order", "order placed",
                 "completed order", "order complete", "ordered product", "checkout completed", "pay", "paid",
                 "sale", "sold", "ecommerce order", "invoice", "inv",
                 "out invoice", "sales order", "sales invoice", "cash sale", "verkauf", "rechnung", "vente",
                 "achat", "facture", "venta", "compra", "factura", "vendita", "acquisto", "fattura", "venda",
                 "fatura", "verkoop", "sprzedaż", "продажа", "売上", "購入", "购买", "买", "下单", "支付", "付款",
                 "成交"),
    "subscribe": ("subscribe", "subscribed", "subscription", "follow", "followed", "订阅"),
    "rating": ("rating", "rate", "rated", "review", "reviewed", "评分", "评价", "打分"),
    "impression": ("impression", "impr", "imp", "show", "shown", "exposure", "exposed", "expose", "view item list",
                   "view promotion", "product list viewed", "list view", "product list view", "product impression",
                   "item impression", "product viewed in list", "曝光", "展示"),
    "search": ("search", "searched", "query", "view search results", "products searched", "site search",
               "搜索", "检索"),
    "checkout": ("checkout", "begin checkout", "initiate checkout", "checkout started",
                 "started checkout", "start checkout", "view cart", "cart viewed",
                 "add shipping info", "add payment info", "结算"),
    "remove_from_cart": ("remove from cart", "removed from cart", "remove", "removed", "cart remove", "uncart",
                         "remove cart", "delete from cart", "product removed", "removed product", "item removed",
                         "product removed from cart", "remove product from cart", "移出购物车", "移除购物车",
                         "删除购物车", "取消加购"),
    "return": ("return", "returned", "refund", "refunded", "order refunded", "refunded order", "order returned",
               "returned order", "cancel", "canceled", "cancelled",
               "cancel order", "canceled order", "cancelled order", "order cancelled", "order canceled", "cancellation",
               "chargeback", "credit note", "credit memo", "cn", "out refund", "return authorization", "return order",
               "sales return", "storno", "stornierung", "gutschrift", "retoure", "rückgabe", "avoir", "remboursement",
               "devolución", "nota de crédito", "reembolso", "reso", "nota di credito", "devolução", "estorno",
               "creditnota", "zwrot", "возврат", "返品", "返金", "退货", "退款", "退单", "取消订单"),
}
# Words that only those beside them tell: a payment is a sale beside returns and no other sale; a renewal is one of a
# subscription, whose end is no return; what comes back from a loan takes no sale back.
_PAYMENTS = ("payment", "charge", "payments", "charges", "zahlung", "paiement", "pago", "pagamento", "betaling")
_SUBSCRIPTIONS = ("subscription renewed", "subscription started", "trial started", "trial", "upgrade", "downgrade",
                  "payment failed", "churn", "subscription cancelled")
_RENEWALS = ("renewal", "renewed", "renew")
_ENDS = ("cancel", "canceled", "cancelled", "cancellation", "subscription cancelled", "subscription canceled")
_LOANS = ("loan", "borrow", "borrowed", "hold", "renew", "renewal", "renewed", "checked out", "ausleihe", "entleihung",
          "prêt", "emprunt", "préstamo", "empréstimo", "prestito", "uitlening", "wypożyczenie", "выдача", "貸出",
          "대출")
_COME_BACK = ("return", "returned", "rückgabe", "retour", "devolución", "devolução", "restituzione", "zwrot", "возврат",
              "返却", "반납")
# fmt: on
_OTHERS = tomllib.loads(files(__package__).joinpath("event_words.toml").read_text("utf-8"))


def roles(data: ConfigDict) -> dict[str, tuple[str, ...]]:
    """Type -> roles: the standard types as `data.event_types` changes them, then its further types.

    With `data.target_types` only these have the role target. UserError for a role that is unknown, for target without
    input, or for a target type that is none.
    """
    roles_of = dict(EVENT_TYPES)
    for event_type, text in data.event_types.items():
        roles_of[event_type] = tuple(role.strip() for role in text.split(",") if role.strip())
        setting = f"data.event_types.{event_type}={','.join(roles_of[event_type])!r}"
        for role in roles_of[event_type]:
            if role not in ROLES:
                near = difflib.get_close_matches(role, ROLES, 1, 0.0)[0]
                raise UserError(
                    f"{setting}: there is no role {role!r}; did you mean {near!r}? Roles: {', '.join(ROLES)}"
                )
        if "target" in roles_of[event_type] and "input" not in roles_of[event_type]:
            raise UserError(f"{setting} has target without input: what is predicted is read too; expected both")
    last = roles_of.pop(DEFAULT_EVENT_TYPE)
    return _of_targets(roles_of | {DEFAULT_EVENT_TYPE: last}, tuple(data.target_types))


def _of_targets(roles_of: dict[str, tuple[str, ...]], target_types: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    for event_type in target_types:
        if event_type not in roles_of:
            known = _built_in().get(plain_word(event_type))
            near = known or difflib.get_close_matches(event_type.lower(), roles_of, 1, 0.0)[0]
            raise UserError(
                f"data.target_types={','.join(target_types)}: there is no type of event {event_type!r}; did you mean "
                f"{near!r}? Types: {', '.join(roles_of)}; a further one is declared by "
                + hints.setting("data.event_types", {event_type: "input,target"})
            )
        if "input" not in roles_of[event_type]:
            own = ",".join(roles_of[event_type]) or "none"
            raise UserError(
                f"data.target_types={','.join(target_types)}: {event_type} has the roles {own}, and what is predicted "
                f"has to be read too; {hints.setting(f'data.event_types.{event_type}', f'input,target,{own}')}"
            )
    if not target_types:
        return roles_of
    return {
        event_type: tuple(role for role in own if role != "target" or event_type in target_types)
        + ("target",) * (event_type in target_types and "target" not in own)
        for event_type, own in roles_of.items()
    }


def selling_types(types: dict[str, tuple[str, ...]]) -> list[str]:
    """The types that sell: with the role sale and not negative."""
    return [event_type for event_type, own in types.items() if "sale" in own and "negative" not in own]


def vocabulary(data: ConfigDict) -> dict[str, str]:
    """Word (plain form) -> type: the built-in words, each type's own name, and above them `data.event_type_map`.

    UserError if `data.event_type_map` leads to a type that is neither standard nor one of `data.event_types`.
    """
    types = roles(data)
    by_hand = {str(word): event_type for word, event_type in data.event_type_map.items()}
    for word, event_type in by_hand.items():
        if event_type not in types:
            declared = hints.setting("data.event_types", {event_type: "input,target"})
            raise UserError(
                f"data.event_type_map maps {word!r} to {event_type!r}; expected one of {', '.join(types)}; give a "
                f"further type roles to declare it: {declared}"
            )
    own = {event_type: event_type for event_type in types} | by_hand
    return _built_in() | {plain_word(word): event_type for word, event_type in own.items()}


@cache  # asked for with each column that may name types
def _built_in() -> dict[str, str]:
    return {
        plain_word(word): event_type
        for known in (_OTHERS, WORDS)
        for event_type, words in known.items()
        for word in words
    }


def canonical(raw: pl.Series, data: ConfigDict) -> pl.Series:
    """Enum: the type of each raw word, null where unknown. Blank means the word "" of `data.event_type_map`."""
    words = vocabulary(data)

    def meaning(word: str | None) -> str | None:
        plain = plain_word(word or "")
        own = plain.removeprefix("sales") or plain  # a sales credit note is a credit note
        forms = (plain, plain.removesuffix("s"), own, own.removesuffix("s"))
        return next((words[form] for form in forms if form in words), None)

    meanings = {word: meaning(word) for word in raw.unique().to_list()}
    meanings |= _by_others({word: plain_word(word or "") for word in meanings}, meanings, data)
    return raw.replace_strict(meanings, return_dtype=pl.Enum(list(roles(data))))


def _by_others(
    words: dict[str | None, str], meanings: dict[str | None, str | None], data: ConfigDict
) -> dict[str | None, str | None]:
    """The meanings, other than those given, of words (with their plain form) that only those beside them tell."""
    free = {word: plain for word, plain in words.items() if plain not in map(plain_word, data.event_type_map)}
    types, plain_words = {*meanings.values()}, {*words.values()}

    def some(known: Collection[str]) -> set[str]:
        return plain_words & {*map(plain_word, known)}

    subscribed = bool(some(_SUBSCRIPTIONS) or (some(_RENEWALS) and some(_ENDS)))
    sales = some(_RENEWALS) if subscribed else set[str]()
    if "return" in types and "purchase" not in types:
        sales |= some(_PAYMENTS)
    lent = bool(some(_LOANS)) and not subscribed and not {"purchase", "cart"} & types
    unknown = (some(_ENDS) if subscribed else set[str]()) | (some(_COME_BACK) if lent else set[str]())
    told = dict.fromkeys(sales, "purchase") | dict.fromkeys(unknown)
    return {word: told[plain] for word, plain in free.items() if plain in told}


def default_event_type(columns: Collection[str], data: ConfigDict) -> tuple[str, str]:
    """The type of every event of a log that has no column for it, and what told it.

    That is `data.event_type_map[""]`, else what the canonical columns of the log suggest, else "event", no sale.
    """
    if stated := vocabulary(data).get(""):
        return stated, "data.event_type_map"
    if "rating" in columns:
        return "rating", "a column of ratings"
    for column, words in (
        ("quantity", "a column of quantities"),
        ("basket", "a column of baskets or orders"),
        ("failed", "a column of the status of orders"),
        ("sold", "columns that are called so"),
    ):
        if column in columns:
            return "purchase", words
    return DEFAULT_EVENT_TYPE, "nothing in the log"


def with_meaning(events: pl.DataFrame, data: ConfigDict) -> pl.DataFrame:
    """The rows of a log with the column `meaning`, their type (null where its word is unknown).

    Sales whose order came to nothing (`failed`, `void`) are of the type "failed_order", those that take back (`back`),
    of a quantity or a value below 0, "return", sales and returns of no goods (`service`)
    "service_line", ratings below `data.rating_threshold` "low_rating"; quantity and value of what is taken back are
    given without their sign.
    """
    if "event_type" in events.columns:
        events = events.with_columns(meaning=canonical(events["event_type"], data))
    else:
        events = events.with_columns(
            meaning=pl.lit(default_event_type(events.columns, data)[0], pl.Enum(list(roles(data))))
        )
    known = roles(data)
    meaning, types = pl.col("meaning"), pl.Enum(list(known))
    if data.rating_threshold > 0:
        if "rating" not in events.columns:
            raise UserError(
                f"data.rating_threshold={data.rating_threshold} needs ratings, and the log has no column for them; set "
                "data.columns.rating"
            )
        low = (meaning == "rating") & (pl.col("rating") < data.rating_threshold)
        events = events.with_columns(meaning=pl.when(low).then(pl.lit("low_rating", types)).otherwise(meaning))
    if came_to := {"failed", "void"} & {*events.columns}:
        nothing = meaning.is_in(selling_types(known)) & pl.any_horizontal(came_to)
        events = events.with_columns(meaning=pl.when(nothing).then(pl.lit(FAILED, types)).otherwise(meaning))
    amounts = [name for name in ("quantity", "value") if name in events.columns]
    told = [pl.col("back")] if "back" in events.columns else []
    if amounts or told:
        below = [(pl.col(name) < 0).fill_null(False) for name in amounts]
        back = meaning.is_in(selling_types(known)) & pl.any_horizontal(*below, *told)
        events = events.with_columns(meaning=pl.when(back).then(pl.lit("return", types)).otherwise(meaning))
    if "service" in events.columns:
        events = events.with_columns(meaning=pl.when("service").then(pl.lit(SERVICE, types)).otherwise(meaning))
    taken_back = [event_type for event_type, own in known.items() if "negative" in own]
    negative = events["meaning"].is_in(taken_back).fill_null(False)
    if not negative.any():
        return events
    return events.with_columns(
        pl.when(negative).then(pl.col(name).abs()).otherwise(pl.col(name)).alias(name) for name in amounts
    )


def of_sales(columns: dict[str, pl.Series], data: ConfigDict, back: bool = True) -> pl.Series | None:
    """Which rows are of a type that sells or, with `back`, takes sales back; None where the whole log is of another.

    Rows without a user or an item are none: they are set aside.
    """
    known = roles(data)
    selling = [event_type for event_type, own in known.items() if "sale" in own] if back else selling_types(known)
    whole = columns["item"].is_not_null()
    if "user" in columns:
        whole &= columns["user"].is_not_null()
    if "event_type" in columns:
        return canonical(columns["event_type"], data).is_in(selling).fill_null(False) & whole
    return whole if default_event_type(columns, data)[0] in selling else None


def event_type_table(events: pl.DataFrame, marked: pl.Series, data: ConfigDict) -> pl.DataFrame:
    """One row for each type of the marked rows, in the order of `roles`: type, words (most used first), rows, roles.

    Where an amount made the type, that is said instead of the word alone: "buy, below 0".
    """
    known = roles(data)
    word = pl.col("event_type") if "event_type" in events.columns else pl.lit(None, pl.String)
    pairs = events.lazy().select(word.alias("word"), pl.col("meaning").alias("type")).filter(marked)
    counted = pairs.group_by("type", "word").len().with_columns(pl.col("type", "word").cast(pl.String)).collect()
    for event_type, below in (("return", "below 0"), ("low_rating", "below data.rating_threshold")):
        stated = canonical(counted["word"], data).cast(pl.String)
        made = (pl.col("type") == event_type) & (stated != event_type).fill_null(True)
        word = pl.concat_str("word", pl.lit(below), separator=", ", ignore_nulls=True)
        counted = counted.with_columns(word=pl.when(made).then(word).otherwise("word"))
    table = (
        counted.sort("len", "word", descending=[True, False])
        .group_by("type", maintain_order=True)
        .agg(words=pl.col("word").drop_nulls(), rows=pl.col("len").sum())
    )
    order = {event_type: number for number, event_type in enumerate(known)}
    return table.sort(pl.col("type").replace_strict(order)).with_columns(
        roles=pl.col("type").replace_strict({event_type: ", ".join(own) for event_type, own in known.items()})
    )


def split_behaviour(raw: pl.Series, data: ConfigDict) -> tuple[pl.Series, pl.Series]:
    """Type word and item of texts such as "浏览商品1" or "view item 1".

    A text that starts with no known type word has no item (null), and is its own type word.
    """
    words = sorted((word for word in _spellings(data) if word), key=len, reverse=True)  # longest first: 加购物车, 加购
    latin = "|".join(re.escape(word).replace(r"\ ", "[ _-]?") for word in words if word.isascii())
    other = "|".join(re.escape(word) for word in words if not word.isascii())
    # A Latin word ends where a separator follows ("viewer 1" is no view); a Chinese one needs none.
    pattern = rf"(?i)^(?:({latin})[\s:_\-]+|({other})[了过]?[\s:：_\-]*)(\S.*)$"
    text = texts(raw)
    event_type = text.str.extract(pattern, 1)
    event_type = event_type.zip_with(event_type.is_not_null(), text.str.extract(pattern, 2))
    return event_type.zip_with(event_type.is_not_null(), text), text.str.extract(pattern, 3)


def _spellings(data: ConfigDict) -> list[str]:
    own = [str(word) for word in (*data.event_type_map, *roles(data))]
    # "view item" is one word for a type, but in "view item 1" the item is "item 1".
    return [word for words in WORDS.values() for word in words if not word.endswith(" item")] + own


def plain_word(word: str) -> str:
    """As words are compared: without case, white space, "_" and "-", in simplified Chinese; the second letter of a
    Turkish İ is left off.
    """
    return simplified(re.sub(r"[\s_\-]", "", str(word))).lower().replace("\u0307", "")
