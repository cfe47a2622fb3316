"""Predicts what new users will want next, from a file of their events.

trajectory predict --workdir=runs/first --events=new_users.csv --out=predictions.csv --top=10 --steps=5

Writes --out, a row for each of the most likely items of each user, as `run.predict(...).write(path)` does
(docs/api.md): .csv, .parquet, or .json, a list of rows. With --steps also a forecast, in files beside it: <out>_steps,
the most likely items at each step, <out>_within_steps, each item's probability to come within all steps, and
<out>_path, the most likely path. <out>_conversion is of a run with a conversion head; <out>_without names users for
whom nothing is left, and why.

`calibrated` of a row says whether its probability was fitted to outcomes (evaluate does that; of the next item and of
paths it never is), `in_set_90` of a step's item whether it is in the set that holds the step with 90 %, `set_size_90`
how many items that set has: one of more than --top is not whole in the table.

In a .csv an id or title that a spreadsheet would run as a formula (it begins with = + - @ and is no number) has a '
before it, which is said; to join by such ids, take .json or .parquet, where all are as in the log.
"""

from pathlib import Path

from absl import flags

from trajectory.schema import UserError
from trajectory.settings.allowed import at_least
from trajectory.settings.typed_flags import number
from trajectory.training import parallel

WORKDIR = flags.DEFINE_string("workdir", None, "folder of the run")
EVENTS = flags.DEFINE_string("events", None, "CSV or Parquet file of the users' events")
OUT = flags.DEFINE_string("out", "predictions.csv", "file to write, .csv, .parquet or .json")
TOP = number("top", 10, "items a user", at_least(1))
STEPS = number("steps", None, "steps ahead (default: only the next)", at_least(1))
PATHS = number("paths", 500, "sampled paths a user, for --steps", at_least(1))
SINGLE_USER = flags.DEFINE_string("single-user", "", "the only user's id, for a file without a user column")
flags.mark_flags_as_required(["workdir", "events"])


def main() -> None:
    """Reads the events for the run, predicts, writes."""
    parallel.start()
    from trajectory.forecasting.predict import predict
    from trajectory.results.result import WRITERS
    from trajectory.run import load_run

    out = Path(OUT.value)
    if out.suffix not in WRITERS:
        raise UserError(f"--out={out}: expected a name ending in {', '.join(WRITERS)}")
    if not out.parent.is_dir():
        raise UserError(f"--out={out}: the folder {out.parent} does not exist")
    if not Path(EVENTS.value).exists():
        raise UserError(f"--events={EVENTS.value} does not exist")
    run = load_run(Path(WORKDIR.value))
    result = predict(run, Path(EVENTS.value), SINGLE_USER.value, TOP.value, STEPS.value or 0, PATHS.value)
    for note in result.notes:
        print(note)
    print(f"{result.users:,} users; written to {', '.join(map(str, result.write(out)))}")
