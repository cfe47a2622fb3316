"""Which items may be suggested at all: what is in stock, of some interests, within a range of prices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from trajectory.data.ingest.cells.parsing import numbers
from trajectory.data.ingest.source.data_frames import as_path
from trajectory.data.ingest.source.side_files import ITEM, as_known, read_side, say_known, usable_rows
from trajectory.data.store.readable import interest_number
from trajectory.schema import Histories, UserError

if TYPE_CHECKING:
    from trajectory.data.ingest.source.data_frames import Log


def eligible_items(
    histories: Histories,
    stock: Log | None = None,
    interests: Sequence[str] = (),
    price: tuple[float, float] | None = None,
) -> np.ndarray:
    """Items of the catalogue that may be suggested, bool [V + 1].

    `stock`: a table with a column item (ids of the source) and, if it has one named stock, more than 0 of it.
    `interests`: names; `price`: lowest and highest, both included, of the items' price. Raises UserError for a file,
    interest or price that the log does not have, and if nothing is left.
    """
    catalogue = histories.items.head(histories.num_items)
    keep = np.ones(len(catalogue), bool)
    if stock is not None:
        with as_path(stock) as path:
            keep &= _in_stock(path, catalogue["item"])
    if interests:
        numbers = [interest_number(histories, name) for name in interests]
        if unknown := [name for name, number in zip(interests, numbers, strict=True) if not number]:
            shown = ", ".join(histories.interests[:5]) or "none"
            raise UserError(f"interest {', '.join(unknown)}: not among those of {histories.name} ({shown} ...)")
        keep &= np.isin(histories.item_interest[1 : len(catalogue) + 1], numbers)
    if price:
        _refuse_no_range(price)
        if "price" not in catalogue.columns:
            raise UserError(
                f"a range of prices needs a table of items that has a column price, "
                f"and {histories.name} has none; amounts of single sales are no price of an item"
            )
        of_item = catalogue["price"].cast(pl.Float64).fill_null(np.nan).to_numpy()
        keep &= (of_item >= price[0]) & (of_item <= price[1])
    if not keep.any():
        raise UserError(
            f"none of the {len(catalogue):,} items of {histories.name} is in stock, of these interests and "
            "within these prices; widen one of them"
        )
    return np.append(False, keep)


def _refuse_no_range(price: tuple[float, float]) -> None:
    if not (isinstance(price, Sequence) and len(price) == 2 and price[0] <= price[1]):
        raise UserError(f"price={price!r}: expected the lowest and the highest price, such as (5.0, 10.0)")


def _in_stock(path: Path, items: pl.Series) -> np.ndarray:
    table = read_side(path, "stock", ITEM, {"stock": ("stock",)})
    if "stock" in table.columns:
        table = usable_rows(table, path, "stock", numbers(table["stock"]).is_finite())
    listed = as_known(table["item"], items)
    say_known(table["item"], listed, items, path, "stock", "item")
    if "stock" in table.columns:
        listed = listed.filter(numbers(table["stock"]) > 0)
    return items.is_in(listed.drop_nulls().implode()).to_numpy()
