"""Measures whether attributions find causes that were planted.

trajectory ground-truth --out=runs/ground_truth [--vary]

Writes synthetic logs, trains a model on each, and explains forecasts of another log of the same kind, of users that the
model has never seen. Writes ground_truth.csv, ground_truth.md and ground_truth.png. What is finished is kept.
"""

from pathlib import Path
from typing import Any

from absl import flags

from trajectory.schema import UserError

OUT = flags.DEFINE_string("out", None, "folder of the logs, the runs and the table")
VARY = flags.DEFINE_bool("vary", False, "also weaker causes, longer lags and more distractors")
MODEL = flags.DEFINE_string("model", "gru", "backbone")
METHODS = flags.DEFINE_list("methods", [], "instead of the six that work for every history")
FORECASTS = flags.DEFINE_integer("forecasts", 512, "forecasts explained of each log, drawn", lower_bound=1)
USERS = flags.DEFINE_integer("users", 2000, "users of the default log", lower_bound=1)
SET = flags.DEFINE_multi_string("set", [], "config field of all runs, e.g. --set=train.epochs=2; repeatable")
WORKERS = flags.DEFINE_integer("workers", 1, "runs at a time", lower_bound=1)
flags.mark_flags_as_required(["out"])

EFFECT, LAG, DISTRACTORS = "chance of the target after its trigger", "longest lag (events)", "distractors beside it"
# Values, and how many times the users make about as many causes as at the first value.
VARIED: dict[str, dict[float, float]] = {
    EFFECT: {0.6: 1, 0.3: 1, 0.15: 1, 0.08: 1},
    LAG: {5: 1, 10: 1.75, 20: 3.55},
    DISTRACTORS: {1: 1, 2: 1.6, 4: 4.1},
}


def parameters(name: str, value: float) -> dict[str, Any]:
    """What a log is made with: longer lags need longer blocks, more distractors larger baskets."""
    users = round(USERS.value * VARIED[name][value])
    if name == EFFECT:
        return {"users": users, "probability_with": value}
    if name == LAG:
        return {"users": users, "reach": int(value), "spacing": int(value) + 3}
    return {"users": users, "distractors": int(value), "basket_size": 8}


def main() -> None:
    """Makes logs and runs that are missing, explains, writes and prints."""
    import jax
    import polars as pl

    from trajectory.data.simulate.synthetic import Synthetic, write
    from trajectory.explain import ground_truth_table
    from trajectory.explain.comparison import METHODS as ALL
    from trajectory.explain.ground_truth import find_causes, read_planted
    from trajectory.inference.new_users import read_histories
    from trajectory.reading import read_json
    from trajectory.run import open_run
    from trajectory.training import parallel
    from trajectory.tuning import sweep
    from trajectory.tuning.members import Member, Sweep
    from trajectory.writing import write_csv, write_text

    assert OUT.value is not None
    out = Path(OUT.value)
    points = [(name, value) for name, values in VARIED.items() for value in values]
    logs = {}
    for point in points if VARY.value else points[:1]:
        given = parameters(*point)
        made = Synthetic(**given)
        key = "default" if made == Synthetic(users=USERS.value) else f"{list(VARIED).index(point[0])}_{point[1]:g}"
        logs[point] = key
        for seed, name in enumerate((key, f"{key}_other")):
            written = out / "logs" / name / "truth" / "parameters.json"  # the last file of a log
            if not written.exists():
                write(made, out / "logs" / name, seed)
            elif not given.items() <= read_json(written, {str: object}, "remove the folder of that log").items():
                raise UserError(f"{out}/logs/{name} was made with other numbers; choose another --out")
    members = {key: Member({"data.source": str(out / "logs" / key)}) for key in dict.fromkeys(logs.values())}
    config = f"synthetic:model={MODEL.value}"
    planned = sweep.plan(config, Sweep("default", members), [0], SET.value, out)
    sweep.make_all(planned, WORKERS.value)
    parallel.start()
    found = {}
    for made_run in planned:
        run, other = open_run(made_run.folder), out / "logs" / f"{made_run.member}_other"
        histories, _ = read_histories(other / "interactions.parquet", run.vocabulary)
        planted = read_planted(other, histories)
        found[made_run.member] = find_causes(run, histories, planted, METHODS.value or ALL, FORECASTS.value)
        jax.clear_caches()  # nothing of it is used again, and a process may map only so much
    rows = [
        {"log": f"{name} {value:g}", "varied": name, "value": float(value), **row}
        for (name, value), key in logs.items()
        for row in found[key]
    ]
    table = pl.DataFrame(rows)
    write_csv(table, out / "ground_truth.csv")
    ground_truth_table.draw(table, out / "ground_truth.png")
    text = ground_truth_table.markdown(table)
    write_text(f"{text}\n", out / "ground_truth.md")
    print(f"{text}\n\nwritten to {out}/ground_truth.md, ground_truth.csv and ground_truth.png")
