"""Small made-up histories and models that several tests share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
import polars as pl

from trajectory.data.pipeline.featurize import FeatureScale
from trajectory.inference.predictor import Predictor
from trajectory.models.interest_model import ContentSpec, DataSpec, HeadsSpec, InterestModel, NetworkSpec, Spec
from trajectory.run import Run
from trajectory.schema import EVENT_TYPES, Events, Histories

# Of programs that run once: they, and drawing by another generator, are compiled in a quarter of the time.
QUICKLY = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
NO_FEATURES = FeatureScale(np.zeros(0, np.float32), np.ones(0, np.float32))


def make_histories(
    lists: list[list[int]],
    *,
    steps: list[list[int]] | None = None,
    num_items: int = 0,
    gap: int = 3600,
    event_types: list[list[int]] | None = None,
    interests: int = 3,
) -> Histories:
    """One history per list of item indices; events, all sales, `gap` seconds apart by step from 2024-01-01 on."""
    lengths = [len(items) for items in lists]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    step = np.concatenate([np.asarray(s) for s in (steps or [list(range(n)) for n in lengths])]).astype(np.int32)
    item = np.concatenate([np.asarray(x) for x in lists]).astype(np.int32)
    count = num_items or int(item.max())
    event_type = np.concatenate([np.asarray(k) for k in event_types]) if event_types else np.ones(len(item))
    item_interest = np.concatenate([[0], np.arange(count) % interests + 1]).astype(np.int32)
    return Histories(
        name="made_up",
        fingerprint="0" * 64,
        offsets=offsets,
        item=item,
        time=1_704_067_200 + step.astype(np.int64) * gap,
        event_type=event_type.astype(np.int8),
        value=np.full(len(item), np.nan, np.float32),
        quantity=np.full(len(item), np.nan, np.float32),
        label=np.full(len(item), -1, np.int8),
        step=step,
        features=np.zeros((len(item), 0), np.float32),
        users=pl.DataFrame({"user": [f"u{i}" for i in range(len(lists))]}),
        items=pl.DataFrame(
            {
                "item": [f"i{i}" for i in range(1, count + 1)],
                "interest": [f"c{(i - 1) % interests + 1}" for i in range(1, count + 1)],
            }
        ),
        item_interest=item_interest,
        interests=tuple(f"c{i}" for i in range(1, interests + 1)),
        event_types=("view", "purchase"),
        feature_names=(),
        has_time=True,
        baskets=steps is not None,
        num_items=count,
        roles=EVENT_TYPES | {"view": ("input", "target", "sale")},
    )


def with_returns(histories: Histories, every: int) -> Histories:
    """The same, each `every`-th event being a return and the others purchases."""
    returned = np.arange(histories.num_events) % every == 0
    return replace(
        histories,
        event_types=("return", "purchase"),
        event_type=np.where(returned, 1, 2).astype(np.int8),
        roles=EVENT_TYPES | {"return": ("input", "target", "sale", "negative")},
    )


def random_histories(users: int, items: int, longest: int, seed: int = 0, **options: Any) -> Histories:
    """Histories of 3 to `longest` random items."""
    rng = np.random.default_rng(seed)
    lists = [rng.integers(1, items + 1, rng.integers(3, longest + 1)).tolist() for _ in range(users)]
    return make_histories(lists, num_items=items, **options)


def make_model(
    backbone: str,
    *,
    cell: str = "gru",
    items: int = 30,
    width: int = 16,
    repeat: bool = True,
    dropout: float = 0.2,
    event_dropout: float = 0.0,
    capacity: int = 16,
    temperature: float = 0.0,
    horizon: int = 1,
    time: bool = True,
    frozen: int = 0,
) -> InterestModel:
    """A small model with every head."""
    return InterestModel(
        Spec(
            data=DataSpec(num_items=items, num_interests=3, num_event_types=2),
            model=NetworkSpec(
                backbone=backbone,
                width=width,
                layers=(width, width) if backbone in ("transformer", "hybrid") else (2 * width, width),
                attention_heads=2,
                cell=cell,
                dropout=dropout,
                event_dropout=event_dropout,
                inputs=("item", "event_type", "counts", "gap", "calendar", "features"),
                positions=True,
                temperature=temperature,
                repeat_heads=2 if repeat else 0,
                capacity=capacity,
            ),
            content=ContentSpec(frozen=frozen, sharpness=10.0, popularity=0.6),
            heads=HeadsSpec(horizon, interest=True, conversion=True, time=time),
        )
    )


def changed(model: InterestModel, **fields: Any) -> InterestModel:
    """The model with other values of some fields of its spec, in whichever group they are."""
    groups = {name: getattr(model.spec, name) for name in ("data", "model", "content", "heads")}
    assert all(any(hasattr(group, field) for group in groups.values()) for field in fields)
    return InterestModel(
        Spec(
            **{
                name: replace(group, **{k: v for k, v in fields.items() if hasattr(group, k)})
                for name, group in groups.items()
            }
        )
    )


def initialise(model: InterestModel, events: Events, seed: int = 0) -> Any:
    """Parameters, moved away from their special starting values so that every part matters."""

    first = jax.jit(lambda key: model.init(key, events, method="initialise"), compiler_options=QUICKLY)
    rng = np.random.default_rng(seed + 1)
    start = first(jax.random.key(seed, impl="unsafe_rbg"))
    return jax.tree.map(lambda x: x + 0.2 * rng.standard_normal(x.shape, np.float32), start)


@partial(jax.jit, static_argnames=("model", "method", "train"))
def applied(model: InterestModel, params: Any, *given: Any, method: str, **options: Any) -> Any:
    """A method of the model, as one program: applied as it is, each operation would be compiled by itself."""
    return model.apply(params, *given, method=method, **options)


@dataclass(frozen=True)
class GivenForecast:
    """A forecast of several steps whose parts are given."""

    probability: np.ndarray
    interests: np.ndarray
    within: np.ndarray
    interests_within: np.ndarray
    quantiles: np.ndarray | None = None  # of the days until each step
    calibrated: bool = False
    in_sets: np.ndarray | None = None

    def days(self, silent: np.ndarray) -> np.ndarray | None:
        if self.quantiles is None:
            return None
        return self.quantiles + self.quantiles[:, :1] * (1 / (1 + silent[:, None, None]) - 1)

    def days_calibrated(self, silent: np.ndarray) -> np.ndarray:
        return self.calibrated & (silent == 0)


class FakeRun(SimpleNamespace):
    """What is read of a run."""

    customer_forecast = Run.customer_forecast


def fake_run(params: Any = None, workdir: Path = Path(), **experiment: Any) -> Any:
    """What is read of a run whose experiment has these fields (histories, split, config, model, feature_scale ...)."""
    own = {name: experiment[name] for name in ("config", "model", "feature_scale") if name in experiment}
    vocabulary = SimpleNamespace(catalogue=experiment.get("histories"))
    run = FakeRun(
        experiment=SimpleNamespace(**experiment),
        params=params,
        workdir=workdir,
        vocabulary=vocabulary,
        interests_are="items summed by interest",
        **own,
    )
    run.predictor = lambda: Predictor(
        run.model, params, run.experiment.histories, run.feature_scale, run.config.batch.length
    )
    return run
