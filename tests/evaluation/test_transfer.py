"""What a table of sources and targets says."""

from __future__ import annotations

import polars as pl

from trajectory.evaluation.transfer import advice, draw, markdown

PRIOR = 0.04
# target, source, lead on validation and test, p-value on both
ROWS = [
    ("soap", "soap", 0.02, 0.02, 0.0002),
    ("soap", "books", -0.01, -0.012, 0.0002),
    ("soap", "films", 0.004, 0.006, 0.001),
    ("soap", "music", 0.008, 0.008, 0.0002),
    ("books", "soap", 0.001, 0.002, 0.02),
    ("books", "books", 0.03, 0.03, 0.0002),
    ("books", "films", 0.001, 0.001, 0.6),
    ("books", "music", -0.001, -0.001, 0.5),
]
TABLE = pl.DataFrame(
    [
        {
            "target": target,
            "source": source,
            "difference_validation": validation,
            "difference_test": test,
            "p_value_validation": p,
            "p_value_test": p,
            "prior_test": PRIOR,
        }
        for target, source, validation, test, p in ROWS
    ]
)


def test_advice_names_what_helps_most_first_and_what_harms() -> None:
    # Of six comparisons with other domains the fourth smallest p-value, 0.02, is 0.06 after Holm.
    assert advice(TABLE) == [
        "soap: learn from music, films; not from books.",
        "books: no other domain helps by more than chance.",
    ]


def test_leads_are_in_percent_of_the_prior_and_the_own_domain_is_told_apart(tmp_path) -> None:
    assert markdown(TABLE).splitlines() == [
        "| target | prior alone | soap | books | films | music |",
        "|---|--:|--:|--:|--:|--:|",
        "| soap | 0.0400 | (+50.0%) | -30.0% | +15.0% | +20.0% |",
        "| books | 0.0400 | +5.0% | (+75.0%) | +2.5% | -2.5% |",
    ]
    draw(TABLE, tmp_path / "transfer.png")
    assert (tmp_path / "transfer.png").read_bytes().startswith(b"\x89PNG")
