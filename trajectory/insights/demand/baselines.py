"""What demand is measured beside: the last week, a moving average, and the models of statsforecast."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from scipy.stats import norm
from tqdm.auto import tqdm

from trajectory.extras import require
from trajectory.insights.demand.features import HORIZONS
from trajectory.progress import bars_hidden

WINDOW = 4  # weeks; better than 8 or 13 at horizons 1 to 4 before October
LIBRARY = ("AutoETS", "AutoARIMA")


class BaselineForecast(NamedTuple):
    """Forecasts after each of O origins, and the standard deviation of their errors where the baseline states one."""

    forecast: np.ndarray  # float64 [O, HORIZONS, S]
    deviation: np.ndarray | None = None  # likewise


def last_week(count: np.ndarray, origins: tuple[int, ...]) -> BaselineForecast:
    """The last week goes on: seasonal naive, the season being a week, for a year's has not been seen twice."""
    return moving_average(count, origins, 1)


def moving_average(count: np.ndarray, origins: tuple[int, ...], window: int = WINDOW) -> BaselineForecast:
    """The mean of the last `window` weeks goes on."""
    mean = np.stack([count[:, max(origin - window, 0) : origin].mean(1) for origin in origins])
    return BaselineForecast(np.repeat(mean[:, None], HORIZONS, axis=1))


def counting_baselines(count: np.ndarray, origins: tuple[int, ...]) -> dict[str, BaselineForecast]:
    """The baselines that need no library, by name."""
    return {"last week": last_week(count, origins), "moving average": moving_average(count, origins)}


def statsforecast_baseline(name: str, count: np.ndarray, origins: tuple[int, ...], tested: range) -> BaselineForecast:
    """AutoETS or AutoARIMA of statsforecast (Hyndman & Khandakar 2008), refitted to each series at each tested origin.

    A series on which the library fails has its moving average. Raises UserError where the library is not installed.
    """
    require("statsforecast", name)
    from statsforecast import models

    mean = moving_average(count, origins).forecast
    deviation = np.zeros_like(mean)
    z = norm.ppf(0.975)
    for origin in tqdm(tested, name, delay=2, leave=False, disable=bars_hidden()):
        i = origins.index(origin)
        for series in np.flatnonzero(count[:, :origin].any(1)):
            model = getattr(models, name)(season_length=1)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    forecast = model.forecast(y=count[series, :origin].astype(np.float64), h=HORIZONS, level=[95])
                except Exception:  # the library raises what its optimisers do
                    continue
            if np.isfinite(forecast["mean"]).all():
                mean[i, :, series] = np.maximum(forecast["mean"], 0)
                deviation[i, :, series] = np.nan_to_num((forecast["hi-95"] - forecast["mean"]) / z)
    return BaselineForecast(mean, deviation)
