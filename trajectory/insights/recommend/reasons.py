"""Why each item is on a list, by counting: what the user had of it, or what is bought by those who bought the same."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from scipy.sparse import csc_array, csr_array

from trajectory.data.store.sales import pieces_sold, selling_event_types
from trajectory.explain.explain import titles
from trajectory.explain.narrative import VERBS
from trajectory.progress import progress
from trajectory.reports.words import words
from trajectory.schema import Histories

FEWEST = 10  # users who bought both
APART = 1.2  # times the share of everybody who bought the item, at least
USUAL = 5.0  # users at everybody's share that the share of an item's buyers begins with


def reasons(histories: Histories, lists: pl.DataFrame) -> pl.DataFrame:
    """`lists` (see `tables.recommend`) with a column `because`; "" where nothing that is counted speaks for an item.

    Of what the user had: how often (baskets or events, and pieces, where these are stated), since when and when last,
    in the whole history. Of what is new: of those who bought an item that the user bought, how many bought it too,
    beside everybody.
    """
    users, items = (histories.users["user"], histories.items["item"].head(histories.num_items))
    pairs = lists.select(
        row=pl.int_range(pl.len()),
        user=pl.col("user").replace_strict(users.cast(pl.String), np.arange(len(users))),
        item=pl.col("item").replace_strict(items.cast(pl.String), np.arange(1, len(items) + 1)),
        again="again",
    )
    because = [""] * lists.height
    for row, text in _had(histories, pairs.filter("again")):
        because[row] = text
    for row, text in _together(histories, pairs.filter(~pl.col("again"))):
        because[row] = text
    return lists.with_columns(because=pl.Series(because, dtype=pl.String))


def _had(histories: Histories, pairs: pl.DataFrame) -> Iterator[tuple[int, str]]:
    """Of each pair what the user did with the item: bought it or, where not, what it did most."""
    events = pl.DataFrame(
        {
            "user": np.repeat(np.arange(histories.num_users), np.diff(histories.offsets)),
            "item": histories.item.astype(np.int64),
            "step": histories.step,
            "time": histories.time,
            "event_type": histories.event_type,
            "pieces": pieces_sold(histories),  # below 0: what was given back is no visit
            "stated": ~np.isnan(histories.quantity),
        }
    )
    done = (
        events.join(pairs.select("user", "item"), on=["user", "item"], how="semi")
        .filter(pl.col("pieces") >= 0)
        .group_by("user", "item", "event_type")
        .agg(
            pl.col("pieces").sum(),
            sold=(pl.col("pieces") > 0).any(),
            count=pl.col("step").n_unique(),
            stated=pl.col("stated").all(),
            first=pl.col("time").min(),
            last=pl.col("time").max(),
        )
        .sort("sold", "count", "event_type", descending=[True, True, False])
        .unique(["user", "item"], keep="first", maintain_order=True)
    )
    names = ["", *histories.event_types]
    for fact in pairs.join(done, on=["user", "item"]).iter_rows(named=True):
        name = "purchase" if fact["sold"] else names[fact["event_type"]]
        verb = VERBS.get(name, f"{name.capitalize()}:")
        times = "once" if fact["count"] == 1 else f"{fact['count']:,} times"
        if fact["sold"] and fact["stated"] and fact["pieces"] != fact["count"]:
            times += f" ({fact['pieces']:,.6g} pieces)"
        if histories.has_time:
            times += f", on {_day(fact['last'])}" if fact["count"] == 1 else f" since {_day(fact['first'])}"
            times += "" if fact["count"] == 1 else f", last on {_day(fact['last'])}"
        yield fact["row"], f"{verb} {times}"


def _together(histories: Histories, pairs: pl.DataFrame) -> Iterator[tuple[int, str]]:
    """Of each pair the item of the user's own whose buyers most often bought the new one, beyond everybody's share."""
    if pairs.is_empty():
        return
    bought = _bought(histories)
    buyers = np.asarray(bought.sum(0)).ravel()
    wanted = np.unique(pairs["item"].to_numpy())
    both = csr_array(bought.T @ csc_array(bought)[:, wanted])  # [V + 1, wanted], users who bought both
    usual = buyers[wanted] / bought.shape[0]
    name, past = histories.items.select(titles(histories.items)).to_series(), words(histories).past
    of_user = pairs.partition_by("user", maintain_order=True)
    for rows in progress(of_user, "what is bought together", len(of_user)):
        user, place = int(rows["user"][0]), np.searchsorted(wanted, rows["item"].to_numpy())
        own = bought.indices[bought.indptr[user] : bought.indptr[user + 1]]
        if not len(own):
            continue
        count = both[own][:, place].toarray()
        share = (count + USUAL * usual[place]) / (buyers[own] + USUAL)[:, None]
        for column, best in enumerate(share.argmax(0)):
            common, of = int(count[best, column]), int(buyers[own[best]])
            if common >= FEWEST and common >= APART * usual[place[column]] * of:
                yield (
                    int(rows["row"][column]),
                    f"Of {of:,} who {past} {name[int(own[best]) - 1]}, as this user did, {common / of:.0%} {past} this "
                    f"too; of everybody {usual[place[column]]:.0%}",
                )


def _bought(histories: Histories) -> csr_array:
    """Whether each user bought each item of the catalogue (had any event of it, in a log without sales), [N, V + 1]."""
    counts = pieces_sold(histories) > 0 if selling_event_types(histories) else np.ones(histories.num_events, bool)
    counts = counts & (histories.item > 0) & (histories.item <= histories.num_items)
    user = np.repeat(np.arange(histories.num_users), np.diff(histories.offsets))[counts]
    shape = (histories.num_users, histories.num_items + 1)
    pairs = np.unique(user * shape[1] + histories.item[counts].astype(np.int64))
    return csr_array((np.ones(len(pairs), np.int64), (pairs // shape[1], pairs % shape[1])), shape)


def _day(seconds: int) -> str:
    day = pl.from_epoch(pl.Series([seconds]), "s")[0]
    return f"{day.day} {day:%B %Y}"
