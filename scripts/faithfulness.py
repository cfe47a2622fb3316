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
OUT = cli.flags.DEFINE_string("out", "", "Markdown file to write all tables to as well")
USERS = cli.flags.DEFINE_integer("users", 256, "users, drawn", lower_bound=2)
cli.flags.mark_flags_as_required(["workdir"])


def main() -> None:
    """Opens each run, compares, writes, prints."""
    parallel.start()
    import jax

    from trajectory import digest
    from trajectory.explain.comparison import METHODS as ALL
    from trajectory.explain.comparison import compare_methods
    from trajectory.explain.comparison_table import lost, markdown, mean_ranks, summary
    from trajectory.explain.targets import read_target
    from trajectory.training.run import open_run
    from trajectory.training.task import write_json

    methods = METHODS.value or list(ALL)
    comparisons, texts = [], []
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
            jax.clear_caches()  # nothing of it is used again, and a process may map only so much
        comparisons.append(found)
        of = f"{found['data']}, {found['backbone']}: {found['forecasts']} forecasts of {found['part']}"
        texts.append(f"{of}, target {found['target']}; nats\n\n{markdown(found)}\n")
        print(f"\n{texts[-1]}", flush=True)
    first = next(iter(mean_ranks(comparisons)))
    behind = [f"- {line}\n" for line in lost(comparisons, first)]
    whether = "everywhere." if not behind else "but for:\n\n" + "".join(behind)
    texts.append(f"Mean ranks over figures and both ways of taking events away:\n\n{summary(comparisons)}\n")
    texts.append(f"{first.replace('_', ' ')} is above newest first and random order {whether}\n")
    print("\n".join(texts[-2:]))
    if OUT.value:
        Path(OUT.value).write_text("\n".join(texts))


if __name__ == "__main__":
    cli.run(main)
