"""Compares methods of attribution: which one is the most faithful.

trajectory faithfulness --workdir=runs/first [--workdir=runs/second]

Methods of attribution compared with random order, newest first and attention: how forecasts change when events are
removed in that order. Writes faithfulness_<part>.json into each run's folder, and reads it where the query, the
checkpoint and the code are the same; prints a table of each run and, over all, mean ranks.
"""

from pathlib import Path

from absl import flags

from trajectory.training import parallel

WORKDIR = flags.DEFINE_multi_string("workdir", None, "folder of a run; repeatable")
TARGET = flags.DEFINE_string("target", "", "what is explained, as for trajectory explain")
METHODS = flags.DEFINE_list("methods", [], "instead of the six that work for every history")
PART = flags.DEFINE_enum("part", "validation", ["validation", "test"], "whose histories")
OUT = flags.DEFINE_string("out", "", "Markdown file to write all tables to as well")
USERS = flags.DEFINE_integer("users", 256, "users, drawn", lower_bound=2)
flags.mark_flags_as_required(["workdir"])


def main() -> None:
    """Opens each run, compares, writes, prints."""
    parallel.start()
    import jax

    from trajectory.explain.comparison import METHODS as ALL
    from trajectory.explain.comparison import compare_once
    from trajectory.explain.comparison_table import conclusion, titled
    from trajectory.explain.targets import read_target
    from trajectory.run import load_run
    from trajectory.writing import write_text

    comparisons = []
    for workdir in map(Path, WORKDIR.value or ()):
        run = load_run(workdir)
        target = read_target(TARGET.value, run.experiment.histories, bool(run.config.heads.item))
        comparison = compare_once(run, workdir, target, METHODS.value or ALL, PART.value, USERS.value)
        jax.clear_caches()  # nothing of it is used again, and a process may map only so much
        print(f"\n{titled(comparison)}", flush=True)
        comparisons.append(comparison)
    print(conclusion(comparisons))
    if OUT.value:
        write_text("\n".join([*map(titled, comparisons), conclusion(comparisons)]), Path(OUT.value))
