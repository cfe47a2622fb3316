"""Small made-up logs as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl


def item_log(path: Path, users: int = 60, items: int = 12, seed: int = 0) -> Path:
    """A CSV of user, item, time, event_type: items follow one another in a ring, with some noise."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        item = int(rng.integers(items))
        for event in range(int(rng.integers(6, 16))):
            rows.append((f"u{user:03d}", f"item {item}", 1_704_067_200 + 3600 * event, "view" if event % 4 else "buy"))
            item = (item + 1) % items if rng.random() < 0.8 else int(rng.integers(items))
    pl.DataFrame(rows, schema=["user", "item", "time", "event_type"], orient="row").write_csv(path)
    return path


def behaviour_log(path: Path, users: int = 30, length: int = 50, seed: int = 0) -> Path:
    """A user_behavior.csv: three features, and a label that depends on the first two."""
    rng = np.random.default_rng(seed)
    count = users * length
    columns = {name: rng.normal(size=count).round(4) for name in ("clicks", "seconds", "depth")}
    chance = 1 / (1 + np.exp(-(3 * columns["clicks"] + 2 * columns["seconds"] - 1)))
    table = pl.DataFrame(
        {
            "user": np.repeat(np.arange(users), length),
            "time": 1_704_067_200 + 60 * np.tile(np.arange(length), users),
            **columns,
            "label": (rng.random(count) < chance).astype(int),
        }
    )
    table.write_csv(path)
    return path


def bank_log(path: Path, accounts: int = 30, seed: int = 0) -> Path:
    """Made-up transactions in the form of trans.asc of the PKDD'99 financial data: income and payments, each month."""
    rng = np.random.default_rng(seed)
    lines = ['"trans_id";"account_id";"date";"type";"operation";"amount";"balance";"k_symbol";"bank";"account"']
    payments = [("VYDAJ", "PREVOD NA UCET", "SIPO"), ("VYDAJ", "VYBER KARTOU", ""), ("VYBER", "VYBER", " ")]
    for account in range(accounts):
        for month in range(1, 7):
            income = ("PRIJEM", "PREVOD Z UCTU", "DUCHOD") if account % 2 else ("PRIJEM", "VKLAD", "")
            for day, (event_type, operation, symbol) in enumerate(
                [income, payments[rng.integers(3)], ("PRIJEM", "", "UROK")]
            ):
                amount = f"{rng.uniform(10, 5000):.2f}"
                date = f"93{month:02d}{5 + 10 * day:02d}"
                lines.append(
                    f'{len(lines)};{account};{date};"{event_type}";"{operation}";{amount};{amount};"{symbol}";;'
                )
    path.write_text("\n".join(lines) + "\n")
    return path
