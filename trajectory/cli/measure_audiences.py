"""Measures a run's audiences compared with other methods.

trajectory measure-audiences --workdir=runs/insights [--since=2017-08-01]

Prints Markdown tables of the interests and items from the run's cut on, and of the campaigns that started at `since`
(default: the cut) or later and before `until`; writes audiences.json into `out`, if named.
"""

from pathlib import Path

from absl import flags

from trajectory.settings.allowed import at_least
from trajectory.settings.typed_flags import number
from trajectory.training import parallel

WORKDIR = flags.DEFINE_string("workdir", None, "folder of the run, split by time")
SINCE = flags.DEFINE_string("since", "", "ISO date from which campaigns are measured")
UNTIL = flags.DEFINE_string("until", "", "ISO date before which they started")
ONLY = flags.DEFINE_enum(
    "only", "all", ["all", "targets", "campaigns"], "what is measured; targets are interests and items"
)
RESAMPLES = number("resamples", 500, "of the bootstrap", at_least(1))
OUT = flags.DEFINE_string("out", "", "folder for audiences.json")
flags.mark_flags_as_required(["workdir"])


def main() -> None:
    """Opens the run, measures, prints."""
    parallel.start()
    from trajectory.insights.audiences.comparison import Asked
    from trajectory.insights.audiences.markdown_report import of_run
    from trajectory.run import load_run

    asked = Asked(RESAMPLES.value, ONLY.value, SINCE.value, UNTIL.value)
    print(of_run(load_run(Path(WORKDIR.value)), asked, Path(OUT.value) if OUT.value else None))
