"""Measures a run's audiences compared with other methods.

trajectory measure-audiences --workdir=runs/insights [--since=2017-08-01]

Prints Markdown tables of the interests and items from the run's cut on, and of the campaigns that started at `since`
(default: the cut) or later and before `until`; writes audiences.json into `out`, if named.
"""

from pathlib import Path

from absl import flags

from trajectory.training import parallel

WORKDIR = flags.DEFINE_string("workdir", None, "folder of the run, split by time")
SINCE = flags.DEFINE_string("since", "", "ISO date from which campaigns are measured")
UNTIL = flags.DEFINE_string("until", "", "ISO date before which they started")
ONLY = flags.DEFINE_enum("only", "all", ["all", "goods", "campaigns"], "what is measured")
RESAMPLES = flags.DEFINE_integer("resamples", 500, "of the bootstrap")
OUT = flags.DEFINE_string("out", "", "folder for audiences.json")
flags.mark_flags_as_required(["workdir"])


def main() -> None:
    """Opens the run, measures, prints."""
    parallel.start()
    from trajectory.insights.audiences.comparison import compare
    from trajectory.insights.audiences.markdown_report import markdown
    from trajectory.run import load_run
    from trajectory.writing import write_json

    run = load_run(Path(WORKDIR.value))
    measured = compare(run, RESAMPLES.value, SINCE.value, UNTIL.value, ONLY.value)
    print(markdown(measured))
    if OUT.value:
        write_json(measured, Path(OUT.value) / "audiences.json")
