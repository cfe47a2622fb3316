"""What every page of a run needs: templates in which names stay apart, data that stays data inside its script."""

from __future__ import annotations

import functools
import json
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2

from trajectory import __version__
from trajectory.names import isolated
from trajectory.reports import colours, navigation, pictures
from trajectory.writing import write_text


def write_page(path: Path, room: str, **values: Any) -> Path:
    """Fills the template <name of the page>.j2 of a room's folder `pages`, writes it at `path` and returns that.

    The other pages of the run lead to it from then on.
    """
    write_text(render(path.name, room, navigation=navigation.links(path), **values), path)
    navigation.refresh(path.parent)
    return path


def render(page: str, room: str, **values: Any) -> str:
    """The template <page>.j2 of a room's folder `pages`, which extends one of the folder of reports, filled."""
    loader = jinja2.ChoiceLoader([jinja2.PackageLoader(f"trajectory.{of}", "pages") for of in (room, "reports")])
    environment = jinja2.Environment(
        loader=loader, autoescape=True, finalize=isolated, undefined=jinja2.StrictUndefined
    )
    environment.globals |= {
        "vega": pictures.script,
        "navigation": "",
        "language": "",
        "catalogues": catalogues(),
        "colours": colours.COLOURS,
        "other": colours.OTHER,
        "dark_colours": colours.DARK.items(),
        "version": __version__,
        "today": f"{datetime.now(UTC):%Y-%m-%d}",
    }
    return environment.get_template(f"{page}.j2").render(**values)


@functools.cache
def catalogues() -> str:
    """What pages say in other languages than English, as JSON for their script: by language, English text -> the other.

    In files of reports/languages; in the English {} stands for a text that changes and {n} for a number, in the other
    language {} for each in turn, or {0}, {1} ... for the first, the second.
    """
    folder = files("trajectory.reports") / "languages"
    found = {file.name.removesuffix(".json"): json.loads(file.read_text("utf-8")) for file in folder.iterdir()}
    return script_safe(found)


def script_safe(value: Any) -> str:
    """JSON that cannot close the script element it stands in, nor turn the direction of its source, whatever names the
    data has.
    """
    text = json.dumps(value, ensure_ascii=False)
    for character in "<>&\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
