"""Made-up raw logs in the shapes and dirt of real ones are read with every row accounted for, or refused."""

from __future__ import annotations


def test_no_log_is_read_with_a_lost_row_or_ends_in_a_traceback(script):
    ran = script("fuzz-logs", "--inputs=40", "--seed=7")
    assert ran.code == 0, ran.err
    last = ran.out.splitlines()[-1]
    assert last.startswith("40 inputs in "), ran.out
    assert last.endswith(" 0 bad"), ran.out
    assert int(last.split(" s: ")[1].split()[0]) >= 20, "most of them are logs that a shop could have"
