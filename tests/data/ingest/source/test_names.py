"""Names of logs as names of folders."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trajectory.data.ingest.source.names import safe_name
from trajectory.presets.own_log import get_config


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("shop", "shop"),
        ("My shop-2.1+b", "My shop-2.1+b"),
        ("用户", "用户"),
        ("..", "log"),
        ("", "log"),
        (" / ", "_"),
        ("../../etc", "_.._etc"),
        ("a\nb\x00c\u202ed", "a_b_c_d"),
        (".hidden", "hidden"),
        ("-rf", "rf"),
        ("\udcff", "_"),
    ],
)
def test_worked_names(text, name):
    assert safe_name(text) == name


@given(st.text(st.characters(exclude_categories=()), max_size=300))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_any_name_is_one_part_of_a_path(text):
    name = safe_name(text)
    assert Path("home", name).parts == ("home", name)
    assert name not in (".", "..")
    assert 0 < len(name.encode()) <= 100
    assert name.isprintable()
    assert safe_name(name) == name


def test_long_names_that_begin_alike_stay_apart():
    one, other = safe_name("long" * 100 + "1"), safe_name("long" * 100 + "2")
    assert one != other
    assert one.startswith("long" * 20)


@pytest.mark.parametrize("file", ["a,b.csv", "log,tiny", "model=gru,x.csv"])
def test_a_path_with_commas_is_found_where_it_is_there(tmp_path, file):
    (tmp_path / file).touch()
    for arg in (f"path={tmp_path / file}", f"path={tmp_path / file},model=gru", f"model=gru,path={tmp_path / file}"):
        config = get_config(arg)
        assert config.data.source == str(tmp_path / file)
        assert config.model.backbone == ("gru" if "model=gru" in arg.replace(file, "") else "hybrid")
        assert config.auto_config == "auto"


def test_a_log_is_named_safely(tmp_path):
    assert get_config(f"path={tmp_path}/a$b:c\td.csv").name == "a_b_c_d"
    assert get_config("path=..").name == "own_log"
