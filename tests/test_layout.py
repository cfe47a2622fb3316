"""Imports go one way: a package imports only those before it, so that each can be read without what comes after it."""

import ast
import re
from pathlib import Path

import trajectory

ROOT = Path(trajectory.__file__).parent
ORDER = (
    "settings",
    "data",
    "models",
    "reports",
    "results",
    "training",
    "metrics",
    "baselines",
    "calibration",
    "inference",
    "evaluation",
    "forecasting",
    "explain",
    "migrations",
    "insights",
    "inspection",
    "tuning",
    "presets",
    "benchmarks",
    "cli",
)


def imported(file: Path) -> set[str]:
    """The packages of `trajectory` that a file imports, at its top or within functions."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("trajectory"):
            names |= {f"{node.module}.{alias.name}".split(".")[1] for alias in node.names}
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("trajectory.")}
    return names


def test_every_package_has_its_place():
    assert {path.parent.name for path in ROOT.glob("*/__init__.py")} == set(ORDER)


def test_no_package_imports_one_that_comes_after_it():
    backwards = {
        f"{file.relative_to(ROOT)} imports {name}"
        for place, package in enumerate(ORDER)
        for file in (ROOT / package).rglob("*.py")
        for name in imported(file)
        if name in ORDER[place + 1 :]
    }
    assert not backwards


def test_the_design_page_lists_the_packages_in_their_order():
    page = (ROOT.parent / "docs" / "design.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    listed = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert [*listed] == [*ORDER]
