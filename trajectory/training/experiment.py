"""What a run learns from and with: config -> prepared data, split, model. Opens a finished run again."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl
from ml_collections import ConfigDict

from trajectory import hints
from trajectory.data.content.content import item_content, join, with_behaviour
from trajectory.data.pipeline import conversion_labels, splits
from trajectory.data.pipeline.batches import TrainingData
from trajectory.data.pipeline.featurize import FeatureScale, last_rows
from trajectory.data.pipeline.mixture import MixedData
from trajectory.data.pipeline.splits import training_events
from trajectory.data.store import builder
from trajectory.data.store.sample import some_users
from trajectory.data.store.union import DOMAIN, item_and_user_domains, of_domain, union
from trajectory.models.interest_model import ContentSpec, DataSpec, HeadsSpec, InterestModel, NetworkSpec, Spec
from trajectory.models.item_table import initialise
from trajectory.reading import read_json, tuples
from trajectory.renamed import with_fields
from trajectory.schema import Histories, ItemContent, SoftTargets, Split, UserError
from trajectory.settings import base, get, put, shown, watched
from trajectory.training import auto_config, limits
from trajectory.training.sampled_softmax_loss import Negatives
from trajectory.writing import write_json

_LOGGER = logging.getLogger(__name__)

LEARNED = ("content", "content+ids")  # what items are known by, where something is learned from their content
SECTIONS = ("data", "split", "batch", "model", "heads", "optim", "train")  # of every config, however old


@dataclass(frozen=True)
class Experiment:
    """A config with everything it names in hand; no parameters yet."""

    config: ConfigDict
    histories: Histories
    split: Split
    feature_scale: FeatureScale
    model: InterestModel
    content: ItemContent | None = None

    @property
    def item_interest(self) -> jax.Array:
        """Interest index int32 [V + 1] of each item of the catalogue."""
        return jnp.asarray(self.histories.item_interest[: self.histories.num_items + 1])

    def training_data(self, soft: SoftTargets | None = None) -> TrainingData | MixedData:
        """The batches of training, with the soft labels of teachers if there are any (distillation.py)."""
        label = None
        if self.config.heads.conversion:
            until = self.split.cut_time("validation")
            label = conversion_labels.labels(self.histories, self.split.train_end, until, self.config.conversion)
        c = self.config

        def data(split: Split) -> TrainingData:
            return TrainingData(
                self.histories, split, self.feature_scale, c.batch, c.seed, label, soft, c.heads.horizon
            )

        if not c.sources.names:
            return data(self.split)
        parts = of_domain(self.histories, self.split)
        events = [(part.train_end - self.histories.offsets[:-1]).sum() for part in parts.values()]
        weights = c.sources.weights or [float(count) ** c.sources.power for count in events]
        return MixedData([data(part) for part in parts.values()], weights, c.seed)

    def negatives(self) -> Negatives | None:
        """What the items of a sampled softmax are drawn from; None where it is over the whole catalogue."""
        count = self.config.train.negatives
        if not count:
            return None
        events = self.histories.target_item[training_events(self.histories, self.split)]
        events = events[events > 0]
        domains = item_and_user_domains(self.histories)
        last = () if domains is None else np.cumsum(np.bincount(domains[0])[1:])
        return Negatives.of(count, events, self.histories.num_items, tuple(last))

    def initial_parameters(self, key: jax.Array) -> Any:
        """Parameters before anything is learned."""
        start = self.histories.offsets[:1]
        events = last_rows(self.histories, self.feature_scale, start, start + 1, 1)
        return initialise(self.model, key, events, self.content)

    def parameters_like(self) -> Any:
        """Shapes and types of the parameters, without computing any."""
        return jax.eval_shape(self.initial_parameters, jax.random.key(0))


def build(config: ConfigDict) -> Experiment:
    """Prepares the data the config names, splits it, and builds the model for it."""
    limits.check(config)
    if config.by_hand and config.auto_config != "auto":
        _LOGGER.info("set by hand: " + ", ".join(shown(config, name) for name in config.by_hand))
    config = auto_config.decide_split_target(config)
    domains = [some_users(domain, config.split.most_events) for domain in _domains(config)]
    histories, split = splits.split(union(domains) if config.sources.names else domains[0], config.split)
    if histories.num_items < sum(domain.num_items for domain in domains) and config.sources.names:
        raise UserError(f"sources.names needs a split that leaves no item out; split.kind={config.split.kind} does")
    config = auto_config.decide_after(config, histories)
    if config.auto_config == "auto":
        config = auto_config.decide_sizes(config, histories, split)
    config = auto_config.decide_seen(config, histories, split)
    limits.check(config)  # once more: the data may have decided some
    limits.check_data(config, histories)
    content = _content(domains if config.sources.names else [histories], config, histories, split)
    spec = model_spec(config, histories.num_items, len(histories.interests), len(histories.event_types), content)
    return Experiment(config, histories, split, FeatureScale.fit(histories, split), InterestModel(spec), content)


def fitted(config: ConfigDict) -> ConfigDict:
    """A copy of the config with the sizes, length, epochs and warm-up that training decides, which decides them again.

    Raises UserError where the log cannot be trained on.
    """
    # Only where some types are not predicted does the log decide where training predicts.
    placed = config.batch.after != "auto" or not (config.data.target_types or config.data.event_types)
    if config.auto_config != "auto" and config.evaluation.seen != "auto" and placed and not config.train.min_steps:
        return watched(config)  # nothing to decide
    decided = build(config)
    batches = decided.training_data().plan(0).num_batches
    c = auto_config.decide_epochs(decided.config, batches)
    result = watched(auto_config.decide_warmup(c, batches * c.train.epochs))
    for name in ("auto_config", "split.target"):  # the latter follows heads.horizon
        put(result, name, get(config, name))
    return result


def _domains(config: ConfigDict) -> list[Histories]:
    """The logs that the config names; the items of each of several say whose they are, for `content.codes`."""
    if not config.sources.names:
        return [builder.prepare(config.data)]
    domains = []
    for name in config.sources.names:
        data = config.data.copy_and_resolve_references()
        data.source = name
        domain = builder.prepare(data)
        domains.append(replace(domain, items=domain.items.with_columns(pl.lit(domain.name).alias(DOMAIN))))
    return domains


def _content(domains: list[Histories], config: ConfigDict, histories: Histories, split: Split) -> ItemContent | None:
    if config.content.by == "ids":
        return None
    content = join([item_content(domain, config) for domain in domains])
    return with_behaviour(content, histories, _counted(histories, split, config), config.content.neighbour_shrinkage)


def _counted(histories: Histories, split: Split, config: ConfigDict) -> Split:
    """The split of which training events are counted: this one, or that of the users who do not train."""
    if config.content.counted == "training":
        return split
    first = histories.offsets[:-1]
    until = first.copy()
    until[split.test.user] = split.test.stop
    return replace(split, train_end=np.where(split.train_end > first, first, until))


def model_spec(
    config: ConfigDict, num_items: int, num_interests: int, num_event_types: int, content: ItemContent | None = None
) -> Spec:
    """What the config's model and heads come to on data of these sizes."""
    m, c, heads = config.model, config.content, config.heads
    learned = content if c.by in LEARNED else None
    return Spec(
        data=DataSpec(num_items, num_interests, num_event_types),
        model=NetworkSpec(
            backbone=m.backbone,
            width=m.width,
            layers=tuple(m.layers),
            attention_heads=m.attention_heads,
            cell=m.cell,
            dropout=m.dropout,
            event_dropout=m.event_dropout,
            inputs=tuple(m.inputs),
            positions=m.positions,
            temperature=m.temperature,
            repeat_heads=m.repeat_heads if m.repeat else 0,
            capacity=config.batch.length,
        ),
        content=ContentSpec(
            frozen=content.frozen.shape[1] if content else 0,
            sharpness=c.sharpness,
            popularity=c.popularity,
            ids=c.by != "content",
            present=content is not None,
            vectors=tuple(sorted(learned.vectors)) if learned else (),
            codes=tuple(sorted(learned.codes)) if learned else (),
            field_dropout=c.field_dropout if content else 0.0,
        ),
        heads=HeadsSpec(
            horizon=heads.horizon,
            **{name: bool(heads[name]) for name in ("interest", "conversion", "time", "reconstruct", "contrast")},
        ),
    )


