"""A made-up shop whose every number is known: what its customers do, what moves them, what it sells.

The statistical model (settings in `Shop`; weeks begin on Monday 2023-01-02, UTC; money has no currency):

Customers. Each has a mix of categories: a symmetric Dirichlet law, then for some a migration that moves
`migration_mass` of it from one category to another over `migration_ramp` weeks, then the seasons of categories
(`mixes`). A customer comes Gamma-distributed often (mean `sessions` a week), Poisson over the weeks, at the hours of
`sessions.HOURS`, with one of 1 + Poisson(`devices`) devices, uniform.

Sessions. One category, drawn from the mix of its week, or (`noise`) any. 1 + Poisson(`impressions` - 1) items are drawn
from it, by Zipf's law with `promotion_lift` for what is in promotion that week; one drawn again is shown once. Each is
viewed with probability `viewing`; what is viewed goes into the cart with `carting`, and out of it with `removing`; the
session buys what is left in it with `buying`: one order, all its lines at one time. A line has 1 +
Poisson(`quantity` - 1) pieces. Some sessions begin with a search (`searching`). A line is returned with probability
`returning`, a uniform number of its pieces of that same order, 1 to `return_days` days later (lines whose return would
be after the log's end are not returned).

Money. An item has a log-normal list price (median `price`). Shown, in the cart and paid is that less the promotion of
its week (`promotion_discount`); a treated customer's coupon takes `coupon_discount` off the category's lines in the
weeks of the campaign. `price` is of one piece, to the cent; `value` = quantity x price, of purchases and returns.

Plants. Cause: a session with a view of the trigger makes its customer, with probability `cause_probability`, come again
within `reach_days` days, view the target, put it into the cart and buy it; the control, of the same category and
almost as frequent, does nothing. Campaign: for a random `eligible` share of the customers, of whom a random `holdout`
is left alone; each treated one orders once more in its weeks with probability `uplift`, which therefore is the true
effect on orders. Bots: users that view `bot_views` items a session, several a second, and do nothing else.

Every event has one origin: browsing, cause, campaign, or bot; a return has that of its order.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl

from trajectory.data.simulate.base import START, SyntheticLog
from trajectory.data.simulate.mixes import mixes
from trajectory.data.simulate.shop.catalogue import catalogue
from trajectory.data.simulate.shop.events import COLUMNS, Visits, event_table
from trajectory.data.simulate.shop.funnel import VIEW, Lines, browse, crawl
from trajectory.data.simulate.shop.parameters import Shop
from trajectory.data.simulate.shop.plants import campaign_tables, campaigns, cause_table, caused, moved
from trajectory.data.simulate.shop.sessions import browsing, of_bots
from trajectory.data.simulate.shop.truth import device_table, promotion_table, weekly_demand

DEFAULT = Shop()


def generate(parameters: Shop = DEFAULT, seed: int = 0) -> SyntheticLog:
    """A shop's log and its truth, the same for the same parameters and seed.

    `events`, as a shop that keeps its books well would have them: `events.COLUMNS`, sorted by user and time; null where
    something does not apply. `items`: see `Catalogue`. Truth tables: events (the log's, with origin and roles),
    weekly_demand (item, category, week, sold, returned, demand, value), interest_mix (user, week, one column per
    category), migrations (user, week, source, destination, mass), seasons (interest, phase), causes (trigger, control,
    target, probability, reach_days), campaigns (campaign, category, start, stop, uplift, coupon_discount, treated,
    control, extra), assignments (campaign, user, treated, extra), promotions (item, week, discount), devices (device,
    user), bots (user). Bots have no mix.
    """
    p, rng = parameters, np.random.default_rng(seed)
    mix, truth = mixes(p, rng)
    goods, plan = catalogue(p, rng), campaigns(p, rng)
    bots = round(p.bots * p.users)
    devices = np.concatenate([1 + rng.poisson(p.devices, p.users), np.ones(bots, int)])
    ids = rng.permutation(p.users + bots) + 1  # no id tells a bot

    visits = []
    for origin, sessions in (
        ("browsing", browsing(p, mix, devices, rng)),
        ("campaign", moved(p, plan, goods, devices, rng)),
    ):
        visits.append(Visits(origin, sessions, browse(p, sessions, goods, rng)))
    for _, sessions, lines in tuple(visits):
        effect = caused(p, views(lines), sessions, devices, rng)
        visits.append(Visits("cause", effect, browse(p, effect, goods, rng)))
    crawls = of_bots(p, bots, rng)
    visits.append(Visits("bot", crawls, crawl(p, crawls.start, rng)))

    identities = device_table(devices, ids, rng)
    events = event_table(p, visits, goods, plan, identities, rng)
    number = pl.Series(ids)
    for name in ("interest_mix", "migrations"):
        truth[name] = truth[name].with_columns(user=number.gather(truth[name]["user"] - 1)).sort("user", "week")
    return SyntheticLog(
        events=events.select(COLUMNS),
        items=goods.items,
        truth={
            "events": events,
            "weekly_demand": weekly_demand(events, goods.items),
            **truth,
            "causes": cause_table(p),
            **campaign_tables(p, plan, ids),
            "promotions": promotion_table(p, goods),
            "devices": identities.drop("owner"),
            "bots": pl.DataFrame({"user": np.sort(ids[p.users :])}),
        },
        parameters={**dataclasses.asdict(p), "seed": seed, "start": START},
    )


def views(lines: Lines) -> np.ndarray:
    """Session and item of each view, int64 [2, n]; within a session no item is viewed twice."""
    return np.stack([lines.session, lines.item])[:, lines.type == VIEW]
