"""Methods of attribution compared on several runs, run by run, and what holds over all of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import jax

from trajectory.explain.comparison import METHODS, compare_once
from trajectory.explain.comparison_table import conclusion, titled
from trajectory.explain.targets import read_target
from trajectory.run import load_run
from trajectory.writing import write_text

_LOGGER = logging.getLogger(__name__)
HEAD = """# Which attributions are faithful

Written by `trajectory faithfulness --out=FILE`. Events are taken away, hidden (replaced by the reference) or removed
from the history, in the order that each method ranks them, and the log-probability of the forecast is measured (nats,
means over forecasts):

- **deletion**: how much lower it is on average while the first events are taken away one by one; higher is better
- **insertion**: how much higher than with none while they are put in; higher is better
- **comprehensiveness**: how much it falls without the first 1 to 50 % of the events; higher is better
- **sufficiency**: how much it falls with nothing but them; lower is better
- **infidelity** (nats squared) and **sensitivity** (largest relative change of attributions when inputs hardly change):
  lower is better
- **shapley**: rank correlation with exact Shapley values; higher is better
- **randomised**: rank correlation with the method's own attributions of a model of shuffled weights; near 0 is better
- **completeness_error**: by how much the sum of the attributions misses the forecast, the largest over forecasts

Bold is the best method of each of the first eight columns; * is ahead of every baseline (newest first, random order,
attention where the model has it) by a paired test.
"""


def write_comparisons(
    workdirs: Sequence[Path | str], target: str, methods: Sequence[str], part: str, users: int, out: Path | None = None
) -> str:
    """Compares methods (by default those that work for every history) on `part` of each run, and keeps that there.

    Tells each run's table as soon as it is there, and returns what holds over all runs; `out` gets both as Markdown.
    Raises UserError for a method or a target that a run does not have.
    """
    comparisons = []
    for workdir in workdirs:
        run = load_run(workdir)
        explained = read_target(target, run.experiment.histories, bool(run.config.heads.item))
        comparisons.append(compare_once(run, run.workdir, explained, methods or METHODS, part, users))
        jax.clear_caches()  # nothing of it is used again, and a process may map only so much
        _LOGGER.info(f"\n{titled(comparisons[-1])}")
    concluded = conclusion(comparisons)
    if out:
        write_text("\n".join([HEAD, *map(titled, comparisons), concluded]), out)
    return concluded
