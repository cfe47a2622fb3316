"""Measures audiences beside rivals: python scripts/measure_audiences.py --workdir=runs/insights [--since=2017-08-01]

Prints Markdown tables of the interests and items from the run's cut on, and of the campaigns that started at `since`
(default: the cut) or later and before `until`; writes audiences.json into `out`, if named.
"""

from pathlib import Path

from trajectory import cli
from trajectory.training import parallel

WORKDIR = cli.flags.DEFINE_string("workdir", None, "folder of the run, split by time")
SINCE = cli.flags.DEFINE_string("since", "", "ISO date from which campaigns are measured")
UNTIL = cli.flags.DEFINE_string("until", "", "ISO date before which they started")
ONLY = cli.flags.DEFINE_enum("only", "all", ["all", "goods", "campaigns"], "what is measured")
RESAMPLES = cli.flags.DEFINE_integer("resamples", 500, "of the bootstrap")
OUT = cli.flags.DEFINE_string("out", "", "folder for audiences.json")
cli.flags.mark_flags_as_required(["workdir"])


def main() -> None:
    """Opens the run, measures, prints."""
    parallel.start()
    from trajectory.insights.audiences.comparison import compare, markdown
    from trajectory.run import open_run
    from trajectory.writing import write_json

    run = open_run(Path(WORKDIR.value))
    measured = compare(run, RESAMPLES.value, SINCE.value, UNTIL.value, ONLY.value)
    print(markdown(measured))
    if OUT.value:
        write_json(measured, Path(OUT.value) / "audiences.json")


if __name__ == "__main__":
    cli.run(main)
