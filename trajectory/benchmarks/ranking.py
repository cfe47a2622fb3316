"""Full-catalogue ranking of Amazon Beauty."""

from trajectory.benchmarks.timing import least
from trajectory.inference.predictor import Predictor
from trajectory.inference.scorer import ModelScorer
from trajectory.metrics.ranking import evaluate_scorer
from trajectory.settings import base
from trajectory.training import experiment, optimizer, train_step


def ranking() -> None:
    """Users a second of a transformer of width 64; untrained, it ranks as fast as a trained one."""
    c = base("transformer")
    c.name = c.data.source = "amazon_beauty"
    c.batch.length = c.batch.targets = 50
    c.model.inputs = ("item",)
    built = experiment.build(c)
    first = built.training_data().plan(0).batch(0)
    params = train_step.initial_state(built.model, optimizer.optimiser(c.optim, 1), first, 0).params
    scorer = ModelScorer(Predictor.of(built, built.model, params))
    queries = built.split.test
    (seconds,) = least(
        [lambda: evaluate_scorer(scorer, built.histories, queries, c.evaluation, coverage=False)], rounds=4
    )
    users, candidates = len(queries.user), built.histories.num_items
    print(f"ranking: {users:,} users, {candidates:,} candidates: {users / seconds:,.0f} users/s")
