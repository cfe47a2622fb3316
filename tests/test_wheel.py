"""The built package, installed outside the checkout: presets by name, and a sweep that starts its runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]
SMALL = ("train.epochs=1", "logging.wandb=False", "logging.tensorboard=False")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built in a copy: setuptools leaves files where it builds."""
    source = tmp_path_factory.mktemp("source")
    for name in ("trajectory", "configs"):
        shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    _run(
        *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"),
        *("--disable-pip-version-check", f"--wheel-dir={source / 'dist'}", str(source)),
        cwd=source,
    )
    (built,) = (source / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """installed("train", "--config=...") runs the command in a folder without a checkout; .folder, .python."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home / "env", with_pip=False)
    python = home / "env" / "bin" / "python"
    packages = Path(_run(str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=home).strip())
    # Behind its own: what this environment has, but not the checkout, whose own .pth file is not read from there.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    install = (sys.executable, "-m", "pip", f"--python={python}", "install", "--quiet", "--no-deps", "--no-index")
    _run(*install, "--disable-pip-version-check", str(wheel), cwd=home)

    def run(*arguments: str) -> str:
        return _run(str(home / "env" / "bin" / "trajectory"), *arguments, cwd=home)

    run.folder, run.python = home, python
    return run


def _run(*command: str, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "XLA_FLAGS")}
    ran = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_the_wheel_holds_presets_and_all_files_beside_the_code_and_no_other_top_level_package(wheel):
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {name.partition("/")[0] for name in names if ".dist-info" not in name} == {"trajectory"}
    assert {"trajectory/presets/complete_journey.py", "trajectory/presets/sweeps/backbone.py"} <= names
    files = [path for path in (ROOT / "trajectory").rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")]
    assert {path.relative_to(ROOT).as_posix() for path in files} <= names, "name its ending in pyproject.toml"
    assert "trajectory/py.typed" in names
    assert any(name.endswith("/LICENSE") for name in names)


def test_configs_is_nobody_s_top_level_module_and_the_package_is_the_installed_one(installed):
    code = "import importlib.util as u, trajectory; print(u.find_spec('configs'), trajectory.__file__)"
    none, where = _run(str(installed.python), "-c", code, cwd=installed.folder).split()
    assert none == "None"
    assert Path(where).is_relative_to(installed.folder)


def test_a_preset_is_listed_copied_changed_and_trained_by_a_sweep_of_the_installed_command(installed):
    assert "  user_a  " in installed("configs")
    installed("configs", "copy", "user_a")
    copy = installed.folder / "user_a.py"
    copy.write_text(copy.read_text().replace('c.name = "user_a"', 'c.name = "mine"'))
    (installed.folder / "widths.py").write_text(
        "from trajectory.tuning.members import Sweep, grid\n\n"
        "def get_sweep():\n    return grid({'model.width': (8,)}, base={'model.width': 8})\n"
    )
    settings = [f"--config.{text}" for text in SMALL]
    said = installed(
        "sweep", "--config=user_a.py:tiny", "--sweep=widths.py", "--out=runs/sweep", "--seeds=0", *settings
    )
    assert "1 runs, 0 of them finished before" in said
    folder = installed.folder / "runs" / "sweep" / "width=8_0"
    assert json.loads((folder / "sweep.json").read_text())["done"]
    assert json.loads((folder / "config.json").read_text())["name"] == "mine_tiny"
    assert json.loads((folder / "training.json").read_text())["finished"]
    assert (folder / "evaluation.json").exists()
    assert (installed.folder / "runs" / "sweep" / "sweep.md").exists()