def describe_data(experiment: Experiment, soft: SoftTargets | None = None) -> dict[str, Any]:
    """What data.json keeps: the fingerprint, counts, the scale of features, and a digest of soft labels."""
    h, s = experiment.histories, experiment.split
    return {
        "name": h.name,
        "format": builder.FORMAT_VERSION,
        "fingerprint": h.fingerprint,
        "source": h.source,
        "directory": str(Path.cwd()),  # from where the config's paths are
        "soft_targets": soft and hashlib.sha256(soft.item.tobytes() + soft.share.tobytes()).hexdigest(),
        "users": h.num_users,
        "events": h.num_events,
        "training_events": int((s.train_end - h.offsets[:-1]).sum()),
        "items": h.num_items,
        "interests": len(h.interests),
        "event_types": list(h.event_types),
        "split": s.kind,
        "guarantee": s.guarantee,
        "feature_names": list(h.feature_names),
        "feature_mean": np.asarray(experiment.feature_scale.mean, float).tolist(),
        "feature_deviation": np.asarray(experiment.feature_scale.deviation, float).tolist(),
    }


def check_format(stored: dict[str, Any], folder: Path) -> None:
    """UserError if the data.json of a run is of another format of prepared logs, with which it cannot be compared."""
    then, now = stored.get("format", "1.0.0"), builder.FORMAT_VERSION  # 1.0.0 was not written down
    if then != now:
        raise UserError(
            f"the format of prepared logs has changed since the run in {folder} was trained ({then} then, {now} now); "
            "the log itself need not have: train again in a new folder with the same config, or go on "
            "with the version of this program that trained it"
        )


