from __future__ import annotations

import jax
import numpy as np
import pytest

from tests.builders import NO_FEATURES, changed, make_model
from tests.explain.cases import HISTORIES, LENGTH, targets_at
from trajectory.data.pipeline.featurize import last_rows
from trajectory.explain.content_attribution import item_components
from trajectory.explain.integrated import integrated_gradients
from trajectory.explain.references import reference_of
from trajectory.explain.target_function import TargetFunction
from trajectory.models.interest_model import InterestModel
from trajectory.models.item_table import export_item_table, initialise
from trajectory.schema import ItemContent

RNG = np.random.default_rng(0)
TEXT = RNG.normal(size=(7, 4)).astype(np.float32) * np.array([0, 1, 1, 0, 1, 1, 1])[:, None]  # item 3 has none
PRICE = np.array([0, 1, 1, 2, 0, 2, 2])  # item 4 has none
KEPT = RNG.normal(size=(7, 3)).astype(np.float32) * (np.arange(7) > 0)[:, None]
CONTENT = ItemContent({"text": TEXT}, {"price": PRICE}, KEPT)


def made(ids: bool) -> tuple[InterestModel, object, object]:
    model = make_model("gru", items=6, horizon=2, frozen=3)
    model = changed(model, ids=ids, present=True, vectors=("text",), codes=("price",))
    events = last_rows(HISTORIES, NO_FEATURES, HISTORIES.offsets[:-1], HISTORIES.offsets[1:], LENGTH)
    params = jax.jit(lambda key: initialise(model, key, events, CONTENT))(jax.random.key(0))
    leaves, tree = jax.tree.flatten(params)
    moved = [x + 0.2 * RNG.normal(size=x.shape).astype(np.float32) for x in leaves]
    return model, jax.tree.unflatten(tree, moved), events


@pytest.mark.parametrize("ids", [False, True])
def test_parts_of_fields_add_up_to_the_table_and_are_of_what_is_known(ids: bool) -> None:
    model, params, _ = made(ids)
    exported, table = export_item_table(model, params, CONTENT)
    fields = item_components(model, params, CONTENT)
    assert set(fields) == {"text", "price", "item"}
    table = table["params"]["items"]["ids"]["embedding"][:, : exported.spec.model.width]
    np.testing.assert_allclose(sum(fields.values()), table, atol=1e-5)
    for name, known in (("text", TEXT.any(axis=1)), ("price", PRICE > 0)):
        size = np.abs(fields[name]).max(axis=1)
        np.testing.assert_allclose(size[~known], 0, atol=1e-6)
        assert (size[known] > 0.01).all()
    if not ids:  # then nothing but its fields tells an item from others
        np.testing.assert_allclose(fields["item"][1:], np.tile(fields["item"][1], (6, 1)), atol=1e-6)


def test_attributions_are_by_field_and_add_up() -> None:
    model, params, events = made(True)
    exported, table = export_item_table(model, params, CONTENT)
    components = item_components(model, params, CONTENT)
    function = TargetFunction.create(exported, table, "item", HISTORIES.item_interest, components)
    inputs = function.inputs(events, targets_at(np.diff(HISTORIES.offsets) - 1))
    assert {"text", "price", "item", "content", "event_type"} <= set(inputs.components)
    np.testing.assert_allclose(inputs.vectors, exported.apply(table, events, method="embed"), atol=2e-5)
    found = integrated_gradients(function, inputs, reference_of("padding", inputs))
    assert found.completeness_error.max() < 0.01
    assert all(np.abs(found.values[name]).max() > 1e-4 for name in ("text", "price", "content"))
    masked = integrated_gradients(function, inputs, reference_of("masked", inputs))
    assert not masked.values["event_type"].any()
    assert masked.values["text"].any()
