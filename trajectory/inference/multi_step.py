"""The forecasters of a run, for the steps that its split holds out."""

from __future__ import annotations

from collections.abc import Sequence

from trajectory.inference.direct import DirectForecaster
from trajectory.inference.sampled import SampledForecaster
from trajectory.protocols import Forecaster, UncalibratedForecast
from trajectory.run import Run
from trajectory.schema import UserError


def require_held_out(kind: str) -> None:
    """UserError for a kind of split that holds out no steps to be forecast one by one."""
    if kind != "leave_last":
        raise UserError(
            f"several steps are measured where the last H steps were held out: split.kind=leave_last, not {kind}"
        )


def forecasters(run: Run, names: Sequence[str]) -> list[Forecaster[UncalibratedForecast]]:
    """The forecasters "direct" (of a run with heads.horizon > 1) or "sampled"."""
    c, named = run.config, list[Forecaster[UncalibratedForecast]]()
    require_held_out(c.split.kind)
    for name in names:
        if name == "direct":
            named.append(DirectForecaster(run.predictor(), c.split.steps))
        elif name == "sampled":
            steps, paths, statistics = c.split.steps, c.forecast.paths, run.vocabulary.statistics
            named.append(SampledForecaster(run.predictor(), statistics, steps, paths, c.seed))
        else:
            raise UserError(f"forecaster {name!r} is unknown; expected direct or sampled")
    return named
