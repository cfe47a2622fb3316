"""The examples of docstrings: what they need in hand is given by name, and what they leave is given back."""

from __future__ import annotations

import doctest
import inspect
import io
import logging
import warnings
from typing import Any

from trajectory.messages import LOGGER


def run_example(thing: Any, names: dict[str, Any]) -> dict[str, Any]:
    """Runs the example of a function, property or class; fails where it says something else."""
    examples = doctest.DocTestParser().get_doctest(inspect.getdoc(thing) or "", names, str(thing), None, 0)
    assert examples.examples, f"{thing} has no example"
    said, before = io.StringIO(), LOGGER.level
    LOGGER.setLevel(logging.CRITICAL)  # an example shows what a call returns; messages go to stderr in a notebook
    try:
        warnings.filterwarnings("ignore", "the load_module", DeprecationWarning)  # of ml_collections
        failed, _ = doctest.DocTestRunner(verbose=False).run(examples, out=said.write, clear_globs=False)
    finally:
        LOGGER.setLevel(before)
    assert not failed, said.getvalue()
    return examples.globs
