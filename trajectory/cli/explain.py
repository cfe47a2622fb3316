"""Says which past events drove a run's forecasts.

trajectory explain --workdir=runs/first --target=interest

Targets: item, interest, migration or conversion; with a name, one for all users (--target=interest=COFFEE,
--target="migration=WINE>BEER"), else each user's most likely one. Writes attributions.parquet and attributions.html.
"""

from pathlib import Path
from typing import get_args

from absl import flags

from trajectory.cli.command import define_language, next_command
from trajectory.expected import AttributionMethod
from trajectory.settings.allowed import at_least
from trajectory.settings.typed_flags import number, numbers
from trajectory.training import parallel

WORKDIR = flags.DEFINE_string("workdir", None, "folder of the run")
TARGET = flags.DEFINE_string("target", "", "what to explain; interests where the log has any, else items")
USERS = number(
    "users", None, "users, spread over the log (0 = all; default: explain.users of the run's config)", at_least(0)
)
USER = flags.DEFINE_multi_string("user", [], "id of a user, instead; repeatable")
AT_STEPS = numbers("at-steps", [1], "which steps, 1 = next; later ones need heads.horizon > 1", at_least(1))
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
    page = write_attributions(
        run, TARGET.value, AT_STEPS.value, USER.value or USERS.value, METHOD.value, LANGUAGE.value
    )
    print(f"open {page.resolve()}")
    next_command(f"insights --workdir={WORKDIR.value}", "what a merchant can act on")
