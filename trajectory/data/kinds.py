"""Words for kinds of event, English and Chinese, and behaviour texts such as "浏览商品1" that hold kind and item."""

from __future__ import annotations

import re

import polars as pl
from ml_collections import ConfigDict

from trajectory.data.values import texts
from trajectory.schema import DEFAULT_KIND, STANDARD_KINDS, UserError

# fmt: off
WORDS: dict[str, tuple[str, ...]] = {
    "view": ("view", "viewed", "pv", "page view", "pageview", "view item", "product view", "detail", "browse",
             "browsed", "浏览", "查看", "观看"),
    "click": ("click", "clicked", "clk", "点击", "点开"),
    "cart": ("cart", "add to cart", "added to cart", "add cart", "cart add", "basket", "add to basket", "加入购物车",
             "添加购物车", "加购物车", "加购"),
    "favorite": ("favorite", "favourite", "fav", "favorited", "collect", "wishlist", "add to wishlist", "like",
                 "liked", "收藏", "喜欢", "点赞", "关注"),
    "purchase": ("purchase", "purchased", "buy", "bought", "transaction", "order", "ordered", "pay", "paid", "购买",
                 "买", "下单", "支付", "付款", "成交"),
}
# fmt: on


def vocabulary(data: ConfigDict) -> dict[str, str]:
    """Word (plain form) -> kind: the built-in words, `data.extra_kinds`, and above them `data.kind_map`.

    UserError if `data.kind_map` leads to a kind that is neither standard nor one of `data.extra_kinds`.
    """
    kinds = (*STANDARD_KINDS, DEFAULT_KIND, *data.extra_kinds)
    asked = {str(word): kind for word, kind in data.kind_map.items()}
    for word, kind in asked.items():
        if kind not in kinds:
            raise UserError(
                f"data.kind_map maps {word!r} to {kind!r}; expected one of {', '.join(kinds)}; "
                "add further kinds to data.extra_kinds"
            )
    built_in = {word: kind for kind, words in WORDS.items() for word in words}
    itself = {kind: kind for kind in (DEFAULT_KIND, *data.extra_kinds)}
    return {_plain(word): kind for word, kind in (built_in | itself | asked).items()}


def canonical(raw: pl.Series, data: ConfigDict) -> pl.Series:
    """String: the kind of each raw word, null where unknown. Blank means the word "" of `data.kind_map`."""
    words = vocabulary(data)
    distinct = raw.unique()
    meaning = {word: words.get(_plain(word or "")) for word in distinct.to_list()}
    return raw.replace_strict(meaning, return_dtype=pl.String)


def unstated(data: ConfigDict) -> str:
    """The kind of every event of a log that has no kind column: `data.kind_map[""]`, else "event"."""
    return vocabulary(data).get("", DEFAULT_KIND)


def split_behaviour(raw: pl.Series, data: ConfigDict) -> tuple[pl.Series, pl.Series]:
    """Kind word and item of texts such as "浏览商品1" or "view item 1".

    A text that starts with no known kind word has no item (null), and is its own kind word.
    """
    words = sorted((word for word in _spellings(data) if word), key=len, reverse=True)  # longest first: 加购物车, 加购
    latin = "|".join(re.escape(word).replace(r"\ ", "[ _-]?") for word in words if word.isascii())
    other = "|".join(re.escape(word) for word in words if not word.isascii())
    # A Latin word ends where a separator follows ("viewer 1" is no view); a Chinese one needs none.
    pattern = rf"(?i)^(?:({latin})[\s:_\-]+|({other})[了过]?[\s:：_\-]*)(\S.*)$"
    text = texts(raw)
    kind = text.str.extract(pattern, 1)
    kind = kind.zip_with(kind.is_not_null(), text.str.extract(pattern, 2))
    return kind.zip_with(kind.is_not_null(), text), text.str.extract(pattern, 3)


def _spellings(data: ConfigDict) -> list[str]:
    own = [str(word) for word in (*data.kind_map, *data.extra_kinds)]
    # "view item" is one word for a kind, but in "view item 1" the item is "item 1".
    return [word for words in WORDS.values() for word in words if word != "view item"] + own


def _plain(word: str) -> str:
    return re.sub(r"[\s_\-]", "", str(word)).lower()
