"""The document's user A: what the learned model says is close to the known truth, and a finished run is used again."""

from __future__ import annotations

import numpy as np
import pytest

from trajectory.data.simulate.user_a import ITEMS, truth
from trajectory.forecasting.user_a import compare, trained
from trajectory.presets import user_a as config_file


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    config = config_file.get_config()
    config.data.prepared_dir = str(tmp_path_factory.mktemp("prepared"))
    return config


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    return tmp_path_factory.mktemp("runs") / "user_a"


@pytest.fixture(scope="module")
def comparison(config, workdir):
    return compare(trained(config, workdir), 3, 2000)


def test_probabilities_are_close_to_the_truth(comparison):
    true = truth(["商品1"], 3)
    np.testing.assert_allclose(comparison.distribution, true.distribution, atol=0.05)
    np.testing.assert_allclose(comparison.visited, true.visited[-1], atol=0.05)
    assert comparison.path["item"].to_list() == list(true.path)
    assert comparison.path["probability"].product() == pytest.approx(true.probability, abs=0.03)
    differences = (comparison.distribution - true.distribution, comparison.visited - true.visited[-1])
    assert comparison.largest_difference >= max(np.abs(d).max() for d in differences)
    assert comparison.largest_difference < 0.05


def test_page_of_text_tells_all_of_it(comparison):
    text = comparison.text()
    assert "2024-03-01 12:00:00  购买商品1" in text
    assert "Most likely path, with the probability of each step" in text
    assert "step 3: 商品4" in text
    assert "商品2 > 商品3 > 商品4: 0.113" in text, "the true path with its probability"
    row = next(line for line in text.splitlines() if line.strip().startswith(ITEMS[1]))
    assert row.split()[1:4] == [f"{comparison.distribution[0, 1]:.3f}", "/", "0.500"]
    assert text.endswith(f"Largest difference to the truth: {comparison.largest_difference:.3f}")


def test_a_finished_run_is_used_again(comparison, config, workdir, capsys):
    before = {path: path.stat().st_mtime_ns for path in workdir.rglob("*") if path.is_file()}
    again = compare(trained(config, workdir), 3, 2000)
    assert "epoch 1/" not in capsys.readouterr().out
    assert again.text() == comparison.text()
    assert {path: path.stat().st_mtime_ns for path in workdir.rglob("*") if path.is_file()} == before
