"""Compares methods of attribution: which one is the most faithful.

trajectory faithfulness --workdir=runs/first,runs/second

Methods of attribution compared with random order, newest first and attention: how forecasts change when events are
removed in that order. Writes faithfulness_<part>.json into each run's folder, and reads it where the query, the
checkpoint and the code are the same; prints a table of each run and, over all, mean ranks.
"""

from pathlib import Path

from absl import flags

from trajectory.cli.command import several
from trajectory.settings.allowed import at_least
from trajectory.settings.typed_flags import number
from trajectory.training import parallel

WORKDIR = flags.DEFINE_multi_string("workdir", None, "folder of a run; of several with commas between")
TARGET = flags.DEFINE_string("target", "", "what is explained, as for trajectory explain")
METHODS = flags.DEFINE_list(
    "methods", [], "instead of the six that work for every history; `trajectory explain --help` names all"
)
PART = flags.DEFINE_enum("part", "validation", ["validation", "test"], "whose histories")
OUT = flags.DEFINE_string("out", "", "Markdown file to write all tables to as well")
USERS = number("users", 256, "users, drawn", at_least(2))
flags.mark_flags_as_required(["workdir"])


def main() -> None:
    """Compares the methods on each run, prints."""
    parallel.start()
    from trajectory.explain.comparison_report import write_comparisons

    runs, out = several(WORKDIR.value), Path(OUT.value) if OUT.value else None
    print(write_comparisons(runs, TARGET.value, METHODS.value, PART.value, USERS.value, out))
