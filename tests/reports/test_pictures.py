"""Names on pictures and pages are letters, whatever is in them."""

from __future__ import annotations

import warnings
from xml.etree import ElementTree

import matplotlib.image
import pytest

from trajectory.names import isolated, plain
from trajectory.reports import pictures

NAMES = (
    "$$",
    "$x$ and $",
    r"\frac",
    "a_b^c",
    "\x07\x00bell",
    "two\nlines",
    "\u202egnp.exe",
    "漢字",
    "שלום",
    "\ufffe",
    "x" * 999,
)


@pytest.mark.parametrize("name", NAMES)
def test_any_name_can_be_drawn(name, tmp_path):
    figure = pictures.new_figure()
    axes = figure.subplots()
    axes.plot([1, 2], label=plain(name, pictures.LETTERS))
    axes.set_title(plain(name, 26))
    axes.set_yticks([1, 2], [plain(name, pictures.LETTERS)] * 2)
    axes.legend()
    figure.suptitle(plain(name, pictures.LETTERS))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pictures.save(figure, tmp_path / "a.png")
        drawn = pictures.svg(figure)
    assert matplotlib.image.imread(tmp_path / "a.png").size
    ElementTree.fromstring(drawn)  # well-formed


def test_an_svg_is_well_formed_whoever_forgot_to_make_a_name_plain():
    figure = pictures.new_figure()
    figure.suptitle("a\x01\x1f$b")
    with warnings.catch_warnings(record=True):
        ElementTree.fromstring(pictures.svg(figure))


def test_plain_names_are_one_line_without_turns_of_direction():
    assert plain("a\n\tb") == "a b"
    assert plain("\u202eexe.\u2066x") == "exe.x"
    assert plain("a\x07b\x9f") == "a\ufffdb\ufffd"
    assert plain("abcdef", 4) == "abc…"
    assert plain("abcd", 4) == "abcd"


def test_a_name_from_right_to_left_is_set_apart_on_a_page():
    assert isolated({"a": ["שלום", 1, "b"]}) == {"a": ["\u2068שלום\u2069", 1, "b"]}
