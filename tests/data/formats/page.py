"""docs/formats.md, written from the presets and from reading their samples: python -m tests.data.formats.page."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.data.formats.samples import SAMPLES
from tests.data.ingest.test_log import settings
from trajectory.data.formats.layout import Format
from trajectory.data.formats.read import preset
from trajectory.data.ingest.log import read_log
from trajectory.data.ingest.quality.cleaning import clean
from trajectory.data.ingest.source.domains import resolve

PAGE = Path(__file__).resolve().parents[3] / "docs" / "formats.md"
_HEAD = """# Public raw files that are read as they are

This page is written by `python -m tests.data.formats.page`.

`--config=own_log:path=FILE_OR_FOLDER` knows these formats by their columns or first lines and says so;
`path=...,format=NAME` asks for one, and `--config.data.format=` reads the file as a plain table. Whatever is set by
hand, such as `--config.data.columns.item=...` or `--config.data.event_type_map`, wins over the format. A folder, a
zip file of it, packed files (.gz, .bz2, .xz, .zst) and parts of a log work alike; given the log alone, the tables of
items beside it are read too.

The last column is of the made-up sample that the tests read, in the layout and with the dirt of the real files: rows
read = kept + folded (equal rows that became one of that quantity) + set aside with a reason. No setting is needed for
any of them.
"""


def page() -> str:
    """The whole page."""
    rows = [
        "| format | files of the sample | what becomes what | sample: read = kept + folded + set aside |",
        "|---|---|---|--:|",
    ]
    for sample in SAMPLES.values():
        with tempfile.TemporaryDirectory() as folder:
            rows.append(_row(sample.written(Path(folder))))
    return _HEAD + "\n" + "\n".join(rows) + "\n"


def _row(path: Path) -> str:
    match = preset(settings(path))
    assert match is not None
    data = resolve(settings(path))
    result = clean(read_log(data), data)
    counts = [result.log.detected["rows"], result.events.height, result.folded, sum(result.counts.values())]
    sums = f"{counts[0]} = {counts[1]} + {counts[2]} + {counts[3]}"
    meaning = "; ".join(_meaning(match.format))
    files = ", ".join(f"`{part.file}`" for part in match.parts)
    return f"| {match.format.title} (`{match.name}`) | {files} | {meaning} | {sums} |"


def _meaning(form: Format) -> Iterator[str]:
    chosen = form.settings
    if chosen.columns:
        yield ", ".join(f"{field} = `{name}`" for field, name in chosen.columns.items())
    if chosen.event_type_map:
        yield ", ".join(
            f"{f'`{word}`' if word else 'all'} → {event_type}" for word, event_type in chosen.event_type_map.items()
        )
    if form.note:
        yield form.note


if __name__ == "__main__":
    PAGE.write_text(page())
