"""Names on pictures and pages are letters, whatever is in them."""

from __future__ import annotations

import re
import warnings
from itertools import pairwise
from xml.etree import ElementTree

import polars as pl
import pytest
import vl_convert

from trajectory.names import isolated, plain
from trajectory.reports import charts, page_charts, pictures

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
    "\ud800",
    "https://a.b/c",
    'a" + datum.change + "\\',
    "x" * 999,
)


def chart(*names: str):
    frame = pl.DataFrame({"name": [*names], "change": [-1.0, *[2.0] * (len(names) - 1)]}, strict=False)
    return charts.bars(frame, "name", "change", names[0], unit=names[0])


def texts(drawn: str) -> list[str]:
    return re.findall(r">([^<]*)</text>", drawn)


@pytest.mark.parametrize("name", NAMES)
def test_any_name_can_be_drawn(name, tmp_path):
    name = name.encode("utf-8", "replace").decode()  # as Polars has it
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = chart(name, "other")
        pictures.save(made, tmp_path / "a.png")
        drawn = pictures.svg(made)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    ElementTree.fromstring(drawn)  # well-formed
    assert len(name) > 100 or plain(name) in texts(drawn)


def test_the_same_chart_gives_the_same_text_and_holds_no_address():
    assert pictures.svg(chart("a", "b")) == pictures.svg(chart("a", "b"))
    addresses = set(re.findall(r"https?://[^\"]*", pictures.svg(chart("a", "b"))))
    assert addresses == {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}  # names, which nobody fetches


def test_rows_whose_names_look_alike_stay_apart():
    drawn = pictures.svg(chart("milk", "milk", "mi\x01lk", "mi\x02lk"))
    heights = re.findall(f'<path d="M[^,]*,([0-9.]*)h[^"]*" fill="(?:{charts.GAIN}|{charts.LOSS})"><title>', drawn)
    assert len(set(heights)) == 4


def test_values_of_an_axis_are_those_of_the_data():
    frame = pl.DataFrame({"share": [0.08, 0.15, 0.3, 0.6], "found": [0.1, 0.2, 0.3, 0.4], "by": "rule"})
    labels = texts(pictures.svg(charts.lines(frame, "share:Q", "found", "by", "")))
    assert labels[labels.index("0.08") :][:4] == ["0.08", "0.15", "0.3", "0.6"]


def test_labels_of_an_axis_have_room_beside_each_other():
    frame = pl.DataFrame({"name": ["a", "b"], "hr": [0.077, 0.1007], "error": 0.002, "base": [True, False]})
    drawn = pictures.svg(charts.intervals(frame, "name", "hr", "error", "", errors=1))
    labels = [text for text in texts(drawn) if text.startswith("0.")]
    assert len(labels) >= 3
    assert sum(map(len, labels)) * 6 < charts.WIDTH  # letters of 6 pixels, and as much room again would not do


def test_a_long_name_is_wrapped_and_cut_within_the_picture():
    label = charts.wrapped("a very long name of a segment " * 9, 20, 3)
    drawn = pictures.svg(chart(label, "other"))
    lines = [text for text in re.findall(r">([^<]*)</tspan>", drawn) if text]
    assert len(lines) == 3
    assert max(map(len, lines)) <= 20
    assert lines[-1].endswith("…")


def test_a_label_of_several_lines_is_beside_the_middle_of_its_row():
    def height(label):
        drawn = pictures.svg(chart(label, "other"))
        return float(re.search(r'<text text-anchor="end" transform="translate\([-\d.]+,([\d.-]+)\)', drawn).group(1))

    assert height(charts.BREAK.join("abc")) == height("a") - 12  # a line of 12 pixels above the middle, one below


def test_names_beside_flows_do_not_lie_upon_each_other():
    users = [40, 17, 13, 12, 4, 4, 3, 3, 2, 1, 1]
    common = {"colour": charts.GAIN, "form": ",", "text": ""}
    rows = [{"source": f"from {i}", "destination": f"to {i}", "users": n, **common} for i, n in enumerate(users)]
    page = {
        "datasets": {"flows": rows},
        "width": 800,
        "height": 32 * len(users),
    }  # as on the page
    drawn = vl_convert.vegalite_to_svg(pictures.specification(page_charts.flows()) | page)
    for side in ("from", "to"):
        heights = sorted(map(float, re.findall(rf'translate\([\d.-]+,([\d.]+)\)"[^>]*>{side} \d', drawn)))
        assert len(heights) == len(users)
        assert min(b - a for a, b in pairwise(heights)) >= 12  # pixels of a letter


def test_the_script_of_pages_cannot_end_the_element_it_stands_in():
    script = pictures.script()
    assert "vegaEmbed" in script
    assert not re.search("</script|<script|<!--", script, re.IGNORECASE)


def test_plain_names_are_one_line_without_turns_of_direction():
    assert plain("a\n\tb") == "a b"
    assert plain("\u202eexe.\u2066x") == "exe.x"
    assert plain("a\x07b\x9f") == "a\ufffdb\ufffd"
    assert plain("abcdef", 4) == "abc…"
    assert plain("abcd", 4) == "abcd"


def test_a_name_from_right_to_left_is_set_apart_on_a_page():
    assert isolated({"a": ["שלום", 1, "b"]}) == {"a": ["\u2068שלום\u2069", 1, "b"]}
