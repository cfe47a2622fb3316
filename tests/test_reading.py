"""What an earlier command left is of its form, or it is said which file is wrong, how, and what helps."""

from __future__ import annotations

import json

import pytest

from trajectory.reading import NUMBER_OR_NONE, misfit, read_json
from trajectory.schema import UserError

FORM = {"metrics": {str: NUMBER_OR_NONE}, "seeds": [int], "done": bool}
GOOD = {"metrics": {"hr@10": 0.5, "mrr": None}, "seeds": [1, 2], "done": False, "other": ["x"]}


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (None, "is missing; run it again"),
        (b"", "is damaged"),
        (b'{"metrics": {"hr', "is damaged"),
        (b"\xff\xfe\x00", "is damaged"),
        (b"[" * 100_000, "is damaged"),
        (b"null", "does not hold named values"),
        (b"[1]", "does not hold named values"),
        (b"{}", "metrics is missing"),
        (json.dumps(GOOD | {"metrics": {"hr@10": "much"}}).encode(), 'hr@10 is "much"'),
        (json.dumps(GOOD | {"metrics": 3}).encode(), "metrics does not hold named values"),
        (json.dumps(GOOD | {"metrics": {"mrr": 1}}).encode(), "metrics.hr@10 is missing"),
        (json.dumps(GOOD | {"seeds": [True]}).encode(), "an entry of seeds is true"),
        (json.dumps(GOOD | {"seeds": {}}).encode(), "seeds is not a list"),
        (json.dumps(GOOD | {"done": 1}).encode(), "done is 1"),
    ],
)
def test_damage_is_named(tmp_path, content, wrong):
    path = tmp_path / "found.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"found\.json.*run it again") as raised:
        read_json(path, FORM, "run it again", "metrics", "metrics.hr@10")
    assert wrong in str(raised.value)


def test_a_folder_in_its_place(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        read_json(tmp_path, FORM, "run it again")


def test_what_is_good_is_read(tmp_path):
    (tmp_path / "found.json").write_text(json.dumps(GOOD))
    assert read_json(tmp_path / "found.json", FORM, "", "metrics.hr@10", "done") == GOOD
    assert not misfit({}, FORM), "names may be missing that nobody needs"
