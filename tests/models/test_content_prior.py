"""What is likely before anything is learned, and models whose items have content as models with a plain table."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from tests.builders import NO_FEATURES, applied, changed, make_histories, make_model
from trajectory.data.pipeline.featurize import last_rows
from trajectory.models.interest_model import InterestModel
from trajectory.models.item_table import export_item_table, initialise, with_content
from trajectory.schema import ItemContent

pytestmark = pytest.mark.compiled_quickly

# Items 1 and 2 are of one sort, 3 and 4 of another, 5 of neither; 2 is bought more often than 1.
SORTS = np.array([[0, 0, 0], [1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]], np.float32)
EVENTS = np.array([0, 1, 9, 4, 4, 4])
CONTENT = ItemContent({"text": SORTS}, {}, np.column_stack([SORTS, np.log1p(EVENTS)]).astype(np.float32))
HISTORIES = make_histories([[3, 1, 1], [1, 3, 3]], num_items=5)


def untrained(backbone: str, content: ItemContent = CONTENT, **changes) -> tuple[InterestModel, object]:
    model = make_model(backbone, items=5, repeat=False, frozen=4)
    model = changed(model, **({"ids": False, "vectors": ("text",), "present": True} | changes))
    return model, initialise(model, jax.random.key(0), events(), content)


def events(rows: int = 2):
    return last_rows(HISTORIES, NO_FEATURES, HISTORIES.offsets[:rows], HISTORIES.offsets[1 : rows + 1], 4)


def scores(model: InterestModel, params, content: ItemContent | None) -> np.ndarray:
    states = applied(model, with_content(params, content), events(), method="encode")
    return np.asarray(applied(model, with_content(params, content), states, method="score"))[:, 2, 1:]


@pytest.mark.parametrize("backbone", ["gru", "transformer"])
def test_what_is_like_the_last_events_and_popular_is_likely_from_the_start(backbone: str) -> None:
    first, second = scores(*untrained(backbone), CONTENT)
    assert first.argsort()[::-1].tolist()[0] == 1  # item 2: of the sort of the last event, and the more popular
    assert first[0] > first[2] == first[3] > first[4]  # then the same sort, the sort before, the other
    assert second[2:4].min() > second[:2].max()


def test_how_much_likeness_counts_is_learned() -> None:
    model, params = untrained("gru")
    sharper = jax.tree.map(lambda x: x, params)
    sharper["params"]["prior"]["log_share"] = sharper["params"]["prior"]["log_share"] + np.log([2, 2, 2, 1])
    one, other = scores(model, params, CONTENT), scores(model, sharper, CONTENT)
    likeness = one[0, 2] - one[0, 4]
    assert other[0, 2] - other[0, 4] == pytest.approx(2 * likeness, rel=1e-5)


@pytest.mark.parametrize(("name", "value"), [("sharpness", 10.0), ("popularity", 0.6)])
def test_how_much_likeness_and_popularity_count_at_first_is_given(name: str, value: float) -> None:
    leads = []
    for factor in (1e-6, 1, 2):
        found = scores(*untrained("gru", **{name: factor * value}), CONTENT)[0]
        leads.append(found - found[4])
    np.testing.assert_allclose(leads[2] - leads[1], leads[1] - leads[0], atol=1e-4)
    assert np.ptp(leads[1] - leads[0]) > 0.1


@pytest.mark.parametrize(
    ("ids", "text", "codes"), [(False, True, False), (True, True, False), (True, True, True), (True, False, False)]
)
def test_a_table_of_its_vectors_is_the_same_model(ids: bool, text: bool, codes: bool) -> None:
    content = CONTENT._replace(codes={"brand": np.array([0, 1, 0, 2, 1, 3], np.int32)}) if codes else CONTENT
    model, params = untrained("gru", content, ids=ids, vectors=("text",) * text, codes=("brand",) * codes)
    params = jax.tree.map(lambda x: x + 0.1 * np.random.default_rng(x.size).standard_normal(x.shape), params)
    plain, table = export_item_table(model, params, content)
    assert not plain.spec.content.present
    np.testing.assert_allclose(scores(plain, table, None), scores(model, params, content), atol=1e-4)
    assert export_item_table(plain, table, None)[1] is table


def test_training_hides_fields() -> None:
    model, params = untrained("gru", field_dropout=0.5, dropout=0.0)
    params = jax.tree.map(lambda x: x + 0.1 * np.random.default_rng(x.size).standard_normal(x.shape), params)

    def vectors(train: bool, key: int) -> np.ndarray:
        options = {"train": train, "rngs": {"dropout": jax.random.key(key)}}
        return np.asarray(applied(model, with_content(params, CONTENT), events(), method="embed", **options))

    assert np.array_equal(vectors(False, 0), vectors(False, 1))
    assert not np.allclose(vectors(True, 0), vectors(True, 1))
