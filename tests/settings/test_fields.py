"""Every field has a meaning, presets have no field that is not declared, and the page of fields is up to date."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ml_collections import ConfigDict

from trajectory.schema import UserError
from trajectory.settings import base, presets, table
from trajectory.settings.fields import SECTIONS

ROOT = Path(__file__).parents[2]


def test_the_page_of_fields_is_up_to_date():
    page = (ROOT / "docs" / "config.md").read_text()
    assert page == table.page(), "write it anew: trajectory configs fields > docs/config.md"


def test_every_field_has_a_default_and_a_meaning():
    config = base()
    for path, section in SECTIONS.items():
        place = config
        for name in filter(None, path.split(".")):
            place = place[name]
        own = {name for name in place if f"{path}.{name}".lstrip(".") not in SECTIONS}
        assert own == set(section.fields)
        assert section.meaning
        assert all(field.meaning for field in section.fields.values())


def test_no_two_configs_share_a_default_that_can_be_changed():
    first, second = base(), base()
    first.data.event_types.view = "sale"
    first.data.columns.user = "who"
    assert (second.data.event_types.view, second.data.columns.user) == (base().data.event_types.view, "")


@pytest.mark.parametrize("name", presets.names())
def test_a_preset_has_all_fields_and_no_other(name):
    assert presets.described()[name].endswith((".", ":"))
    module = __import__(f"trajectory.presets.{name}", fromlist=["get_config"])
    argument = {"own_log": "path=log.csv", "user_behavior": "path=log.csv", "finance": "path=log.csv"}.get(name, "")
    assert _names(module.get_config(argument)) == _names(base())


@pytest.mark.parametrize("name", presets.names())
def test_a_preset_says_all_arguments_that_it_takes(name):
    module = __import__(f"trajectory.presets.{name}", fromlist=["get_config"])
    with pytest.raises(UserError, match="It takes: ") as error:
        module.get_config("unheard_of=1")
    taken = str(error.value).rpartition("It takes: ")[2].split(", ")
    said = re.sub(r"\(.*?\)", "", presets.arguments(name))
    assert {*taken} == {part.split()[0] for part in said.split(", ")}


def _names(config: ConfigDict, free: tuple[str, ...] = ("event_type_map", "event_types", "files")) -> set[str]:
    names = set()
    for name, value in config.items():
        nested = isinstance(value, ConfigDict) and name not in free
        names |= {f"{name}.{other}" for other in _names(value)} if nested else {name}
    return names
