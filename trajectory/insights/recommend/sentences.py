"""What matters of recommendations: the item with the most users to win, and how far lists held."""

from __future__ import annotations

from typing import Any

import polars as pl

from trajectory.insights.recommend.baselines import OWN
from trajectory.insights.recommend.evaluate import found_more
from trajectory.insights.recommend.evaluation_page import list_name
from trajectory.insights.recommend.lists import NEW, SIZE
from trajectory.insights.recommend.relevance import Relevance
from trajectory.insights.report_model import Statement
from trajectory.reports.words import Words

SAME = 0.001  # of what was taken again: less far apart lists of what users had are alike
FEWEST = 10  # buyers to win that are worth a sentence


def sentences(
    table: pl.DataFrame,
    winners: pl.DataFrame,
    held: dict[str, Any],
    ahead: str,
    before: str,
    kept: str,
    counted: Words,
    but: str = "",
) -> tuple[Statement, ...]:
    """What matters of lists, of new buyers, and of how lists held (`compare_lists`), most important first; `before`:
    the newest window; `kept`: what was kept back of each user; `but`: see `acquisition_potential`.
    """
    said: list[Statement] = []
    for top in winners.filter(pl.col("expected") >= FEWEST).head(1).iter_rows(named=True):
        words = (
            f"{top['title']} has the most users to win: of the {top['users']:,} who never {counted.past} it{but}, "
            f"{top['expected']:,.0f} are expected to {counted.verb} it within {ahead}; {before} {top['lately']:,} "
            "did so for the first time."
        )
        said.append(Statement(words, "do", "new_buyers"))
    best, others = held["rows"][Relevance.name], {k: v["all"] for k, v in held["rows"].items() if k not in OWN}
    rival = max(others, key=lambda name: others[name]["recall"])
    words = (
        f"Lists of {SIZE} items held {best['all']['recall']:.1%} of what {held['users']:,} users took in "
        f"{kept}; the best other list ({list_name(rival)}) "
        f"{others[rival]['recall']:.1%}."
    )
    said.append(Statement(words, "sure", "recommendations"))
    if better := found_more(held):
        words = f"Lists are those of {list_name(better)}, for they found more than the forecast's beyond chance."
        said.append(Statement(words, "sure", "recommendations"))
    if NEW in table["list"] and best["again"]["users"] and best["new"]["users"]:
        again, new = best["again"]["recall"], best["new"]["recall"]
        recalls = [row["again"]["recall"] for row in held["rows"].values()]
        if max(recalls) - min(recalls) <= SAME:
            return tuple(said)  # users have had so few items that any list holds them
        words = (
            f"Of what users took again, a list of what they had before held {again:.1%}; of what they took for the "
            f"first time, a list of new items {new:.1%}."
        )
        said.append(Statement(words, "sure"))
    return tuple(said)
