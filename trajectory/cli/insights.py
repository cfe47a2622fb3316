"""Says what a merchant can act on: what changed, customers, recommendations, segments, audiences ...

trajectory insights --workdir=runs/insights [--parts=recommend,demand]

Writes a table or more of each part, insights.json (the accuracy of each on held-out data) and insights.html. A part
that a log cannot have (no times, too few users) is left out, with the reason; if none is left, that is an error, and
nothing is written. Parts that were made before of the same checkpoint stay on the page, with their day.
"""

from pathlib import Path
from typing import get_args

from absl import flags

from trajectory.cli.command import define_language, next_command
from trajectory.expected import InsightsPart
from trajectory.schema import UserError
from trajectory.settings.allowed import one_of
from trajectory.settings.typed_flags import words
from trajectory.training import parallel

WORKDIR = flags.DEFINE_string("workdir", None, "folder of the run")
PARTS = words(
    "parts",
    [],
    "some of changes, customers, recommend, segments, audiences, demand, funnel (default: all)",
    one_of(*get_args(InsightsPart)),
)
STOCK = flags.DEFINE_string("stock", "", "recommend only these: CSV or Parquet with a column item, perhaps stock")
INTERESTS = flags.DEFINE_multi_string(
    "interests", [], "recommend only items of this interest; repeatable, as names hold commas"
)
PRICE = flags.DEFINE_list("price", [], "recommend only items of these prices: LOWEST,HIGHEST")
LANGUAGE = define_language()
flags.mark_flags_as_required(["workdir"])


def main() -> None:
    """Opens the run, takes each part, writes."""
    parallel.start()
    from trajectory.run import load_run

    run = load_run(Path(str(WORKDIR.value)))
    page = run.write_insights(
        PARTS.value, stock=STOCK.value or None, interests=INTERESTS.value, price=prices(), language=LANGUAGE.value
    )
    print(f"open {page.resolve()}")
    next_command(f"predict --workdir={WORKDIR.value} --events=new_users.csv", "what new users will want")


def prices() -> tuple[float, float] | None:
    """The range of --price; None without one."""
    try:
        low, high = map(float, PRICE.value or ("-inf", "inf"))
    except ValueError:
        raise UserError(f"--price={','.join(PRICE.value)}: expected two numbers, such as 1.5,20") from None
    return (low, high) if PRICE.value else None
