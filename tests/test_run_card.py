"""README.md of a run: what it is and what lies there, written anew by whatever writes files into its folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from trajectory.run_card import FILES, table, write_card

ROOT = Path(__file__).parents[1]
OLD = ROOT / "tests" / "old_run" / "run"


@pytest.fixture
def folder(tmp_path) -> Path:
    return Path(shutil.copytree(OLD, tmp_path / "shop"))


def test_the_page_of_files_has_the_same_table():
    assert f"\n{table()}\n" in (ROOT / "docs" / "files.md").read_text()


def test_it_says_what_the_run_is_and_what_each_file_holds(folder):
    write_card(folder)
    text, data = (folder / "README.md").read_text(), json.loads((folder / "data.json").read_text())
    assert text.startswith("# ")
    for words in ("## Training", "## How good it is", "## How to open it", "## Limits of use", "## Files"):
        assert f"\n{words}\n" in text
    assert f"{data['events']:,} events of {data['users']:,} users" in text
    assert data["guarantee"] in text
    assert 'tj.load_run("shop")' in text
    listed = text.partition("## Files")[2]
    for path in folder.iterdir():
        assert f"`{path.name}" in listed or not any(path.name in file.names for file in FILES)
    assert "`report.html`" not in listed, "only what is there"


def test_it_says_how_good_the_run_is_and_where_counting_does_as_well(folder):
    (folder / "evaluation.json").unlink(missing_ok=True)
    write_card(folder)
    assert "Not measured on test yet: `trajectory evaluate`" in (folder / "README.md").read_text()
    step = next((folder / "checkpoints" / "best").iterdir()).name
    paired = {"baseline": "markov", "difference": -0.125, "low": -0.25, "high": 0.0}
    evaluation = {
        "metrics": {"test": {"ndcg@10": 0.25}},
        "confidence_intervals": {"test": {"ndcg@10": {"low": 0.125, "high": 0.5}}},
        "paired": {"test": {"ndcg@10": paired}},
        "protocol": {"users": {"test": 1200}, "checkpoint": f"best ndcg@10 on validation, step {step}"},
    }
    (folder / "evaluation.json").write_text(json.dumps(evaluation))
    write_card(folder)
    text = (folder / "README.md").read_text()
    assert "| ndcg@10 | 0.2500 | 0.1250 to 0.5000 | markov | 0.3750 | -0.1250 | -0.2500 to +0.0000 |" in text
    assert "It is not ahead of counting beyond chance in ndcg@10 (markov)" in text
    assert "Evaluate again" not in text
    evaluation["protocol"]["checkpoint"] += "1"
    (folder / "evaluation.json").write_text(json.dumps(evaluation))
    write_card(folder)
    assert "this is of an earlier checkpoint. Evaluate again." in (folder / "README.md").read_text()


def test_tables_of_insights_are_told_from_files_of_the_user(folder):
    (folder / "insights_parts.json").write_text(json.dumps({"parts": {"demand": {"tables": ["demand"]}}}))
    for name in ("demand.parquet", "mine.parquet"):
        (folder / name).touch()
    write_card(folder)
    text = (folder / "README.md").read_text()
    assert "`demand.parquet`" in text
    assert "mine.parquet" not in text


@pytest.mark.parametrize("name", ["training.json", "evaluation.json", "insights_parts.json"])
@pytest.mark.parametrize("content", ["{", "[]", '{"paired": {"test": {"ndcg@10": 1}}, "parts": 1, "finished": 1}'])
def test_a_damaged_file_costs_no_more_than_its_section(folder, name, content):
    (folder / name).write_text(content)
    write_card(folder)
    assert "## Limits of use" in (folder / "README.md").read_text()


def test_a_folder_that_is_no_run_gets_none(tmp_path):
    write_card(tmp_path)
    assert not list(tmp_path.iterdir())
