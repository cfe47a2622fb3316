"""A finished run opened again: from its folder alone, wherever that lies, and with its log where something needs it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
import polars as pl
from ml_collections import ConfigDict

from trajectory.calibration.per_step import StepCalibration
from trajectory.data.pipeline.featurize import FeatureScale
from trajectory.data.store.vocabulary import Vocabulary
from trajectory.inference.predictor import Predictor
from trajectory.models.interest_model import InterestModel
from trajectory.models.item_table import export_item_table, with_table
from trajectory.results import (
    Audiences,
    Demand,
    Embeddings,
    Evaluation,
    Explanation,
    Forecast,
    Migrations,
    Predictions,
    Recommendations,
    Segments,
)
from trajectory.schema import Histories, UserError
from trajectory.training.checkpoint import Checkpoints
from trajectory.training.experiment import Experiment, build, check_data, check_format, load_config, model_spec
from trajectory.training.folder import read_data
from trajectory.training.portable import Background, ItemTable

if TYPE_CHECKING:
    from trajectory.data.ingest.data_frames import Log
    from trajectory.insights.report_model import Part

CHANGED = "Train again in a new --workdir, or put the old one back"


@dataclass(frozen=True, repr=False)
class Run:
    """A run's folder with its best parameters in hand; the vectors of its items are in a table.

    What predicts for new histories needs no more, wherever the folder goes after. `experiment`, the log that the run
    learned from, is opened when something asks for it.
    """

    workdir: Path
    config: ConfigDict
    vocabulary: Vocabulary
    scale: FeatureScale
    model: InterestModel
    params: Any
    step: int  # at which the best parameters were taken

    @classmethod
    def of(
        cls, workdir: Path, experiment: Experiment, params: Any, step: int, vocabulary: Vocabulary | None = None
    ) -> Run:
        """Of an experiment and parameters of its model; `vocabulary`: that of its log, if it is in hand too."""
        model, exported = export_item_table(experiment.model, params, experiment.content)
        known = vocabulary or Vocabulary.of(experiment.histories, experiment.config.data)
        run = cls(workdir, experiment.config, known, experiment.scale, model, exported, step)
        vars(run).update(experiment=experiment, learned=(experiment.model, params))
        return run

    @cached_property
    def experiment(self) -> Experiment:
        """What the run learned from, prepared and split. UserError if the log is not here or has changed."""
        stored = read_data(self.workdir)
        check_format(stored, self.workdir)  # before the log is prepared
        try:
            experiment = build(self.config)
        except UserError as error:
            raise UserError(f"this needs the log that the run in {self.workdir} learned from: {error}") from None
        check_data(stored, experiment.histories, self.workdir, CHANGED)
        return experiment

    @cached_property
    def learned(self) -> tuple[InterestModel, Any]:
        """The model and its parameters as they were trained: where items have content, without their table."""
        return self.experiment.model, _best(self.workdir)[1]

    @cached_property
    def background(self) -> Background:
        """Histories that explanations compare with."""
        return Background.load(self.workdir) or Background.of(self.experiment)

    @cached_property
    def calibration(self) -> tuple[StepCalibration, str] | None:
        """What `trajectory evaluate --multi-step=direct` had fitted when the run was opened, and of which checkpoint.

        None if nothing was. UserError if it is damaged.
        """
        return StepCalibration.find(self.workdir)

    @property
    def checkpoint(self) -> str:
        """Which checkpoint this is, for the protocol."""
        return f"best {self.config.train.monitor} on validation, step {self.step}"

    def predictor(self, histories: Histories | None = None) -> Predictor:
        """The model over the run's own histories, or over new ones (see `read_histories`)."""
        c, own = self.config, self.experiment.histories if histories is None else histories
        params = jax.device_put(self.params, jax.local_devices()[0])  # training may have spread them over several
        return Predictor(self.model, params, own, self.scale, c.batch.length, c.evaluation.seen == "filter")

    def with_params(self, params: Any) -> Run:
        """The same run with other parameters of its model."""
        other = replace(self, params=params)
        held = ("experiment", "background", "calibration")
        vars(other).update({name: vars(self)[name] for name in held if name in vars(self)})
        return other

    def __repr__(self) -> str:
        return f"Run({str(self.workdir)!r}, {self.config.model.backbone}, step {self.step})"

    def predict(self, events: Log, top: int = 10, *, user: str = "") -> Predictions:
        """The `top` most likely items of the next step of each user of `events`.

        `events`: a polars or pandas data frame, a PyArrow table or the path of a log; ids are the training log's. What
        the model does not know of them is said in `notes`. `user` is the only user's id, for events without a user
        column. Of a run that learned conversions alone: the probability of one after each user's last event.
        """
        from trajectory.forecasting.predict import predict

        made = predict(self, events, user, top, 0, 0)
        first, *_ = made.tables
        return Predictions(made.tables[first], made.tables | {"without": made.without}, tuple(made.notes))

    def forecast(self, events: Log | None = None, steps: int = 0, *, users: int = 0) -> Forecast:
        """What comes at each of the next `steps` steps, when, and by which path.

        0 steps: as many as the run forecasts directly (heads.horizon), or config.forecast.steps where that is 1 or
        these were set by hand. Of the users of `events` (see `predict`), or of the run's own, `users` of them spread
        over the log (0 = all), for which the log is needed. Calibrated where `trajectory evaluate --multi-step=direct`
        had calibrated the run for as many steps before it was opened; `notes` says whether, and why not.
        """
        from trajectory.forecasting.forecast import forecast

        made = forecast(self, users, events, steps)
        return Forecast(made.statements, {"without": made.without}, (*made.notes, f"probabilities are {made.method}"))

    def explain(
        self, events: Log | None = None, target: str = "", *, steps: Sequence[int] = (1,), users: int = 0
    ) -> Explanation:
        """What each input of each past event adds to a forecast, by the config's method (integrated gradients).

        `target`: item, interest, migration or conversion, the most likely one of each user, or one by its name
        ("interest=COFFEE", "migration=WINE>BEER"). `events` and `users` as in `forecast`. Runs whose items have content
        need their log.
        """
        from trajectory.explain.explain import explain

        rows, notes = explain(self, events, target, steps, users)
        return Explanation(rows, notes=tuple(notes))

    def embeddings(self, kind: str = "items", events: Log | None = None) -> Embeddings:
        """A vector for each of the "items", or "users" (of `events`, or the run's own, for which the log is needed)."""
        from trajectory.forecasting.embeddings import item_vectors, user_vectors
        from trajectory.inference.new_users import read_histories

        if kind == "items":
            return Embeddings(item_vectors(self))
        if kind != "users":
            raise UserError(f'embeddings of {kind!r} are not known; expected "items" or "users"')
        histories, notes = (None, []) if events is None else read_histories(events, self.vocabulary)
        return Embeddings(user_vectors(self, histories), notes=tuple(notes))

    def recommend(
        self,
        *,
        stock: Log | None = None,
        interests: Sequence[str] = (),
        price: tuple[float, float] | None = None,
    ) -> Recommendations:
        """Lists of items for all users of the run's log, over the steps to come.

        `stock`: a table with a column item and perhaps stock; `interests` and `price` (lowest, highest): only items of
        these. `tables` has the items with the most users to win, `notes` how far such lists held. Needs the log.
        """
        from trajectory.data.ingest.data_frames import as_path
        from trajectory.insights.recommend.build import build_recommendations
        from trajectory.insights.recommend.eligibility import eligible_items

        histories = self.experiment.histories
        if stock is None:
            return Recommendations(
                *_told(
                    build_recommendations(self, eligible_items(histories, None, interests, price)), "recommendations"
                )
            )
        with as_path(stock) as path:
            keep = eligible_items(histories, path, interests, price)
        return Recommendations(*_told(build_recommendations(self, keep), "recommendations"))

    def segments(self) -> Segments:
        """Users of the run's log grouped by where they are heading. Needs the log."""
        from trajectory.insights.segments.build import build_segments

        return Segments(*_told(build_segments(self), "segments"))

    def audiences(self) -> Audiences:
        """Users of the run's log who are likely to buy of an interest or item, for each. Needs the log."""
        from trajectory.insights.audiences.build import build_audiences

        return Audiences(*_told(build_audiences(self), "audiences"))

    def demand(self) -> Demand:
        """The next weeks of each series of the run's log, with intervals, and what to order. Needs the log."""
        from trajectory.insights.demand.build import build_demand

        return Demand(*_told(build_demand(self), "demand"))

    def migrations(self, *, forecast: bool = True, **settings: float) -> Migrations:
        """Who of the run's users moved from which interest to which, when and how far, against chance. Needs the log.

        `settings` are fields of trajectory.migrations.migration.Settings: window, lasting, gap, rate, permutations.
        `forecast`: `tables` also has whose move is to come, where the run can tell; `notes` say where that is not to be
        relied on. A log without interests gets learned ones.
        """
        from trajectory.migrations.clusters import with_interests
        from trajectory.migrations.flows import migration_matrix
        from trajectory.migrations.migration import Settings, detect
        from trajectory.migrations.migration_forecast import forecast_migrations, largest_moves

        histories, notes = with_interests(self)
        found = detect(histories, Settings(**settings))  # type: ignore[arg-type] # of one type or another
        tables = {"tested": found.tested, "flows": migration_matrix(found.found)}
        if forecast:
            try:
                made = forecast_migrations(self, found)
                tables["forecast"] = largest_moves(made, histories)
                notes += [made.standing.warning] if made.standing.warning else []
            except UserError as reason:
                notes.append(f"no forecast: {reason}")
        return Migrations(found.found, tables, tuple(notes))

    @property
    def evaluation(self) -> Evaluation:
        """What `trajectory.evaluate` measured. UserError if the run was not evaluated."""
        from trajectory.evaluation.protocol import statement
        from trajectory.evaluation.report import TABLED, measured_rows, read_evaluation

        stored = read_evaluation(self.workdir, *TABLED)
        return Evaluation.of(measured_rows(stored), statement(stored["protocol"], "test"))

    @property
    def protocol(self) -> dict[str, Any]:
        """What a reader must know to trust or repeat the evaluation. UserError if the run was not evaluated."""
        from trajectory.evaluation.report import read_evaluation

        stored: dict[str, Any] = read_evaluation(self.workdir)["protocol"]
        return stored


