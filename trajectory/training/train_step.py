"""Pure training and scoring functions; devices are not known here (see parallel.py)."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from trajectory.models.interest_model import InterestModel
from trajectory.models.item_encoder import TABLE
from trajectory.models.item_table import initialise, with_content
from trajectory.schema import Batch, ItemContent
from trajectory.training import losses
from trajectory.training.losses import Objective
from trajectory.training.sampled_softmax_loss import Negatives

DRAW = 1  # told from the key of dropout
# Factors rounded to bfloat16, products summed in float32 (mixed precision, Micikevicius et al. 2018; bfloat16 has the
# range of float32, so losses need no scaling). XLA on a CPU computes both in float32.
PRODUCTS = {"float32": "float32", "bfloat16": "BF16_BF16_F32"}
KEYS = "rbg"  # the cheapest on accelerators, as JAX documents


class TrainState(NamedTuple):
    """All that training changes: the same on every device."""

    step: jax.Array  # int32, steps done
    params: Any
    opt_state: Any
    key: jax.Array  # uint32 [4], of dropout; the key of a step is folded from it and the step's number


class TrainStep:
    """One step of gradient descent on a batch, or on this device's shard of it when `axis` names a device axis."""

    def __init__(
        self,
        model: InterestModel,
        tx: optax.GradientTransformation,
        objective: Objective,
        negatives: Negatives | None = None,
        products: str = "float32",
    ) -> None:
        """`negatives`: what the softmax draws its items from, if it is not over all; `products`: one of PRODUCTS."""
        self.model, self.tx, self.objective = model, tx, objective
        self.negatives, self.products = negatives, PRODUCTS[products]

    def __call__(
        self, state: TrainState, batch: Batch, axis: str | None = None, content: ItemContent | None = None
    ) -> tuple[TrainState, dict[str, Any]]:
        """Returns the next state and {"loss", "loss_<head>", "gradient_norm"}, equal on every device."""
        return self.update(state, *self.gradient(state.params, self.key(state), batch, axis, content=content))

    def key(self, state: TrainState) -> jax.Array:
        """The random key of this step."""
        return jax.random.fold_in(jax.random.wrap_key_data(state.key, impl=KEYS), state.step)

    def gradient(
        self,
        params: Any,
        key: jax.Array,
        batch: Batch,
        axis: str | None = None,
        shard_items: bool = False,
        content: ItemContent | None = None,
    ) -> tuple[Any, dict[str, jax.Array]]:
        """Gradient of the loss and {"loss", "loss_<head>"}, equal on every device.

        Sums, not means, cross devices: shards hold different numbers of targets, so a mean of means would be wrong;
        and the sum over devices is taken of gradients, outside the differentiated function. With `shard_items` the
        item table is this device's part of it and so is its gradient, which is summed where items are looked up.
        """

        def total(tree: Any) -> Any:
            return jax.lax.psum(tree, axis) if axis else tree

        weights = self.objective.weights
        counted = {name: count for name, count in losses.counts(batch).items() if weights[name]}
        counts = jax.tree.map(lambda n: jnp.maximum(n, 1.0), total(counted))
        items_axis = axis if shard_items else None
        if axis:
            key = jax.random.fold_in(key, jax.lax.axis_index(axis))
        drawn = self.negatives.draw(jax.random.fold_in(key, DRAW), batch.events.item.max()) if self.negatives else None

        def loss(params: Any) -> tuple[jax.Array, dict[str, jax.Array]]:
            variables = with_content(params, content)
            sums = losses.sums(self.objective, self.model, variables, batch, key, items_axis, drawn)
            means = {name: value / counts[name] for name, value in sums.items()}
            return sum((weights[name] * value for name, value in means.items()), jnp.zeros(())), means

        with jax.default_matmul_precision(self.products):
            (value, means), gradient = jax.value_and_grad(loss, has_aux=True)(params)
        value, means = total((value, means))
        gradient = jax.tree_util.tree_map_with_path(
            lambda path, part: part if shard_items and in_table(path) else total(part), gradient
        )
        return gradient, {"loss": value, **{f"loss_{name}": part for name, part in means.items()}}

    def update(
        self, state: TrainState, gradient: Any, metrics: dict[str, jax.Array]
    ) -> tuple[TrainState, dict[str, jax.Array]]:
        """The state after one step down the gradient; the metrics with "gradient_norm"."""
        updates, opt_state = self.tx.update(gradient, state.opt_state, state.params)
        params = optax.apply_updates(state.params, updates)
        metrics = {**metrics, "gradient_norm": optax.tree.norm(gradient)}
        return TrainState(state.step + 1, params, opt_state, state.key), metrics


def in_table(path: tuple[Any, ...]) -> bool:
    """Whether the leaf at this path belongs to the item table: the table itself or a moment of it."""
    return jax.tree_util.keystr(path, simple=True, separator="/").endswith("/".join(TABLE))


def initial_state(
    model: InterestModel,
    tx: optax.GradientTransformation,
    batch: Batch,
    seed: int,
    content: ItemContent | None = None,
) -> TrainState:
    """Fresh parameters and optimiser state from a seed."""
    events = jax.tree.map(lambda x: x[:1], batch.events)

    @jax.jit  # one program: operation by operation, dozens of small ones would be compiled
    def fresh(key: jax.Array, content: ItemContent | None) -> TrainState:
        init_key, dropout_key = jax.random.split(key)
        params = initialise(model, init_key, events, content)
        return TrainState(jnp.zeros((), jnp.int32), params, tx.init(params), jax.random.key_data(dropout_key))

    return fresh(jax.random.key(seed, impl=KEYS), content)
