"""The histories of several domains as one log, so that one model learns from all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from trajectory.data.store.arrays import COLUMNS
from trajectory.schema import Histories, Queries, Split, UserError, Whole

DOMAIN = "domain"  # column of users and items that says whose they are


def union(domains: Sequence[Histories]) -> Histories:
    """All users' histories, domain after domain; items are numbered domain after domain, interests are named apart.

    Numeric features of events are left out, for they mean something else elsewhere. Raises UserError for fewer than one
    domain or a name that comes twice.
    """
    names = [domain.name for domain in domains]
    if not names or len(set(names)) < len(names):
        raise UserError(f"expected the names of one domain or more, each once, got {', '.join(names) or 'none'}")
    event_types = tuple(dict.fromkeys(event_type for domain in domains for event_type in domain.event_types))
    interests = tuple(f"{domain.name}: {name}" for domain in domains for name in domain.interests)
    above = np.cumsum([0, *(domain.num_items for domain in domains)])
    before = np.cumsum([0, *(len(domain.interests) for domain in domains)])
    columns: dict[str, list[np.ndarray]] = {name: [] for name in COLUMNS}
    item_interest = [np.zeros(1, np.int32)]
    for domain, shift, first in zip(domains, above, before, strict=False):
        code = np.array([0, *(event_types.index(event_type) + 1 for event_type in domain.event_types)], np.int8)
        known = (domain.item > 0) & (domain.item <= domain.num_items)
        changed = {
            "item": np.where(known, domain.item + shift, 0).astype(np.int32),
            "event_type": code[domain.event_type],
            "features": np.zeros((domain.num_events, 0), np.float32),
        }
        for name in COLUMNS:
            columns[name].append(changed.get(name, getattr(domain, name)))
        own = domain.item_interest[1 : domain.num_items + 1]
        item_interest.append(np.where(own > 0, own + first, 0).astype(np.int32))
    events = np.cumsum([0, *(domain.num_events for domain in domains)])
    wholes = [d.whole or Whole(d.fingerprint, d.num_users, d.num_events) for d in domains]
    offsets = [domain.offsets[:-1] + first for domain, first in zip(domains, events, strict=False)]
    return Histories(
        name="+".join(names),
        fingerprint=hashlib.sha256("".join(domain.fingerprint for domain in domains).encode()).hexdigest(),
        source=hashlib.sha256("".join(domain.source for domain in domains).encode()).hexdigest(),
        offsets=np.append(np.concatenate(offsets), events[-1]),
        **{name: np.concatenate(parts) for name, parts in columns.items()},  # type: ignore[arg-type]
        users=pl.concat([_named(domain.users, domain.name) for domain in domains], how="diagonal"),
        items=pl.concat([_named(d.items[: d.num_items], d.name) for d in domains], how="diagonal_relaxed"),
        item_interest=np.concatenate(item_interest),
        interests=interests,
        event_types=event_types,
        feature_names=(),
        zone=zones.pop() if len(zones := {domain.zone for domain in domains}) == 1 else "",
        has_time=all(domain.has_time for domain in domains),
        baskets=any(domain.baskets for domain in domains),
        num_items=int(above[-1]),
        roles={event_type: own for domain in domains for event_type, own in domain.roles.items()},
        outside=pl.concat([_outside(domain) for domain in domains], how="diagonal"),
        whole=Whole("", sum(w.users for w in wholes), sum(w.events for w in wholes))
        if any(domain.whole for domain in domains)
        else None,
    )


def item_and_user_domains(histories: Histories) -> tuple[np.ndarray, np.ndarray] | None:
    """Numbers of the domains of a union's items [V + 1] (0: none) and of its users; None for a log of one domain."""
    if DOMAIN not in histories.items.columns or DOMAIN not in histories.users.columns:
        return None
    names = histories.users[DOMAIN].unique(maintain_order=True)
    of_user, of_item = (
        table[DOMAIN].replace_strict(names, range(1, len(names) + 1), return_dtype=pl.Int32).to_numpy()
        for table in (histories.users, histories.items[: histories.num_items])
    )
    return np.append(0, of_item), of_user


def of_domain(histories: Histories, split: Split) -> dict[str, Split]:
    """The split of each domain of a union alone: of other domains' users nothing trains, and nothing is asked."""
    whose = histories.users[DOMAIN].to_numpy()
    splits = {}
    for name in histories.users[DOMAIN].unique(maintain_order=True):
        here = whose == name
        splits[name] = replace(
            split,
            train_end=np.where(here, split.train_end, histories.offsets[:-1]),
            validation=Queries(*(column[here[split.validation.user]] for column in split.validation)),
            test=Queries(*(column[here[split.test.user]] for column in split.test)),
        )
    return splits


def _outside(domain: Histories) -> pl.DataFrame:
    """With ids as those of users and items are named."""
    outside = domain.outside
    if not outside.height:
        return pl.DataFrame()
    ids = {name: pl.lit(f"{domain.name}/") + pl.col(name).cast(pl.String) for name in ("user", "item")}
    return outside.with_columns(**ids)


def _named(table: pl.DataFrame, name: str) -> pl.DataFrame:
    """With ids that no two domains share, and the domain's name."""
    key = table.columns[0]
    text = pl.lit(f"{name}/") + pl.col(key).cast(pl.String)
    return table.with_columns(text.alias(key), pl.lit(name).alias(DOMAIN))
