"""Which method's reasons are the runs' own: python scripts/faithfulness.py --workdir=runs/first [--workdir=runs/second]

Methods of attribution beside random order, newest first and attention: what forecasts do when events are taken
away in that order. Writes faithfulness_<part>.json into each run's folder, and reads it where the same has been asked
of the same checkpoint before; prints a table of each and, over all, mean ranks.
"""

import json
from pathlib import Path

from trajectory import cli
from trajectory.training import parallel

WORKDIR = cli.flags.DEFINE_multi_string("workdir", None, "folder of a run; repeatable")
TARGET = cli.flags.DEFINE_string("target", "", "what is explained, as for explain.py")
METHODS = cli.flags.DEFINE_list("methods", [], "instead of the six that work for every history")
PART = cli.flags.DEFINE_enum("part", "validation", ["validation", "test"], "whose histories")
USERS = cli.flags.DEFINE_integer("users", 256, "users, drawn", lower_bound=2)
cli.flags.mark_flags_as_required(["workdir"])


def main() -> None:
    """Opens each run, compares, writes, prints."""
    parallel.start()
    from trajectory import digest
    from trajectory.explain.comparison import METHODS as ALL
    from trajectory.explain.comparison import compare_methods
    from trajectory.explain.comparison_table import lost, markdown, mean_ranks
    from trajectory.explain.targets import read_target
    from trajectory.training.run import open_run
    from trajectory.training.task import write_json

    methods = METHODS.value or list(ALL)
    comparisons = []
    for workdir in map(Path, WORKDIR.value or ()):
        run = open_run(workdir)
        target = read_target(TARGET.value, run.task.histories, bool(run.task.config.heads.item))
        config = run.task.config.explain.to_dict()
        asked = [vars(target), methods, USERS.value, run.checkpoint, config, digest.of_code(("models", "explain"))]
        path = workdir / f"faithfulness_{PART.value}.json"
        found = json.loads(path.read_text()) if path.exists() else {}
        if found.get("asked") != asked:
            found = {"asked": asked} | compare_methods(run, target, methods, PART.value, USERS.value)
            write_json(found, path)
        comparisons.append(found)
        print(f"\n{workdir}: {found['forecasts']} forecasts of {found['part']}, target {found['target']}; nats\n")
        print(markdown(found), flush=True)
    ranks = mean_ranks(comparisons)
    print("\nmean rank over runs, figures and both ways: ", end="")
    print(", ".join(f"{name.replace('_', ' ')} {rank:.2f}" for name, rank in ranks.items()))
    first = next(iter(ranks))
    behind = list(lost(comparisons, first))
    print(
        f"{first.replace('_', ' ')} is above newest first and random order" + (" but for:" if behind else " everywhere")
    )
    for line in behind:
        print(f"- {line}")


if __name__ == "__main__":
    cli.run(main)
