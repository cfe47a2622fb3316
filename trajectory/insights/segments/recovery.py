"""Whether a long-term and a new interest come out as different segments, where it is known who has which."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from sklearn.metrics import adjusted_rand_score

from trajectory.data.simulate.base import START
from trajectory.data.times import WEEK

QUARTER = 13  # weeks before the moment in which a new interest began, at most
STRONG = 0.4  # share of a user's mix that makes an interest its long-term interest, at least


def planted_interests(folder: Path, moment: int, weeks: int = QUARTER) -> pl.DataFrame | None:
    """Who has a long-term interest and who a new one at the moment, by the truth beside a synthetic log.

    Columns user (String), interest, new. Long-term: never migrated, and the interest has a share of STRONG; new:
    migrated to it in the last `weeks`, and it is the largest now. Others are left out. None where no truth is there.
    """
    if not (folder / "truth" / "interest_mix.parquet").is_file():
        return None
    week = (moment - START) // WEEK - 1
    mix = pl.read_parquet(folder / "truth" / "interest_mix.parquet").filter(pl.col("week") == week)
    migrations = pl.read_parquet(folder / "truth" / "migrations.parquet")
    names = [name for name in mix.columns if name not in ("user", "week")]
    shares = mix.select(names).to_numpy()
    users = pl.DataFrame(
        {"user": mix["user"], "interest": pl.Series(names).gather(shares.argmax(1)), "share": shares.max(1)}
    ).join(migrations.rename({"week": "began"}), on="user", how="left")
    new = (pl.col("began") >= week + 1 - weeks) & (pl.col("destination") == pl.col("interest"))
    long_term = pl.col("began").is_null() & (pl.col("share") >= STRONG)
    planted = users.filter(new.fill_null(False) | long_term)
    return planted.select(pl.col("user").cast(pl.String), "interest", new=pl.col("began").is_not_null())


def score(members: pl.DataFrame, truth: pl.DataFrame) -> dict[str, float]:
    """How well the segments (columns user, segment) tell planted long-term and new interests apart.

    `different`: of pairs of a long-term and a new user of the same interest, share in different segments; `alike`: of
    pairs that share interest and newness, share in the same segment; `purity`: share of users whose segment mostly
    holds users of their kind (interest and newness); `rand`: adjusted Rand index with these kinds.
    """
    table = truth.join(members.select(pl.col("user").cast(pl.String), "segment"), on="user")
    pairs = {"different": [0, 0], "alike": [0, 0]}
    for _, group in table.group_by("interest"):
        of = [group.filter(pl.col("new") == new)["segment"].to_numpy() for new in (False, True)]
        pairs["different"][0] += int((of[0][:, None] != of[1]).sum())
        pairs["different"][1] += len(of[0]) * len(of[1])
        for segment in of:
            pairs["alike"][0] += int((segment[:, None] == segment).sum()) - len(segment)
            pairs["alike"][1] += len(segment) * (len(segment) - 1)
    kind = table["interest"] + table["new"].cast(pl.String)
    most = table.with_columns(kind=kind).group_by("segment", "kind").len().group_by("segment").agg(pl.col("len").max())
    return {
        "long_term": float((~table["new"]).sum()),
        "new": float(table["new"].sum()),
        **{name: part / whole if whole else float("nan") for name, (part, whole) in pairs.items()},
        "purity": float(most["len"].sum() / table.height),
        "rand": float(adjusted_rand_score(kind.to_numpy(), table["segment"].to_numpy())),
    }
