"""Presets for public raw logs: known by their shape or asked for by `data.format`, one file a family."""

from __future__ import annotations

from trajectory.data.formats import (
    alibaba,
    amazon,
    ga4,
    instacart,
    media,
    mind,
    movielens,
    online_retail,
    recbole,
    sessions,
    shops,
)
from trajectory.data.formats.layout import Format

FORMATS: dict[str, tuple[Format, ...]] = {
    "movielens": movielens.FORMATS,
    "amazon": amazon.FORMATS,
    "taobao": alibaba.TAOBAO,
    "tianchi_mobile": alibaba.TIANCHI_MOBILE,
    "tmall": alibaba.TMALL,
    "retailrocket": shops.RETAILROCKET,
    "rees46": shops.REES46,
    "yoochoose": sessions.YOOCHOOSE,
    "diginetica": sessions.DIGINETICA,
    "otto": sessions.OTTO,
    "hm": shops.HM,
    "instacart": instacart.FORMATS,
    "online_retail": online_retail.FORMATS,
    "ga4": ga4.FORMATS,
    "lastfm_1k": media.LASTFM_1K,
    "mind": mind.FORMATS,
    "jdata": shops.JDATA,
    "kuairec": media.KUAIREC,
    "kuairand": media.KUAIRAND,
    "recbole": recbole.FORMATS,
    "steam": media.STEAM,
}
