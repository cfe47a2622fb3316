"""A run opened again: from its folder alone, wherever that lies, and with its log where something needs it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import jax
import polars as pl
from ml_collections import ConfigDict

from trajectory import run_folder
from trajectory.calibration.per_step import StepCalibration
from trajectory.data.ingest.source.domains import resolve
from trajectory.data.pipeline.featurize import FeatureScale
from trajectory.data.store.readable import readable
from trajectory.data.store.vocabulary import Vocabulary
from trajectory.expected import AttributionMethod, InsightsPart, Language, Vectors, one_of, several, whole_number
from trajectory.inference.predictor import Predictor
from trajectory.messages import root_logger_kept
from trajectory.models.interest_model import InterestModel
from trajectory.models.item_table import export_item_table
from trajectory.models.top_down import with_interest_head
from trajectory.results.forecasts import Embeddings, Explanation, Forecast, Predictions
from trajectory.results.insights import Audiences, Changes, Customers, Demand, Funnel, Recommendations, Segments
from trajectory.results.measured import Evaluation
from trajectory.results.migrations import Migrations
from trajectory.run_card import write_card
from trajectory.schema import Histories, ItemContent, UserError
from trajectory.training import parallel
from trajectory.training.experiment import Experiment, build, check_data, check_format, model_spec
from trajectory.training.folder import read_data
from trajectory.training.interest_forecast import InterestForecast
from trajectory.training.portable import Background, load_content

if TYPE_CHECKING:
    from trajectory.data.ingest.source.data_frames import Log
    from trajectory.insights.customers.forecast import CustomerForecast
    from trajectory.insights.report_model import Part

INNER = (  # for the package
    *("from_experiment", "with_model", "model", "params", "feature_scale"),
    *("item_content", "content_model", "background", "calibration", "interest_forecast", "interests_are"),
    "customer_forecast",
)


@dataclass(frozen=True, repr=False, eq=False)
class Run:
    """A run's folder with its best parameters in hand; the vectors of its items are in a table.

    What predicts for new histories needs no more, wherever the folder goes after. `experiment`, the log that the run
    learned from, is opened when something asks for it. `workdir`: the folder; `config`: its settings (docs/config.md);
    `step`: of training, at which the best parameters were taken; `vocabulary`: the items, interests and types of event
    that it knows. Other attributes are for the package itself, and may change.
    """

    workdir: Path
    config: ConfigDict
    vocabulary: Vocabulary
    feature_scale: FeatureScale
    model: InterestModel
    params: Any
    step: int  # at which the best parameters were taken

    @classmethod
    def from_experiment(
        cls, workdir: Path, experiment: Experiment, params: Any, step: int, vocabulary: Vocabulary | None = None
    ) -> Run:
        """The run of an experiment and parameters of its model; `vocabulary`: that of its log, if it is in hand too."""
        model, exported = export_item_table(experiment.model, params, experiment.content)
        experiment = _shown(experiment)
        known = vocabulary or Vocabulary.of(experiment.histories, experiment.config.data)
        run = cls(workdir, experiment.config, known, experiment.feature_scale, model, exported, step)
        vars(run).update(experiment=experiment, content_model=(experiment.model, params))
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
        check_data(stored, experiment.histories, self.workdir, run_folder.CHANGED)
        return _shown(experiment)

    @cached_property
    def content_model(self) -> tuple[InterestModel, Any]:
        """The model and parameters as they were trained: where items have content, it makes their vectors of that."""
        known = self.vocabulary.catalogue
        sizes = known.num_items, len(known.interests), len(known.event_types)
        spec = model_spec(self.config, *sizes, self.item_content)
        return InterestModel(spec), run_folder.best_parameters(self.workdir)[1]

    @cached_property
    def item_content(self) -> ItemContent | None:
        """What is known of the items that the model learned from; None where that is ids alone.

        Of folders made before runs held it, the log is needed.
        """
        return None if self.config.content.by == "ids" else load_content(self.workdir) or self.experiment.content

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

    @cached_property
    def interest_forecast(self) -> InterestForecast:
        """What interests are forecast by: items summed by interest, or the interest head.

        UserError if the file that says so is damaged.
        """
        return InterestForecast.find(self.workdir, self.config, self.checkpoint)

    @cached_property
    def interests_are(self) -> str:
        """The same in words, to be read after "interests are"."""
        return self.interest_forecast.sentence(self.config)

    @cached_property
    def customer_forecast(self) -> CustomerForecast:
        """Orders and spend to come of each customer of the log. UserError for a log of too few orders or days."""
        from trajectory.insights.customers.forecast import customers
        from trajectory.insights.sale_lines import sale_lines

        return customers(self.experiment.histories, sale_lines(self.experiment.histories))

    @property
    def checkpoint(self) -> str:
        """Which checkpoint this is, for the protocol.

        Example:
          >>> run.checkpoint.startswith("best ndcg@10 on validation, step ")
          True
        """
        return f"best {self.config.train.monitor} on validation, step {self.step}"

    def predictor(self, histories: Histories | None = None) -> Predictor:
        """The model with all that it needs to read histories.

        Args:
          histories: new ones (see trajectory.inference.new_users.read_histories); the run's own by default, for which
            the log is needed.

        Returns model, parameters, histories, scale of features and length (events of a history that are read).

        Raises UserError where the log is needed and not here.

        Example:
          >>> run.predictor().length == run.config.batch.length
          True
        """
        c, own = self.config, self.experiment.histories if histories is None else histories
        params = jax.device_put(self.params, jax.local_devices()[0])  # training may have spread them over several
        return Predictor(self.model, params, own, self.feature_scale, c.batch.length, c.evaluation.seen == "filter")

    def with_model(self, model: InterestModel, params: Any) -> Run:
        """The same run with another model, or other parameters of it."""
        other = replace(self, model=model, params=params)
        held = ("experiment", "background", "calibration", "content_model", "interest_forecast", "customer_forecast")
        vars(other).update({name: vars(self)[name] for name in held if name in vars(self)})
        return other

    def __dir__(self) -> list[str]:
        return [name for name in object.__dir__(self) if not name.startswith("_") and name not in INNER]

    def __repr__(self) -> str:
        return f"Run({str(self.workdir)!r}, {self.config.model.backbone}, step {self.step})"

    def predict(self, events: Log, top: int = 10, *, single_user: str = "") -> Predictions:
        """The `top` most likely items of the next step of each user of `events`.

        Args:
          events: a log of these users; ids are the training log's. What the model does not know of them is said in
            `notes`.
          top: items a user.
          single_user: the only user's id, for events without a user column.

        Returns `top` rows a user. Of a run that learned conversions alone: the probability of one after each user's
        last event. `tables["without"]`: users for whom nothing is left.

        Raises UserError for events that cannot be read, or of which the model knows no item.

        Example:
          >>> predicted = run.predict(new_events, top=3)
          >>> predicted.frame.select("user", "rank").rows()[:4]
          [('ann', 1), ('ann', 2), ('ann', 3), ('bob', 1)]
        """
        from trajectory.forecasting.predict import predict

        made = predict(self, events, single_user, whole_number("top", top, 1), 0, 0)
        (_, first), *others = made.tables.items()
        return Predictions(first, dict(others) | {"without": made.without}, tuple(made.notes))

    def forecast(
        self, events: Log | None = None, steps: int | None = None, *, users: int | Sequence[str] | None = None
    ) -> Forecast:
        """What comes at each of the next steps, when, and by which path.

        Args:
          events: a log of new users (see `predict`); the run's own users by default, for which the log is needed.
          steps: steps ahead; by default as many as the run forecasts directly (heads.horizon), or config.forecast.steps
            where that is 1 or these were set by hand.
          users: of the run's own log: a number, spread over it, or ids such as ["ann"]; all by default.

        Returns statements of probabilities and days, one a row, calibrated where the run had been calibrated for as
        many steps when it was opened (`evaluate` with `multi_step`); `notes` says whether, and why not.

        Raises UserError for events that cannot be read, steps that the run cannot forecast, or where the log is needed
        and not here.

        Example:
          >>> ahead = run.forecast(new_events, steps=2)
          >>> ahead.frame.filter(statement="at_step", level="item", rank=1).select("user", "step").rows()
          [('ann', 1), ('ann', 2), ('bob', 1), ('bob', 2)]
        """
        from trajectory.forecasting.forecast import forecast

        count = 0 if steps is None else whole_number("steps", steps, 1)
        made = forecast(self, _own_users(users, events), events, count)
        return Forecast(made.statements, {"without": made.without}, (*made.notes, f"probabilities are {made.method}"))

    def explain(
        self,
        events: Log | None = None,
        target: str = "",
        *,
        at_steps: int | Sequence[int] = 1,
        users: int | Sequence[str] | None = None,
        method: AttributionMethod | Literal[""] = "",
    ) -> Explanation:
        """What each input of each past event adds to a forecast.

        Args:
          events: a log of new users (see `predict`); the run's own users by default, for which the log is needed.
          target: item, interest, migration or conversion, the most likely one of each user, or one by its name
            ("interest=COFFEE", "migration=WINE>BEER"); by default interests where the log has any, else items.
          at_steps: of which step the forecast is, 1 = the next, or of which ones; later ones need heads.horizon > 1.
          users: of the run's own log: a number, spread over it, or ids such as ["ann"]; all by default.
          method: of attribution: integrated_gradients, gradient_times_input, saliency, smooth_gradients,
            expected_gradients, rollout (attention), occlusion, shapley, shap (kernel SHAP) or lime; explain.method of
            the config by default.

        Returns a row for each input of each event, in nats of the forecast's log-probability; `tables["by_type"]` says
        what the views, the carts, the purchases of each user add.

        Raises UserError for a target, step or method that there is not, and as `forecast`.

        Example:
          >>> why = run.explain(new_events, "item")
          >>> why.frame.filter(event=0)["feature"].unique().sort().head(2).to_list()
          ['calendar', 'event_type']
        """
        from trajectory.explain.event_types import by_type
        from trajectory.explain.explain import explain

        steps = [at_steps] if isinstance(at_steps, Integral) else several("at_steps", at_steps, "(1, 2)", 1)
        ahead = [whole_number("at_steps", step, 1) for step in steps]
        rows, notes = explain(self, events, target, ahead, _own_users(users, events), method)
        tables = {"by_type": by_type(rows)} if len(self.vocabulary.catalogue.event_types) > 1 else {}
        return Explanation(rows, tables, tuple(notes))

    def embeddings(self, kind: Vectors = "items", events: Log | None = None) -> Embeddings:
        """Vectors of items or users; the product of both is an item's logit for the user's next step.

        Args:
          kind: "items" of the run's catalogue, or "users": the state after each one's newest event.
          events: for users, a log of new ones (see `predict`); the run's own by default, for which the log is needed.

        Returns a float32 vector [width] a row.

        Raises UserError for another kind, for events that cannot be read, or where the log is needed and not here.

        Example:
          >>> vectors = run.embeddings("items").frame["vector"].to_numpy()
          >>> vectors.shape == (12, run.config.model.width)
          True
        """
        from trajectory.forecasting.embeddings import REPEATS, item_vectors, user_vectors
        from trajectory.inference.new_users import read_histories

        one_of("kind", kind, Vectors)
        if kind == "items" and events is not None:
            raise UserError('events are for vectors of users; embeddings("items") are those of the catalogue')
        repeats = (REPEATS,) if self.config.model.repeat else ()
        if kind == "items":
            return Embeddings(item_vectors(self), notes=repeats)
        histories, notes = (None, []) if events is None else read_histories(events, self.vocabulary)
        return Embeddings(user_vectors(self, histories), notes=(*notes, *repeats))

    def recommend(
        self,
        *,
        stock: Log | None = None,
        interests: Sequence[str] = (),
        price: tuple[float, float] | None = None,
    ) -> Recommendations:
        """Lists of items for all users of the run's log, over the steps to come.

        Args:
          stock: a table with a column item and perhaps stock: only items of these, of which there is more than 0.
          interests: only items of these, by name.
          price: only items from the lowest to the highest, in the log's currency.

        Returns lists of 10 items. `tables["new_buyers"]` has the items with the most users to win, `notes` how far such
        lists held on what was held out.

        Raises UserError for stock, interests or prices that the log does not have, a run without heads of several
        steps, or where the log is not here.

        Example:
          >>> found = run.recommend()
          >>> found.frame["rank"].max()
          10
        """
        from trajectory.insights.recommend.build import build_recommendations
        from trajectory.insights.recommend.eligibility import eligible_items

        names = several("interests", interests, '["TEA"]')
        keep = eligible_items(self.experiment.histories, stock, names, price)
        return Recommendations(*_told(build_recommendations(self, keep), "recommendations"))

    def changes(self) -> Changes:
        """What the users of the run's log bought more or less in the last 28 days than in the 28 before.

        Returns a row for each interest and item with 30 customers or more. `notes` say what is more than chance.

        Raises UserError for a log without times, of fewer than 56 days, or that is not here.

        Example:
          >>> found = run.changes()
          >>> found.tables["change_totals"]["measure"].to_list()[:2]
          ['customers', 'orders']
        """
        from trajectory.insights.changes.build import build_changes

        part = build_changes(self)
        others = {name: part.tables[name] for name in ("change_totals", "change_periods")}
        return Changes(part.tables["changes"], others, part.sentences)

    def customers(self) -> Customers:
        """Orders and spend of each customer of the run's log in the coming days, and what to do.

        Returns a row for each user with an order, the largest expected spend first. `notes` say how such forecasts held
        beside the customer's own rate, RFM and BG/NBD with Gamma-Gamma.

        Raises UserError for a log without sales or times, of fewer than 28 days or 50 customers, or that is not here.

        Example:
          >>> found = run.customers()
          >>> found.frame["spend_expected"].is_sorted(descending=True)
          True
        """
        from trajectory.insights.customers.build import build_customers

        return Customers(*_told(build_customers(self), "customers"))

    def segments(self) -> Segments:
        """Users of the run's log grouped by where they are heading.

        Returns each user's segment. `tables["segment_profiles"]` has size, drift and value of each,
        `tables["segment_periods"]` what its users bought in each month.

        Raises UserError for a log that is too small or has no interests, or that is not here.

        Example:
          >>> found = run.segments()
          >>> found.frame.columns
          ['user', 'segment']
        """
        from trajectory.insights.segments.build import build_segments

        return Segments(*_told(build_segments(self), "segments"))

    def audiences(self) -> Audiences:
        """Users of the run's log who are likely to buy of an interest or item, for each.

        Returns a row for each user of each audience, with the probability and the best moment (days, weekday, hour,
        by the log's clock).

        Raises UserError for a log without times, that is not here, or where no interest or item has 50 users who turned
        to it in the window that validates.

        Example:
          >>> found = run.audiences()
          >>> found.frame.columns[:4]
          ['kind', 'target', 'user', 'probability']
        """
        from trajectory.insights.audiences.build import build_audiences

        return Audiences(*_told(build_audiences(self), "audiences"))

    def demand(self) -> Demand:
        """The next weeks of each series of the run's log, and what to order.

        Returns pieces a week with intervals of 80 and 95 %. `tables["reorder"]` has what to order.

        Raises UserError for a log of fewer than 16 whole weeks, or without sales, or that is not here.

        Example:
          >>> found = run.demand()
          >>> found.frame["weeks_ahead"].max()
          8
        """
        from trajectory.insights.demand.build import build_demand

        return Demand(*_told(build_demand(self), "demand"))

    def funnel(self) -> Funnel:
        """What becomes of views in the same session, of each item and interest of the run's log.

        Returns shares of the sessions with a view, with intervals of 90 %; rates of few sessions are shrunk towards
        that of the interest, and that of an interest towards that of all. `notes` say how far that held on later
        sessions.

        Raises UserError for a log without views, purchases or times, or that is not here.

        Example:
          >>> found = run.funnel()
          >>> found.frame["level"].unique().sort().to_list()
          ['interest', 'item']
        """
        from trajectory.insights.funnel.build import build_funnel

        return Funnel(*_told(build_funnel(self), "funnel"))

    def write_insights(
        self,
        parts: Sequence[InsightsPart] = (),
        *,
        stock: Log | None = None,
        interests: Sequence[str] = (),
        price: tuple[float, float] | None = None,
        language: Language = "",
    ) -> Path:
        """Writes insights.html, its tables and insights.json into the run's folder.

        Args:
          parts: some of changes, customers, recommend, segments, audiences, demand and funnel, in order; all by
            default. One that the log cannot have is left out, with the reason; one that was made before of the same
            checkpoint stays.
          stock, interests, price: as in `recommend`.
          language: that the page opens in, "en" or "zh"; by default that of the reader's browser.

        Returns the page.

        Raises UserError for an unknown part, where none is left, and as `recommend`.

        Example:
          >>> page = run.write_insights(["segments"])
          >>> page.name
          'insights.html'
        """
        parts = several("parts", parts, '["segments"]')
        one_of("language", language, Language)
        if parts and "recommend" not in parts and not (stock is None and price is None and not interests):
            raise UserError("stock, interests and price are for the part recommend, which is not among parts")
        from trajectory.data.store.sample import with_first_look
        from trajectory.insights.currencies import currency, mixed_currencies
        from trajectory.insights.recommend.eligibility import eligible_items
        from trajectory.insights.registry import PARTS, build_parts
        from trajectory.insights.report import write_insights
        from trajectory.reports.words import clock

        c, histories = self.config, self.experiment.histories
        taken = build_parts(self, parts or PARTS, eligible_items(histories, stock, interests, price))
        warning, note = mixed_currencies(histories, c.data), with_first_look(c.note, histories)
        by_model = f"Forecast interests are {self.interests_are}." if histories.interests and c.heads.item else ""
        about = " ".join(words for words in (clock(histories), currency(histories, c.data), by_model) if words)
        said = {"note": note, "warning": warning, "clock": about}
        page = write_insights(taken, self.workdir, c.name, checkpoint=self.checkpoint, language=language, **said)
        write_card(self.workdir)
        return page

    def migrations(
        self,
        *,
        forecast: bool = True,
        segments: Log | None = None,
        window: float | None = None,
        lasting: float | None = None,
        session_timeout: float = 1800.0,
        false_discovery_rate: float = 0.05,
        permutations: int = 1000,
    ) -> Migrations:
        """Who of the run's users moved from which interest to which, when and how far, against chance.

        A log without interests gets learned ones.

        Args:
          forecast: `tables` also has whose move is to come, where the run can tell; `notes` say where that is not to be
            relied on.
          segments: a table with columns user and segment, by which the page's flows can be filtered; by activity by
            default.
          window: days (steps, where the log has no time) of the grain of seasons; None: 28 days, or 10 steps.
          lasting: days (steps) of behaviour before a migration and after it, at least; None: 28 days, or 10 steps.
          session_timeout: seconds without a step that end a session.
          false_discovery_rate: share of those said to migrate who did not.
          permutations: of each user's sessions.

        Returns the moves, with dates, mass and p-values, and the page (`write_page`).

        Raises UserError for a setting out of range, a log too short for anyone to be tested, or that is not here.

        Example:
          >>> moved = run.migrations(permutations=99, false_discovery_rate=0.5)
          >>> sorted(moved.tables)
          ['flows', 'forecast', 'tested']
        """
        from trajectory.migrations.build import migrations
        from trajectory.migrations.migration import settings_for

        settings = settings_for(
            self.experiment.histories,
            window=window,
            lasting=lasting,
            session_timeout=session_timeout,
            permutations=permutations,
            false_discovery_rate=false_discovery_rate,
        )
        return migrations(self, settings, forecast, segments)

    @property
    def evaluation(self) -> Evaluation:
        """What `evaluate` measured.

        Raises UserError if the run was not evaluated.

        Example:
          >>> run.evaluation.frame.filter(method="model", metric="ndcg@10")["part"].to_list()
          ['validation', 'test']
        """
        from trajectory.evaluation.report import TABLED, evaluation_of, read_evaluation

        return evaluation_of(read_evaluation(self.workdir, *TABLED))

    @property
    def protocol(self) -> dict[str, Any]:
        """What a reader must know to trust or repeat the evaluation.

        Raises UserError if the run was not evaluated.

        Example:
          >>> run.protocol["split"]
          'leave_one_out'
        """
        from trajectory.evaluation.report import read_evaluation

        stored: dict[str, Any] = read_evaluation(self.workdir)["protocol"]
        return stored


@root_logger_kept()
def load_run(workdir: Path | str) -> Run:
    """Opens a run's folder: from what is in it, or, where it was made before runs held all they need, with its log.

    Args:
      workdir: the run's folder, or a copy of it on another machine.

    Returns the run with its best parameters on validation.

    Raises UserError if it is none, is damaged, has no checkpoint, or needs a log that is not here.

    Example:
      >>> tj.load_run("runs/shop").config.model.backbone
      'gru'
    """
    parallel.configure()
    folder = run_folder.place(workdir)
    trained = run_folder.read_trained(folder)
    portable = run_folder.read_portable(folder, trained)
    run = Run(folder, trained.config, *_with_names(portable), trained.step) if portable else _with_log(folder, trained)
    if run.config.heads.interest and run.interest_forecast.by == "head":
        known = run.vocabulary.catalogue
        item_interest = known.item_interest[: known.num_items + 1]
        run = run.with_model(*with_interest_head(run.model, run.params, item_interest))
    with contextlib.suppress(UserError):  # a damaged one is told by what needs it, for evaluate makes it anew
        _ = run.calibration
    return run


def _own_users(users: int | Sequence[str] | None, events: Log | None) -> int | Sequence[str]:
    """Which users of the run's own log are meant: a number, 0 = all, or ids."""
    if users is None:
        return 0
    if events is not None:
        raise UserError(f"users={users!r} are of the run's own log; leave them out, for all users of events are taken")
    return (
        whole_number("users", users, 1) if isinstance(users, Integral) else several("users", users, '["ann", "bob"]', 1)
    )


def _shown(experiment: Experiment) -> Experiment:
    """The experiment with the names that pages and results show."""
    return replace(experiment, histories=readable(experiment.histories, resolve(experiment.config.data)))


def _with_names(portable: run_folder.Portable) -> run_folder.Portable:
    vocabulary = portable.vocabulary
    shown = replace(vocabulary, catalogue=readable(vocabulary.catalogue, vocabulary.settings))
    return portable._replace(vocabulary=shown)


def _told(part: Part, name: str) -> tuple[pl.DataFrame, dict[str, pl.DataFrame], tuple[str, ...]]:
    """A part of the insights as the fields of a result."""
    others = {key.removeprefix(f"{name}_"): table for key, table in part.tables.items() if key != name}
    return part.tables[name], others, part.sentences


def _with_log(workdir: Path, trained: run_folder.Trained) -> Run:
    check_format(trained.data, workdir)
    experiment = build(trained.config)
    check_data(trained.data, experiment.histories, workdir, run_folder.CHANGED)
    return Run.from_experiment(workdir, experiment, trained.params, trained.step)
