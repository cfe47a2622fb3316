"""A sweep's numbers, worked by hand, and how they are shown."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from trajectory.metrics.significance import compare, holm
from trajectory.schema import UserError
from trajectory.tuning.sweep_results import RESAMPLES, Outcome, chosen_metrics, lead_over_base, read, summary
from trajectory.tuning.sweep_table import draw, markdown

USERS = [f"u{i}" for i in range(40)]


def outcome(values, seconds=2.0, best_epoch=3, validation=0.5, users=USERS, fingerprint="f" * 64) -> Outcome:
    per_user = pl.DataFrame(
        {
            "part": ["validation"] * len(users) + ["test"] * len(users),
            "user": [*users, *users],
            "ndcg@10": [0.9] * len(users) + [None if np.isnan(v) else float(v) for v in values],
        }
    )
    mean = float(np.nanmean(values))
    evaluation = {
        "metrics": {"validation": {"ndcg@10": validation}, "test": {"ndcg@10": mean, "catalogue_coverage@10": 0.25}},
        "confidence_intervals": {"test": {"ndcg@10": {"standard_error": 0.01}}},
        "baselines": {
            "personal_frequency": {"test": {"ndcg@10": 0.125}},
            "popularity": {"test": {"ndcg@10": 0.0625}},
            "last_interest": {"test": {"interest_accuracy": 0.5}},
        },
        "protocol": {
            "data": "made up",
            "fingerprint": fingerprint,
            "split": "leave_one_out",
            "guarantee": "Nothing is promised.",
            "users": {"validation": len(users), "test": len(users)},
        },
    }
    training = {"epochs": 5, "best_epoch": best_epoch, "seconds_per_epoch": seconds, "best_ndcg@10": 0.4}
    return Outcome(evaluation, training, per_user, "ndcg@10")


@pytest.fixture
def outcomes() -> dict[str, list[Outcome]]:
    rng = np.random.default_rng(0)
    base = rng.random(40)
    noise = [rng.normal(0, 0.02, 40) for _ in range(4)]
    return {
        "wide": [outcome(base + 0.1 + noise[0], 4.0, 1), outcome(base + 0.1 + noise[1], 6.0, 2)],
        "plain": [outcome(base, 2.0, 3, 0.5), outcome(base + 0.02, 2.0, 4, 0.7)],
        "same": [outcome(base + noise[2]), outcome(base + noise[3])],
        "broken": [],
    }


def test_holm_by_hand() -> None:
    # Sorted 0.01, 0.02, 0.03, 0.6 times 4, 3, 2, 1: 0.04, 0.06, 0.06, 0.6.
    assert holm([0.03, 0.01, 0.6, 0.02]).tolist() == pytest.approx([0.06, 0.04, 0.6, 0.06])
    # 0.03 x 3 = 0.09; 0.04 x 2 = 0.08 is raised to 0.09; NaN is no test.
    assert holm([0.04, float("nan"), 0.03, 0.05]).tolist() == pytest.approx([0.09, np.nan, 0.09, 0.09], nan_ok=True)
    assert holm([0.5, 0.9]).tolist() == [1, 1]
    assert holm([]).tolist() == []


def test_steps_are_counted_until_a_run_is_as_good_as_the_base_of_its_seed(outcomes) -> None:
    def with_curve(run: Outcome, best: float, *values: float) -> Outcome:
        curve = [(10 * i, value) for i, value in enumerate(values)]
        return run._replace(curve=curve, training=run.training | {"best_ndcg@10": best})

    outcomes["plain"] = [with_curve(outcomes["plain"][0], 0.4, 0.1, 0.4), with_curve(outcomes["plain"][1], 0.6, 0.6)]
    outcomes["wide"] = [with_curve(outcomes["wide"][0], 0.5, 0.3, 0.3, 0.5), with_curve(outcomes["wide"][1], 0.7, 0.7)]
    outcomes["same"] = [with_curve(run, 0.5, 0.5) for run in outcomes["same"]]
    steps = summary(outcomes, "plain", ["ndcg@10"])["steps_to_base"].to_list()
    assert steps[:4] == [10, 5, None, None]  # (20 + 0) / 2; (10 + 0) / 2; never as good as 0.6; no run
    falling = outcome(np.zeros(40))._replace(monitor="loss", curve=[(1, 3.0), (2, 2.0), (3, 1.0)])
    assert falling.steps_to(2.5) == 2


def test_a_row_holds_mean_and_deviation_over_seeds(outcomes) -> None:
    frame = summary(outcomes, "plain", ["ndcg@10"])
    assert frame["name"].to_list() == ["wide", "plain", "same", "broken", "personal_frequency", "popularity"]
    assert frame["row"].to_list() == ["member", "base", "member", "member", "baseline", "baseline"]
    assert frame["seeds"].to_list() == [2, 2, 2, 0, None, None]
    plain = frame.row(1, named=True)
    values = [run.test("ndcg@10") for run in outcomes["plain"]]
    assert plain["ndcg@10"] == pytest.approx(np.mean(values))
    assert plain["ndcg@10_sd"] == pytest.approx(0.02 / np.sqrt(2))
    assert (plain["validation"], plain["validation_sd"]) == pytest.approx((0.6, 0.2 / np.sqrt(2)))
    assert (plain["best_epoch"], plain["seconds_per_epoch"]) == ("3/5, 4/5", 2)
    assert plain["ndcg@10_p_value"] is plain["ndcg@10_difference"] is None, "the base is not compared with itself"
    assert frame["seconds_per_epoch"][0] == 5
    assert frame["ndcg@10"].to_list()[3:] == [None, 0.125, 0.0625]


def test_members_meet_the_base_over_users_with_seeds_averaged_first(outcomes) -> None:
    ours, base = (
        np.mean([run.per_user["ndcg@10"][40:] for run in outcomes[name]], axis=0) for name in ("wide", "plain")
    )
    expected = compare(ours, base, RESAMPLES, 0)
    got = lead_over_base(outcomes["wide"], outcomes["plain"], "ndcg@10")
    assert got == pytest.approx({k: expected[k] for k in ("difference", "low", "high", "p_value")})
    assert got["difference"] == pytest.approx(0.09, abs=0.01)
    frame = summary(outcomes, "plain", ["ndcg@10"])
    wide, same = frame["ndcg@10_p_value"][0], frame["ndcg@10_p_value"][2]
    assert wide == pytest.approx(1 / (RESAMPLES + 1))
    assert frame["ndcg@10_p_value_holm"].to_list()[:4] == pytest.approx([2 * wide, None, max(same, 2 * wide), None])


def test_users_are_matched_by_name_and_those_who_do_not_count_everywhere_are_left_out() -> None:
    base = [outcome([0.1, 0.2, 0.3, 0.4], users=["a", "b", "c", "d"])]
    runs = [
        outcome([0.5, 0.3, 0.2, np.nan], users=["d", "c", "b", "a"]),
        outcome([0.7, 0.3, np.nan, 0.9], users=["d", "c", "b", "a"]),
    ]
    assert lead_over_base(runs, base, "ndcg@10")["difference"] == pytest.approx(np.mean([0.6 - 0.4, 0.3 - 0.3]))


def test_what_cannot_be_compared_is_not(outcomes) -> None:
    other = [outcome(np.full(40, 0.5), fingerprint="0" * 64)]
    assert lead_over_base(other, outcomes["plain"], "ndcg@10") == {}, "other data"
    assert lead_over_base(outcomes["wide"], outcomes["plain"], "catalogue_coverage@10") == {}, "no value per user"
    assert lead_over_base(outcomes["wide"], [], "ndcg@10") == {}


def test_metrics_that_no_run_has_are_left_out(outcomes) -> None:
    assert chosen_metrics(outcomes, ["hr@10", "ndcg@10"]) == ["ndcg@10"]
    with pytest.raises(UserError, match=r"no run has hr@10 .* name: catalogue_coverage@10, ndcg@10"):
        chosen_metrics(outcomes, ["hr@10"])


def test_one_seed_has_no_deviation(outcomes) -> None:
    frame = summary({name: runs[:1] for name, runs in outcomes.items()}, "plain", ["ndcg@10"])
    assert frame["ndcg@10_sd"].to_list() == [None] * 6
    assert frame["ndcg@10_standard_error"][0] == 0.01


def test_the_table_is_aligned_markdown(outcomes) -> None:
    frame = summary(outcomes, "plain", ["ndcg@10", "catalogue_coverage@10"])
    text = markdown(frame, ["ndcg@10", "catalogue_coverage@10"], "ndcg@10", outcomes["plain"][0].evaluation["protocol"])
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({len(row) for row in rows}) == 1
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert cells[0][:5] == ["", "seeds", "validation ndcg@10", "ndcg@10", "against base (p)"]
    assert [row[0] for row in cells[2:]] == [
        *("wide", "plain (base)", "same", "broken"),
        *("baseline: personal_frequency", "baseline: popularity"),
    ]
    assert cells[3][1:4] == ["2", "0.6000 ± 0.1414", f"{frame['ndcg@10'][1]:.4f} ± 0.0141"]
    assert cells[2][4].startswith(f"{frame['ndcg@10_difference'][0]:+.4f} (")
    assert cells[2][4].endswith("p = 0.001")
    assert cells[5][1:] == ["0", *[""] * (len(cells[0]) - 2)]
    assert cells[6][3] == "0.1250"
    for word in ("Holm", "40 users", "Nothing is promised", "ffffffffffff"):
        assert word in text


@pytest.mark.parametrize("seeds", [1, 2])
def test_the_picture_has_a_panel_a_metric(outcomes, seeds, tmp_path) -> None:
    frame = summary(
        {name: runs[:seeds] for name, runs in outcomes.items()}, "plain", ["ndcg@10", "catalogue_coverage@10"]
    )
    draw(frame, ["ndcg@10", "catalogue_coverage@10"], tmp_path / "x.png")
    picture = (tmp_path / "x.png").read_bytes()
    assert picture.startswith(b"\x89PNG\r\n")
    assert len(picture) > 10_000


def test_a_folder_is_read(tmp_path, outcomes) -> None:
    made = outcomes["plain"][0]
    (tmp_path / "evaluation.json").write_text(json.dumps(made.evaluation))
    (tmp_path / "training.json").write_text(json.dumps(made.training))
    (tmp_path / "config.json").write_text(json.dumps({"train": {"monitor": "ndcg@10"}}))
    made.per_user.write_parquet(tmp_path / "per_user.parquet")
    records = {"step": 5, "train/step_loss": 2.0}, {"step": 8, "validation/ndcg@10": 0.25}
    (tmp_path / "metrics.jsonl").write_text("\n".join(map(json.dumps, records)))
    found = read(tmp_path)
    assert found.validation() == 0.5
    assert found.curve == [(8, 0.25)]
    assert found.per_user.equals(made.per_user)
    loss = found._replace(monitor="loss", training={"best_loss": 2.5})
    assert loss.validation() == 2.5, "evaluation has no loss"
