"""What a run's folder holds so that it opens anywhere, without the log that it learned from.

vocabulary.json and vocabulary.parquet (data/store/vocabulary.py), the scale of features (data.json), background.npz
(histories that explanations compare with) and, of a model whose items have content, item_table.npz and
item_content.npz, which explanations by field read.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np

from trajectory.data.pipeline.featurize import last_rows, row_length
from trajectory.data.store.vocabulary import Vocabulary
from trajectory.models.item_table import item_table
from trajectory.renamed import ARRAYS, with_names
from trajectory.schema import Events, ItemContent, UserError
from trajectory.training.checkpoint import Checkpoints
from trajectory.training.experiment import Experiment
from trajectory.writing import write_arrays

BACKGROUND, ITEM_TABLE, ITEM_CONTENT = "background.npz", "item_table.npz", "item_content.npz"


class Background(NamedTuple):
    """Histories as they were when training ended, without whose they are."""

    events: Events  # arrays [B, L]
    newest: np.ndarray  # int32 [B], column of each row's newest event

    @classmethod
    def of(cls, experiment: Experiment) -> Background:
        """`config.explain.background` of an experiment's training histories, drawn."""
        c, start, stop = experiment.config, experiment.histories.offsets[:-1], experiment.split.train_end
        drawn = np.random.default_rng(c.seed).permutation(np.flatnonzero(stop > start))[: c.explain.background]
        start, stop = start[np.sort(drawn)], stop[np.sort(drawn)]
        count = np.minimum(stop - start, c.batch.length)
        length = row_length(int(count.max(initial=0)), c.batch.length)
        return cls(
            last_rows(experiment.histories, experiment.feature_scale, start, stop, length), (count - 1).astype(np.int32)
        )

    def save(self, folder: Path) -> None:
        """Writes background.npz."""
        write_arrays({**self.events._asdict(), "newest": self.newest}, folder / BACKGROUND)

    @classmethod
    def load(cls, folder: Path) -> Background | None:
        """That of a run's folder; None where it was made before runs kept one."""
        arrays = with_names(_arrays(folder / BACKGROUND), ARRAYS)
        return cls(Events(*(arrays[name] for name in Events._fields)), arrays["newest"]) if arrays else None


class ItemTable(NamedTuple):
    """The vectors of items that have content, as the softmax compares them with states."""

    table: np.ndarray  # float32 [V + 1, any]
    frozen: int  # content features of it that no learning changed
    step: int  # of the checkpoint that made it

    def save(self, folder: Path) -> None:
        """Writes item_table.npz."""
        write_arrays({name: np.asarray(value) for name, value in self._asdict().items()}, folder / ITEM_TABLE)

    @classmethod
    def load(cls, folder: Path) -> ItemTable | None:
        """That of a run's folder; None where there is none."""
        arrays = _arrays(folder / ITEM_TABLE)
        return cls(arrays["table"], int(arrays["frozen"]), int(arrays["step"])) if arrays else None


def save_content(content: ItemContent, folder: Path) -> None:
    """Writes item_content.npz."""
    fields = {"vectors": content.vectors, "codes": content.codes}
    named = {f"{kind}/{name}": np.asarray(values) for kind, of in fields.items() for name, values in of.items()}
    write_arrays({**named, "frozen": np.asarray(content.frozen)}, folder / ITEM_CONTENT)


def load_content(folder: Path) -> ItemContent | None:
    """The content of a run's items; None where its folder does not hold it."""
    arrays = _arrays(folder / ITEM_CONTENT)
    if not arrays:
        return None
    frozen = arrays.pop("frozen")
    fields: dict[str, dict[str, np.ndarray]] = {"vectors": {}, "codes": {}}
    for path, values in arrays.items():
        kind, _, name = path.partition("/")
        fields[kind][name] = values
    return ItemContent(**fields, frozen=frozen)


def save_known(experiment: Experiment, workdir: Path) -> None:
    """Writes what is known before training: vocabulary, background and what is known of the items."""
    Vocabulary.of(experiment.histories, experiment.config.data).save(workdir)
    Background.of(experiment).save(workdir)
    if experiment.content is not None:
        save_content(experiment.content, workdir)


def save_item_table(experiment: Experiment, workdir: Path) -> None:
    """Writes the item table of the best checkpoint, where items have content that another machine has not."""
    if experiment.content is None:
        return
    checkpoints = Checkpoints(workdir, read_only=True)
    step, params = checkpoints.restore_best()
    checkpoints.close()
    ItemTable(
        item_table(experiment.model, params, experiment.content), experiment.model.spec.content.frozen, step
    ).save(workdir)


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """What the file holds; nothing where there is none."""
    if not path.exists():
        return {}
    try:
        with np.load(path) as arrays:
            return dict(arrays)
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise UserError(
            f"{path} is damaged ({error}); the trajectory train command of the run writes it again"
        ) from None
