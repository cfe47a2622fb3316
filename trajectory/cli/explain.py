"""Says which past events drove a run's forecasts.

trajectory explain --workdir=runs/first --target=interest

Targets: item, interest, migration or conversion; with a name, one for all users (--target=interest=COFFEE,
--target="migration=WINE>BEER"), else each user's most likely one. Writes attributions.parquet and attributions.html.
"""

from pathlib import Path
from typing import get_args

from absl import flags

from trajectory.cli.command import define_language
from trajectory.expected import AttributionMethod
from trajectory.schema import UserError
from trajectory.training import parallel

WORKDIR = flags.DEFINE_string("workdir", None, "folder of the run")
TARGET = flags.DEFINE_string("target", "", "what to explain; interests where the log has any, else items")
USERS = flags.DEFINE_integer(
    "users", -1, "users, spread over the log (0 = all, -1 = as the run's config says)", lower_bound=-1
)
USER = flags.DEFINE_multi_string("user", [], "id of a user, instead; repeatable")
AT_STEPS = flags.DEFINE_list("at-steps", ["1"], "which steps, 1 = next; later ones need heads.horizon > 1")
METHOD = flags.DEFINE_string(
    "method", "", f"instead of the config's explain.method, one of {', '.join(get_args(AttributionMethod))}"
)
LANGUAGE = define_language()
flags.mark_flags_as_required(["workdir"])


def main() -> None:
    """Explains, names the page."""
    parallel.start()
    from trajectory.explain.report import write_attributions
    from trajectory.run import load_run

    run = load_run(Path(WORKDIR.value))
    drawn = None if USERS.value < 0 else USERS.value
    page = write_attributions(run, TARGET.value, _at_steps(), USER.value or drawn, METHOD.value, LANGUAGE.value)
    print(f"open {page.resolve()}")


def _at_steps() -> list[int]:
    if not all(step.isdigit() for step in AT_STEPS.value):
        raise UserError(f"--at-steps={','.join(AT_STEPS.value)}: expected numbers with commas between, such as 1,2,3")
    return [int(step) for step in AT_STEPS.value]
