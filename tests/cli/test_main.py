"""The command `trajectory`: its overview, its presets, and what it says of a command that is none."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_mistakes import assert_explained
from tests.commands import ROOT, without_beats
from trajectory.cli.main import COMMANDS, module, overview
from trajectory.settings import presets


def test_the_overview_fits_one_screen_and_names_every_command():
    lines = overview().splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 120
    named = {line.split()[0] for line in lines if line.startswith("  ")}
    files = {path.stem for path in (ROOT / "trajectory" / "cli").glob("*.py")} - {"__init__", "command", "main"}
    assert named == set(COMMANDS)
    assert {module(name) for name in named} == files, "every file is a command"
    assert all(line.endswith(".") for line in lines if line.startswith("  "))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does_and_what_its_flags_mean(script, name):
    ran = script(name, "--help")
    assert ran.code == 0
    (line,) = (line for line in overview().splitlines() if line.startswith(f"  {name} "))
    assert ran.out.startswith(line.removeprefix(f"  {name}").lstrip())
    assert f"trajectory {name} " in ran.out.partition("\n")[2] or name == "bench", "an example"
    flags = [line for line in ran.out.splitlines() if line.startswith("  --")]
    assert all(len(line.split()) > 2 for line in flags), "each has a meaning"
    if module(name) not in ("configs",):
        assert flags


def test_every_script_is_a_thin_door_to_the_command_of_its_name():
    scripts = {path.stem: path.read_text() for path in (ROOT / "scripts").glob("*.py")}
    assert set(scripts) == {module(name) for name in COMMANDS if name not in ("configs", "inspect")}
    assert all(f'main("{name.replace("_", "-")}")' in text for name, text in scripts.items())


@pytest.mark.parametrize("path", sorted((ROOT / "scripts").glob("*.py")), ids=lambda path: path.stem)
def test_every_script_says_what_it_does(script, monkeypatch, capsys, path):
    monkeypatch.setattr("trajectory.cli.main.start", lambda: None)  # NumPy is there already
    monkeypatch.setattr(sys, "argv", [str(path), "--help"])
    runpy.run_path(str(path), run_name="__main__")
    said = capsys.readouterr().out
    assert said == script(path.stem.replace("_", "-"), "--help").out


def test_presets_are_listed_and_copied(script, tmp_path, monkeypatch):
    listed = script("configs").out
    for name, line in {**presets.described(), **presets.described(presets.SWEEPS)}.items():
        assert f"  {name} " in listed
        assert line in listed
    monkeypatch.chdir(tmp_path)
    for name in ("finetune", "backbone"):
        assert script("configs", "copy", name).code == 0
    assert (tmp_path / "finetune.py").read_text() == (presets.FOLDER / "finetune.py").read_text()
    assert "Sweep" in Path("backbone.py").read_text()
    assert_explained(script("configs", "copy", "finetune"), "there is a file finetune.py here already")
    assert_explained(script("configs", "copy", "finetunes"), "did you mean finetune?")
    assert_explained(script("configs", "remove"), "expected configs, copy NAME, or fields")


@pytest.mark.parametrize("name", COMMANDS)
def test_flags_are_written_in_one_way(script, name):
    flags = [line.split()[0] for line in script(name, "--help").out.splitlines() if line.startswith("  --")]
    assert [flag for flag in flags if "_" in flag] == []


def test_nothing_but_what_is_asked_for_is_written_where_no_terminal_is():
    ran = subprocess.run([sys.executable, "-m", "trajectory", "configs"], capture_output=True, text=True, cwd=ROOT)
    assert (ran.returncode, without_beats(ran.stderr)) == (0, "")


def test_a_command_that_is_none_gets_the_nearest():
    ran = subprocess.run([sys.executable, "-m", "trajectory", "trian"], capture_output=True, text=True, cwd=ROOT)
    assert ran.returncode == 2
    assert ran.stderr == "error: there is no command 'trian'; did you mean train? `trajectory --help` lists them\n"


def test_arguments_that_a_command_needs_or_does_not_take(script):
    assert_explained(script("sweep", "--config=user_a"), "expected --sweep, --out")
    assert_explained(script("inspect"), "expected LOG")
    assert_explained(script("inspect", "a.csv", "b.csv"), "unexpected argument 'b.csv'")
