from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax.traverse_util import flatten_dict

from trajectory.schema import UserError
from trajectory.training.param_rules import NEVER, Rules

PARAMS = {
    "params": {
        "items": {"ids": {"embedding": jnp.ones(3)}, "content": {"text_in": {"kernel": jnp.ones(2)}}},
        "event": {"norm": {"scale": jnp.ones(1)}},
        "backbone": {"layer_0": {"kernel": jnp.ones(2)}, "layer_1": {"kernel": jnp.ones(2)}},
        "narrow": {"kernel": jnp.ones(2)},
    }
}
NAMES = sorted(flatten_dict(PARAMS, sep="/"))


def values(rules: dict[str, float]) -> list[float]:
    """In the order of NAMES: backbone 0 and 1, event, content, ids, narrow."""
    return [rules[name] for name in NAMES]


def test_rules_by_name() -> None:
    rules = Rules.of(
        [
            ("items/ids/*", "skip"),
            ("items/content/*", "freeze"),
            ("backbone/*", "unfreeze", 3),
            ("event/*", "rate", 0.1),
        ],
        NAMES,
    )
    assert rules.skipped == {"params/items/ids/embedding"}
    assert values(rules.until) == [3, 3, 0, NEVER, 0, 0]
    assert values(rules.rate) == [1, 1, pytest.approx(0.1), 1, 1, 1]


def test_lower_rate_by_depth_from_the_last_layers_down() -> None:
    rules = Rules.of([("*", "depth", 0.5), ("items/*", "rate", 0.5)], NAMES)
    assert values(rules.rate) == [0.25, 0.5, 0.125, 0.03125, 0.03125, 1]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (("itmes/*", "freeze"), r"'itmes/\*' matches no parameter; there are backbone/layer_0, .*items/ids"),
        (("items/*", "melt"), r"is no rule; expected \(pattern, action\) out of skip, freeze, unfreeze N"),
        (("items/*", "rate"), "is no rule"),
        (("items/*",), "is no rule"),
    ],
)
def test_mistakes(rule: tuple, words: str) -> None:
    with pytest.raises(UserError, match=words):
        Rules.of([rule], NAMES)


def test_the_optimiser_keeps_to_them() -> None:
    rules = [("items/content/*", "freeze"), ("backbone/layer_0/*", "unfreeze", 2), ("narrow/*", "rate", 0.5)]
    plain = optax.chain(optax.clip_by_global_norm(1.0), optax.sgd(1.0))
    tx = Rules.of(rules, NAMES).around(plain)
    gradient = jax.tree.map(jnp.ones_like, PARAMS)
    state, found = tx.init(PARAMS), []
    for _ in range(3):
        updates, state = tx.update(gradient, state, PARAMS)
        found.append([float(x.sum()) for _, x in sorted(flatten_dict(updates, sep="/").items())])
    # Ten numbers change in all but two that never and two that not yet do: the norm is of those that do.
    early, late = 1 / np.sqrt(8), 1 / np.sqrt(10)
    for step in (0, 1):
        np.testing.assert_allclose(found[step], [0, -2 * early, -early, 0, -3 * early, -early], rtol=1e-6)
    np.testing.assert_allclose(found[2], [-2 * late, -2 * late, -late, 0, -3 * late, -late], rtol=1e-6)


def test_with_a_state_of_its_own_the_optimiser_sees_no_gradient_of_what_does_not_learn_yet() -> None:
    rules = Rules.of([("items/*", "unfreeze", 3), ("backbone/*", "freeze"), ("event/*", "rate", 0.25)], NAMES)
    plain = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(0.1, weight_decay=0.5))
    tx = rules.around(plain)
    state, other = tx.init(PARAMS), plain.init(PARAMS)
    for step in range(5):
        gradient = jax.tree.map(lambda x, step=step: x * (step + 1.0), PARAMS)

        def learns(path: tuple, x: jax.Array, step: int = step) -> jax.Array:
            return x * (step >= rules.until[jax.tree_util.keystr(path, simple=True, separator="/")])

        expected, other = plain.update(jax.tree_util.tree_map_with_path(learns, gradient), other, PARAMS)
        expected = jax.tree_util.tree_map_with_path(
            lambda path, x: learns(path, x) * rules.rate[jax.tree_util.keystr(path, simple=True, separator="/")],
            expected,
        )
        updates, state = tx.update(gradient, state, PARAMS)
        jax.tree.map(np.testing.assert_array_equal, updates, expected)


def test_without_rules_it_is_the_same_optimiser() -> None:
    tx = optax.sgd(1.0)
    assert Rules.of([], NAMES).around(tx) is tx
    assert Rules.of([("items/*", "skip")], NAMES).around(tx) is tx
