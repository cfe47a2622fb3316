"""Training batches of several domains, each batch of one, drawn by weight; resumable as those of one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trajectory.data.pipeline.batches import PREFETCH, EpochPlan, Epochs, TrainingData
from trajectory.messages import root_logger_kept
from trajectory.schema import Batch

with root_logger_kept():
    import grain

ROUNDS = 1000  # most times that a domain's batches are gone through in an epoch


class MixedData:
    """As `TrainingData`; an epoch has as many batches as all domains have, shared out among them by `weights`."""

    def __init__(self, domains: Sequence[TrainingData], weights: Sequence[float], seed: int) -> None:
        self.domains, self.seed = domains, seed
        self.shares = np.asarray(weights, float) / np.sum(weights)

    def plan(self, epoch: int) -> MixedPlan:
        """The batches of one epoch; the same for the same (seed, epoch)."""
        return MixedPlan(self, epoch)

    def dataset(self) -> grain.IterDataset:
        """Epochs without end, batch after batch, prepared ahead in a thread."""
        return grain.experimental.ThreadPrefetchIterDataset(Epochs(self), prefetch_buffer_size=PREFETCH)


class MixedPlan:
    """Which domain's batch comes when in one epoch; `batch(i)` assembles one."""

    def __init__(self, data: MixedData, epoch: int) -> None:
        self.plans: dict[tuple[int, int], EpochPlan] = {}
        self.data, self.epoch = data, epoch
        first = [self._plan(domain, 0) for domain in range(len(data.domains))]
        counts = np.maximum((data.shares * sum(plan.num_batches for plan in first)).round().astype(int), 1)
        self.num_batches = int(counts.sum())
        self.all_batches = sum(plan.all_batches for plan in first)
        rng = np.random.default_rng([data.seed, epoch])
        self.domain = rng.permutation(np.repeat(np.arange(len(counts)), counts))
        self.number = np.zeros(self.num_batches, int)  # of the batch among those of its domain
        for domain, count in enumerate(counts):
            self.number[self.domain == domain] = np.arange(count)
        self.padding = float(data.shares @ [plan.padding for plan in first])

    def batch(self, index: int) -> Batch:
        """Batch `index` of the epoch."""
        domain, number, turn = int(self.domain[index]), int(self.number[index]), 0
        while number >= (plan := self._plan(domain, turn)).num_batches:
            number, turn = number - plan.num_batches, turn + 1
        return plan.batch(number)

    def _plan(self, domain: int, turn: int) -> EpochPlan:
        """The domain's batches, gone through for the (turn + 1)-th time in this epoch."""
        if (domain, turn) not in self.plans:
            self.plans[domain, turn] = self.data.domains[domain].plan(self.epoch * ROUNDS + turn)
        return self.plans[domain, turn]