def load_run(workdir: Path | str) -> Run:
    """Opens a run's folder: from what is in it, or, where it was made before runs held all they need, with its log.

    Raises UserError if it is none, is damaged, has no checkpoint, or needs a log that is not here.
    """
    run = _open(_folder(workdir))
    with contextlib.suppress(UserError):  # a damaged one is told by what needs it, for evaluate makes it anew
        _ = run.calibration
    return run


def _folder(workdir: Path | str) -> Path:
    """Where it lies, wherever the program goes after."""
    if not isinstance(workdir, Path | str):
        raise UserError(f"expected the folder of a run, as a path, got {type(workdir).__name__}")
    return Path(workdir).resolve()


def _open(workdir: Path) -> Run:
    config, stored = load_config(workdir / "config.json"), read_data(workdir)
    vocabulary, items = Vocabulary.load(workdir), ItemTable.load(workdir)
    step, params = _best(workdir)
    plain = config.content.by == "ids"
    if vocabulary is None or not (plain or (items is not None and items.step == step)):
        return _with_log(workdir, config, stored, step, params)
    known = vocabulary.catalogue
    if known.fingerprint != stored["fingerprint"]:
        raise UserError(f"vocabulary.json and data.json in {workdir} are of two logs. {CHANGED}")
    spec = model_spec(config, known.num_items, len(known.interests), len(known.event_types))
    model = InterestModel(spec)
    if items is not None and not plain:
        known_content = replace(spec.content, frozen=items.frozen)
        model, params = with_table(InterestModel(replace(spec, content=known_content)), params, items.table)
    mean, deviation = (np.array(stored[f"feature_{name}"], np.float32) for name in ("mean", "deviation"))
    return Run(workdir, config, vocabulary, FeatureScale(mean, deviation), model, params, step)


def _told(part: Part, name: str) -> tuple[pl.DataFrame, dict[str, pl.DataFrame], tuple[str, ...]]:
    """A part of the insights as the fields of a result."""
    others = {key: table for key, table in part.tables.items() if key != name}
    return part.tables[name], others, part.sentences


def _with_log(workdir: Path, config: ConfigDict, stored: dict[str, Any], step: int, params: Any) -> Run:
    check_format(stored, workdir)
    experiment = build(config)
    check_data(stored, experiment.histories, workdir, CHANGED)
    return Run.of(workdir, experiment, params, step)


def _best(workdir: Path) -> tuple[int, Any]:
    checkpoints = Checkpoints(workdir, read_only=True)
    try:
        return checkpoints.restore_best()
    finally:
        checkpoints.close()
