"""Feature scaling knows training events only; time features where there is no time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from ml_collections import ConfigDict

from tests.builders import NO_FEATURES, make_histories
from trajectory.data.pipeline.featurize import FeatureScale, last_rows, row_length, slices
from trajectory.data.pipeline.splits import split


def test_scale_is_fitted_on_training_events_only():
    histories = make_histories([[1, 2, 3, 4, 5]])
    features = np.array([[1.0], [2.0], [3.0], [1e6], [-1e6]], np.float32)
    histories = replace(histories, features=features, feature_names=("x",))
    _, parts = split(histories, ConfigDict({"kind": "leave_one_out"}))
    scale = FeatureScale.fit(histories, parts)
    np.testing.assert_allclose(scale.mean, [2.0])
    np.testing.assert_allclose(scale.deviation, np.std([1, 2, 3]), rtol=1e-6)
    events = last_rows(histories, scale, histories.offsets[:-1], histories.offsets[1:] - 2, 4)
    np.testing.assert_allclose(events.features[0, :3, 0], (np.array([1, 2, 3]) - 2) / np.std([1, 2, 3]), rtol=1e-5)


def test_constant_features_do_not_divide_by_zero():
    histories = replace(make_histories([[1, 2, 3]]), features=np.full((3, 1), 7.0, np.float32), feature_names=("x",))
    _, parts = split(histories, ConfigDict({"kind": "leave_one_out"}))
    scale = FeatureScale.fit(histories, parts)
    assert np.isfinite(scale.deviation).all()
    assert (scale.deviation > 0).all()


def test_a_log_without_times_has_no_time_features():
    histories = replace(make_histories([[1, 2, 3]]), has_time=False, time=np.zeros(3, np.int64))
    events = last_rows(histories, NO_FEATURES, histories.offsets[:-1], histories.offsets[1:], 4)
    for name in ("gap", "age", "hour", "weekday"):
        assert not getattr(events, name).any()
    np.testing.assert_array_equal(events.item[0], [1, 2, 3, 0])


def test_time_running_backwards_is_no_gap():
    histories = make_histories([[1, 2, 3]])
    time = np.array(histories.time)
    time[1] = 0  # unknown, or a published order that runs against time
    events = last_rows(replace(histories, time=time), NO_FEATURES, histories.offsets[:-1], histories.offsets[1:], 4)
    assert np.isfinite(events.gap).all()
    assert events.gap[0, 1] == 0


def test_counts_of_each_event_type_are_of_the_whole_history():
    histories = make_histories([[1, 1, 1], [1, 2, 3, 4, 5]], event_types=[[2, 2, 2], [1, 2, 1, 1, 2]])
    events = last_rows(histories, NO_FEATURES, histories.offsets[:-1], histories.offsets[1:], 4)
    np.testing.assert_allclose(np.expm1(events.counts[0]), [[0, 1], [0, 2], [0, 3], [0, 0]], atol=1e-6)
    # The first event of the second history lies before its row and counts.
    np.testing.assert_allclose(np.expm1(events.counts[1]), [[1, 1], [2, 1], [3, 1], [3, 2]], atol=1e-6)


def test_items_unknown_to_the_model_are_read_as_zero():
    histories = replace(make_histories([[1, 2, 3]]), num_items=2)
    events = last_rows(histories, NO_FEATURES, histories.offsets[:-1], histories.offsets[1:], 4)
    np.testing.assert_array_equal(events.item[0], [1, 2, 0, 0])
    np.testing.assert_array_equal(events.segment[0] > 0, [True, True, True, False])


def test_slices():
    rows, index = slices(np.array([3, 7, 0]), np.array([5, 7, 2]))
    assert rows.tolist() == [0, 0, 2, 2]
    assert index.tolist() == [3, 4, 0, 1]


def test_rows_have_few_lengths_and_little_padding():
    lengths = [row_length(longest, 50) for longest in range(1, 51)]
    assert all(length >= longest for longest, length in enumerate(lengths, 1))
    assert set(lengths) == {4, 6, 8, 12, 16, 24, 32, 48, 50}
    assert row_length(900, 50) == 50
