"""What is missing is named with the extra that brings it, and every extra is one of the package's."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from trajectory import extras
from trajectory.schema import UserError

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]


@pytest.mark.parametrize(("package", "extra"), extras.EXTRAS.items())
def test_an_extra_brings_its_packages_and_the_core_does_not(package, extra):
    declared = PROJECT["optional-dependencies"]
    assert package in {line.split(">")[0] for line in declared[extra]}
    assert package not in {line.split(">")[0] for line in PROJECT["dependencies"]}


def test_the_readme_says_what_each_extra_unlocks():
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    for extra in PROJECT["optional-dependencies"]:
        assert f"| `{extra}` |" in readme


def test_a_missing_package_is_named_with_its_job_and_its_extra(monkeypatch):
    extras.require("numpy", "nothing")
    monkeypatch.setattr("importlib.util.find_spec", lambda package: None)
    with pytest.raises(UserError, match=r"a search needs .* pip install 'interest-trajectory\[search\]'"):
        extras.require("optuna", "a search")