def check_data(stored: dict[str, Any], histories: Histories, folder: Path, advice: str) -> None:
    """UserError if the data.json of a run tells of other histories: says whether the log changed or how it is read."""
    check_format(stored, folder)
    if stored["fingerprint"] == histories.fingerprint:
        return
    reading = "a setting of data or the program that reads it"
    if not stored.get("source"):
        changed = f"the log of the run in {folder}, {reading}"
    elif stored["source"] != histories.source:
        changed = f"the log of the run in {folder}"
    else:
        changed = f"the log of the run in {folder} is the same, but {reading}"
    raise UserError(
        f"{changed} has changed since it was trained (fingerprint {stored['fingerprint'][:12]} then, "
        f"{histories.fingerprint[:12]} now). {advice}"
    )


def save_config(config: ConfigDict, path: Path) -> None:
    """Writes config.json."""
    write_json(config.to_dict(), path)


def load_config(path: Path) -> ConfigDict:
    """Reads config.json, watched. Raises UserError if the folder is not a run's, or the file is damaged."""
    if not path.exists():
        raise UserError(
            f"{path.parent} is not a run: it has no {path.name}; expected the folder of a training (trajectory train)"
        )
    advice = f"put it back from a copy, or train in a new folder ({hints.argument('workdir')})"
    stored = read_json(path, {name: {} for name in SECTIONS}, advice, *SECTIONS)
    config = base()  # fields that came after the run was made keep their defaults
    try:
        saved = with_fields(tuples(stored))
        # Types of event were once declared without roles.
        saved["data"].setdefault("event_types", {}).update(
            {event_type: "input,target" for event_type in saved["data"].pop("extra_kinds", ())}
        )
        later = _later(config.data, saved["data"])
        config.update(ConfigDict(saved))
        if "time_zone" in later:
            config.data.time_zone = ""  # times were read as UTC
        config.data.later = tuple(sorted({*config.data.later, *later}))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is damaged ({str(error).splitlines()[0]}); {advice}") from None
    return watched(config)


def located(config: ConfigDict, directory: str) -> ConfigDict:
    """A run's config with the places of its log as they are from here, where they were named from `directory`."""
    c = config.copy_and_resolve_references()

    def place(path: str) -> str:
        there = Path(directory) / path
        return str(there) if path and not Path(path).exists() and there.exists() else path

    for name in ("data.source", "data.prepared_dir"):
        put(c, name, place(get(c, name)))
    put(c, "sources.names", tuple(place(name) for name in c.sources.names))
    return c


def _later(default: ConfigDict, saved: dict[str, Any], section: str = "") -> list[str]:
    """Names of the fields, and types of event, that a saved section does not have yet."""
    names = []
    for key, value in default.items():
        if key not in saved:
            names.append(f"{section}{key}")
        elif isinstance(value, ConfigDict) and isinstance(saved[key], dict):
            names += _later(value, saved[key], f"{section}{key}.")
    return names
