"""Names as pages and results show them: a shop's labels, and no shouting. What the model reads stays as it is."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import polars as pl
from ml_collections import ConfigDict

from trajectory.schema import Histories, UserError
from trajectory.settings.presets import FOLDER

LOUD = 0.8  # of a log's names that are in capitals alone, from which on all such names are told in small letters
_WORD = re.compile(r"[^\W\d_]+(?:[.'’][^\W\d_]+)*")


def readable(histories: Histories, data: ConfigDict) -> Histories:
    """The histories with items' titles and interests as people read them; ids of items stay.

    They have the labels of `data.labels` and, with data.name_case=auto, no names in capitals alone where nearly all of
    the log's are so: "FRZN PIZZA" is "Frzn pizza", or "Frozen pizza" with the label FRZN,frozen. A label is of a whole
    name, else of each word. Names that would become the same stay as they are. The title of an item without one is made
    of its id.

    Raises UserError for labels that cannot be read.
    """
    path, case = data.get("labels", ""), data.get("name_case", "auto")  # runs made before have neither
    labels = _labels(path) if path else {}
    items, ids = histories.items, histories.items["item"].cast(pl.String)
    titles = items["title"].cast(pl.String).fill_null(ids) if "title" in items.columns else ids
    shown = _named(titles, labels, case).alias("title")
    if "title" in items.columns:  # what has no title keeps none, where its id would say no more
        silent = items["title"].is_null() & (shown == ids)
        shown = shown.set(silent, None)
    if "title" in items.columns or not shown.equals(ids, check_names=False):
        items = items.with_columns(shown)
    interests = pl.Series("interest", histories.interests, pl.String)
    named = _named(interests, labels, case)
    if "interest" in items.columns:
        items = items.with_columns(pl.col("interest").cast(pl.String).replace(interests, named))
    return replace(histories, items=items, interests=tuple(named))


def interest_number(histories: Histories, name: str) -> int:
    """The index of the interest of this name, in capitals or not; 0 if there is none."""
    known = [one.casefold() for one in histories.interests]
    exact = histories.interests.index(name) + 1 if name in histories.interests else 0
    return exact or (known.index(name.casefold()) + 1 if known.count(name.casefold()) == 1 else 0)


def _named(names: pl.Series, labels: dict[str, str], case: str) -> pl.Series:
    distinct = names.drop_nulls().unique(maintain_order=True).to_list()
    cased = [name for name in distinct if name.upper() != name.lower()]
    loud = case == "auto" and sum(map(_loud, distinct)) > LOUD * len(cased)
    shown = {name: labels.get(name) or _worded(name, labels, loud and _loud(name)) for name in distinct}
    if len(set(shown.values())) < len(shown):  # two kinds of goods are never one
        twice = {label for label in shown.values() if list(shown.values()).count(label) > 1}
        shown = {name: name if label in twice else label for name, label in shown.items()}
    return names.replace_strict(list(shown), list(shown.values()), default=None, return_dtype=pl.String)


def _worded(name: str, labels: dict[str, str], quiet: bool) -> str:
    """The name with the labels of its words, in small letters but for the first where it is to be quiet."""

    def word(found: re.Match[str]) -> str:
        text = labels.get(found.group(), found.group())
        return text.lower() if quiet else text

    told = " ".join(_WORD.sub(word, name).split()) if quiet else _WORD.sub(word, name)
    return f"{told[:1].upper()}{told[1:]}" if quiet else told


def _loud(name: str) -> bool:
    """Whether a name is words in capitals; what has digits may be an id, whose case is part of it: ABC-123."""
    letters = max((len(word) for word in re.split(r"[\W_]+", name) if word.isalpha()), default=0)
    return name.isupper() and letters >= (4 if any(letter.isdigit() for letter in name) else 3)


def _labels(path: str) -> dict[str, str]:
    """The labels of a CSV file with columns name and label."""
    shipped = FOLDER / "labels" / f"{path}.csv"
    try:
        table = pl.read_csv(shipped if shipped.is_file() else Path(path).expanduser(), infer_schema=False)
        return dict(table.select("name", "label").drop_nulls().iter_rows())
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UserError(
            f"data.labels={path}: expected a CSV file with the columns name and label ({str(error).splitlines()[0]})"
        ) from None
