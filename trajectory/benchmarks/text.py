"""Vectors of titles by the pretrained text encoder."""

import tempfile
import time
from pathlib import Path

from trajectory.data.content.content import texts
from trajectory.data.content.text import text_vectors
from trajectory.data.store import builder
from trajectory.presets import amazon_beauty

TITLES = 100_000  # the goal is of so many
SHARE = 8  # one title in so many is encoded


def text() -> None:
    """Texts a second on Amazon Beauty's titles, categories and brands, and what 100,000 would take."""
    histories = builder.prepare(amazon_beauty.get_config().data)
    words = texts(histories.items, ("title", "category", "brand"))[::SHARE]
    with tempfile.TemporaryDirectory() as folder:
        text_vectors(words[:128], Path(folder))  # compiles
        began = time.perf_counter()
        text_vectors(words, Path(folder))
        rate = len(set(words)) / (time.perf_counter() - began)
    print(f"text: {rate:,.0f} texts/s; {TITLES:,} take {TITLES / rate / 60:.1f} min (goal: 15 min)")
