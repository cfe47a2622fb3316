"""Measures forecasts of demand compared with all baselines.

trajectory measure-demand --workdir=runs/insights

--simulate=40 instead measures so many made-up small shops of each kind and length (minutes), whose rates are known.
Prints Markdown tables. AutoETS and AutoARIMA (extra `demand`) are fitted to each series of `--levels` at
each held-out week: categories of Complete Journey take about ten minutes, product types more than an hour.
"""

from pathlib import Path

from absl import flags

from trajectory.schema import UserError
from trajectory.settings.allowed import at_least
from trajectory.settings.typed_flags import number, numbers
from trajectory.training import parallel

WORKDIR = flags.DEFINE_string("workdir", None, "folder of the run")
SIMULATE = number("simulate", 0, "made-up shops of each kind and length to measure instead of a run", at_least(0))
WEEKS = numbers("weeks", [16, 18, 20, 22], "lengths of made-up shops, in weeks", at_least(16))
MODELS = flags.DEFINE_list("models", ["AutoETS", "AutoARIMA"], "models of statsforecast to fit, empty for none")
LEVELS = flags.DEFINE_list("levels", ["interest", "department"], "levels that they are fitted to")


def main() -> None:
    """Measures a run's forecasts, or those of made-up shops, and prints."""
    parallel.start()
    from trajectory.insights.demand.markdown_report import of_made_up_shops, of_run
    from trajectory.run import load_run

    if SIMULATE.value:
        print(of_made_up_shops(WEEKS.value, SIMULATE.value))
    elif WORKDIR.value:
        print(of_run(load_run(Path(WORKDIR.value)), MODELS.value, LEVELS.value))
    else:
        raise UserError("expected --workdir=RUN, or --simulate=40 for made-up shops; neither was given")
