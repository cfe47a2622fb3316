"""The words that the name of a column is put together from: "LineAmount", "purchase_amount", "Verkaufspreis (EUR)"."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

from trajectory.data.ingest.columns.chinese import simplified

# Parts of names that are written as one word, and that say nothing by themselves.
_CONTEXT = (
    "purchase", "purchased", "sale", "sales", "sold", "order", "ordered", "item", "line", "unit", "product", "net",
    "gross", "paid", "invoice", "invoiced", "row", "basket", "transaction", "user", "book", "customer", "retail",
)  # fmt: skip
_SHORTEST = 4  # letters of a word that others may end with: "Verkaufspreis"


@lru_cache(10_000)
def name_words(name: str) -> tuple[str, ...]:
    """The words of a name in lower case: parted by marks, digits and capital letters. "$numberInt" of a database's
    export is none of them, and MwSt one.
    """
    name = re.sub(r"\.\$\w+$", "", name).replace("İ", "I")  # whose small letter is two for Unicode
    name = re.sub(r"\b(MwSt|USt)", lambda tax: tax[0].capitalize(), name)
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return tuple(re.sub(r"[\W_\d]+", " ", apart).lower().split())


def has_word(name: str, words: Collection[str]) -> bool:
    """Whether one of the words is in a name: by itself, behind one that it is written together with
    ("purchaseamount"), as the end of a longer one ("Verkaufspreis"), or anywhere in words that are not parted.
    """
    return any(_is_one(part, word) for part in name_words(name) for word in words)


def _is_one(part: str, word: str) -> bool:
    part, word = simplified(part), simplified(word)
    if part == word or (not word.isascii() and not _spaced(word) and word in part):
        return True
    if not part.endswith(word) or len(word) < _SHORTEST:
        return False
    return part.removesuffix(word) in _CONTEXT or word in _JOINING


def _spaced(word: str) -> bool:
    """Whether a word is of a writing that parts words."""
    return all(ord(letter) < 0x2E80 for letter in word)


# Languages that write words together: German and Dutch.
_JOINING = (
    "betrag", "preis", "umsatz", "summe", "menge", "anzahl", "stückzahl", "bedrag", "prijs", "aantal", "bewertung",
)  # fmt: skip
