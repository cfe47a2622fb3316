"""Every config field once: name, default, meaning with its unit, what is allowed. docs/config.md is made of this."""

from __future__ import annotations

from typing import Any, NamedTuple, get_args

from trajectory.expected import AttributionMethod
from trajectory.schema import EVENT_TYPES
from trajectory.settings.allowed import Allowed, above, at_least, date, one_of, part, share

RECURRENT = ("lstm", "gru")
BACKBONES = (*RECURRENT, "transformer", "hybrid")  # hybrid: a transformer beside a recurrent network twice as wide


class Field(NamedTuple):
    """`allowed`: the values that there are besides those of the default's type; None = all of these."""

    default: Any
    meaning: str
    allowed: Allowed | None = None


class Section:
    """Fields that belong together. A default that is a dict takes keys of any name."""

    def __init__(self, meaning: str, fields: dict[str, tuple[Any, ...]]) -> None:
        self.meaning = meaning
        self.fields = {name: Field(*field) for name, field in fields.items()}


TOP = Section(
    "The run as a whole.",
    {
        "name": ("", "shown in logs, tables and pages"),
        "note": ("", "what a reader of results on this data must be told"),
        "auto_config": (
            "fixed",
            "fixed | auto: sizes, length and epochs from the data (training/auto_config.py)",
            one_of("fixed", "auto"),
        ),
        "by_hand": ((), "fields set by hand, which automatic settings leave alone; written by the program"),
        "seed": (0, "seed of initialisation, dropout and the order of batches", at_least(0)),
    },
)

DATA = Section(
    "Where the log lies and how it is read; docs/raw_logs.md says more.",
    {
        "by_hand": ((), "fields of this section set by hand; written by the program"),
        "later": ((), "fields of this section that came after the run was made; written by the program"),
        "source": ("", "a domain's name, a file or folder, or tfds:NAME"),
        "format": ("auto", 'public raw layout (docs/formats.md); auto: known by its shape; "" = none'),
        "header": ((), "column names of a file without a header line; () = the first line names them"),
        "separator": ("", 'between the cells of a line; "" = detected'),
        "encoding": ("", 'of a text file; "" = detected'),
        "missing": (
            (),
            'words that mean "missing", beside the built-in NA, NULL, None, nan, N/A, \\N, - ... '
            '(data/ingest/cells/missing.py); numbers among them ("-1") do so in ids only; "!NA": the built-in NA is a '
            "word like any other",
        ),
        "service_lines": (
            (),
            "ids or titles of what is no goods, beside the built-in POSTAGE, DISCOUNT ... "
            '(data/ingest/sales/service_lines.py): their sales are of the type service_line; "!POSTAGE": it is goods; '
            '"-": all lines are',
        ),
        "fold_case": (False, "True: ids of users and items that differ only by case or leading zeros are the same"),
        "day_first": (
            "auto",
            "is 03/04/2024 the 3rd of April: auto (decided by the whole column) | yes | no",
            one_of("auto", "yes", "no"),
        ),
        "value_of": (
            "auto",
            "a row's value is of one piece or of the whole row: auto (as the rows tell) | unit | row",
            one_of("auto", "unit", "row"),
        ),
        "discount_of": (
            "auto",
            "columns.discount is of one piece, of the whole row, or a share of its value (of 1, or of 100 if some are "
            "above 1): auto (as the rows tell) | unit | row | share",
            one_of("auto", "unit", "row", "share"),
        ),
        "sign_of_sales": (
            "auto",
            "quantity and value of what is sold: auto (turned where a word's are below 0 in nearly all rows) | plus | "
            "minus",
            one_of("auto", "plus", "minus"),
        ),
        "decimal": ("auto", "decimal mark of amounts: auto | . | ,", one_of("auto", ".", ",")),
        "tfds_dir": ("", 'folder of TFDS data sets; "" = TFDS\' own default'),
        "prepared_dir": ("prepared", "folder of cleaned histories, by name and fingerprint"),
        "interest_column": ("category", 'item column whose values are the interests; "" = none'),
        "labels": (
            "",
            "CSV with columns name and label, of items, interests or words of these, or one of configs/labels by its "
            "name: how pages and results call them; ids and what the model reads stay as they are",
        ),
        "name_case": (
            "auto",
            "where nearly all names of items or interests are in capitals: auto (pages and results tell them in small "
            "letters) | as_is",
            one_of("auto", "as_is"),
        ),
        "item_column": ("", 'item-table column to work on instead of the item id, such as "title" (product types)'),
        "features": ((), "numeric columns of the log that are features of an event"),
        "time_unit": (
            "auto",
            "auto | s | ms | us | ns | text | datetime | excel (days of a spreadsheet) | days (since 1970)",
            one_of("auto", "s", "ms", "us", "ns", "text", "datetime", "excel", "days"),
        ),
        "time_zone": (
            "auto",
            "by whose clock times are read: auto (that by which a column of days turns, else UTC) | a zone | "
            "UTC>ZONE (of times of UTC that do not say so)",
        ),
        "order": (
            "auto",
            "order of a user's events: auto (the domain's, else time, and position where times are equal) | time "
            "(equal times in random order) | position | file",
            one_of("auto", "time", "position", "file"),
        ),
        "baskets": (False, "True: events of one user at one time (or basket id) are one unordered step"),
        "event_type_map": (
            {},
            'word of the log -> type of event, beside the built-in words; key "" = rows that state none',
        ),
        "continued_lines": (
            "auto",
            "rows that state an item, and neither user, order nor time, are further lines of the order above: auto "
            "(where that is sure) | fill | keep",
            one_of("auto", "fill", "keep"),
        ),
        "status_map": ({}, "word of an order's status -> sale | no_sale, beside the built-in words"),
        "no_sale_flags": (
            (),
            "columns of yes or no whose yes means no sale, beside the built-in voided, cancelled, is_return ... "
            '(data/ingest/sales/no_sale_flags.py); "!voided": it does not mean that; "-": no column does',
        ),
        "event_types": (
            {event_type: ",".join(roles) for event_type, roles in EVENT_TYPES.items()},
            "type of event -> its roles, some of input, target, sale, negative, with commas: "
            "--config.data.event_types.favorite=input,target,sale; a further type is declared by its roles: "
            "--config.data.event_types=\"{'gift': 'input,target,sale'}\"",
        ),
        "target_types": (
            (),
            "types of event that are predicted, such as (purchase,); all others are only read; () = all that are read",
        ),
        "rating_threshold": (0.0, "> 0: a rating below it is of the type low_rating", at_least(0)),
        "duplicates": (
            "auto",
            "equal rows: drop | keep | count (one event of that quantity) | auto: drop where a column states "
            "quantities, else count where rows are lines of baskets or times are whole days, else drop",
            one_of("auto", "drop", "keep", "count"),
        ),
        "seed": (0, "seed of the random order of equal times", at_least(0)),
        "single_user": ("", 'id of the only user of a log without a user column; "" = a user column is needed'),
    },
)

COLUMNS = Section(
    'Names of columns in the source. "a+b": of an item both texts, of a time date and clock; "" = detected from common '
    'names; "-" = there is none.',
    {
        "user": ("", "who"),
        "item": ("", "what the event is about"),
        "time": ("", "when"),
        "zone": ("", "zone of each time: an offset from UTC or a name; never detected, asked about"),
        "position": ("", "place in the user's order, or the session's clock"),
        "event_type": ("", "type of event: view, cart, purchase ..."),
        "value": ("", "amount of money"),
        "quantity": ("", "pieces"),
        "rating": ("", "rating of the item by the user"),
        "basket": ("", "id of the basket or order"),
        "label": ("", "0 / 1: did the user convert"),
        "behaviour": ("", "text of what was done and with which item, for a log without an item column"),
        "status": ("", "status of an order, such as cancelled"),
        "returned": ("", "pieces of the sale that came back"),
        "discount": (
            "",
            "to be taken off the value of each row (data.discount_of); never detected, asked about",
        ),
    },
)

CLEANING = Section(
    "Limits; rows beyond them are set aside and counted.",
    {
        "min_date": ("1990-01-01", "earlier times are impossible", date()),
        "max_date": ("now", "later times are impossible", date("now")),
        "max_events_per_minute": (0, "events of one user; above it the user is a bot (0 = off)", at_least(0)),
        "max_events_per_day": (0, "events of one user; above it the user is a bot (0 = off)", at_least(0)),
        "min_user_events": (1, "events of a user at least (k-core, iterated with min_item_events)", at_least(1)),
        "min_item_events": (1, "events of an item at least", at_least(1)),
    },
)

SOURCES = Section(
    "Several domains at once, to pretrain on (preset `pretrain`).",
    {
        "names": ((), "names of domains; () = data.source alone"),
        "weights": (
            (),
            "share of the batches of each; () = by the domain's training events to the power `power`",
            above(0),
        ),
        "power": (0.5, "1 = in proportion to events, 0 = all domains alike", at_least(0)),
    },
)

SPLIT = Section(
    "What is held out for validation and test.",
    {
        "kind": (
            "leave_one_out",
            "leave_one_out | leave_last | temporal",
            one_of("leave_one_out", "leave_last", "temporal"),
        ),
        "steps": (10, "leave_last: last steps held out (the same number again for validation)", at_least(1)),
        "forecast_origin": (
            0,
            "leave_last: steps skipped at the end, as if not yet observed, to test at an earlier origin",
            at_least(0),
        ),
        "most_events": (0, "a first look: users are drawn until they have so many events (0 = all)", at_least(0)),
        "train_users": (1.0, "share of the users that train and validate; all are tested", part(whole=True)),
        "cut": ("", 'temporal: ISO date of the test cut; "" = by quantile', date("")),
        "quantile": (
            0.9,
            "temporal: share of events before the test cut; validation is cut from the rest alike",
            part(),
        ),
        "target": (
            "last",
            "temporal: which events of a user after the cut are targets: first | last | all (of a "
            "user as one set) | auto (all where heads.horizon > 1, else last)",
            one_of("first", "last", "all", "auto"),
        ),
    },
)

BATCH = Section(
    "Batches of packed histories.",
    {
        "rows": (32, "packed rows of a batch, over all devices", at_least(1)),
        "length": (64, "events of a row", at_least(1)),
        "targets": (64, "target slots of a row (= length unless steps are baskets)", at_least(1)),
        "after": (
            "auto",
            "training predicts after each step | session (the last step of each); auto: session where types of event "
            "are only read and split.target=all asks for all that a window brings, else step",
            one_of("auto", "step", "session"),
        ),
        "target_items": (
            1,
            "items of one target step that are trained on (> 1 only where steps are baskets)",
            at_least(1),
        ),
        "basket_power": (
            1.0,
            "a basket of m lines weighs m ** (1 - power): 1 = every basket alike, 0 = every line alike",
            share(whole=True),
        ),
        "max_batches": (0, "batches of an epoch, drawn anew in each (0 = all there are)", at_least(0)),
        "position_offset": (True, "random offset of the positions of each window, within batch.length"),
    },
)

MODEL = Section(
    "The sequence model.",
    {
        "backbone": (
            "transformer",
            "lstm | gru | transformer | hybrid (a transformer beside a recurrent network)",
            one_of(*BACKBONES),
        ),
        "width": (64, "width of item vectors", at_least(1)),
        "layers": ((64, 64), "width of each layer (all equal for a transformer)", at_least(1, filled=True)),
        "attention_heads": (2, "transformer: attention heads", at_least(1)),
        "cell": ("gru", "hybrid: gru | lstm, the recurrent network beside the transformer", one_of(*RECURRENT)),
        "dropout": (0.2, "share dropped after the embedding and after each layer", share()),
        "event_dropout": (0.0, "share of events whose item training leaves out of their vectors", share()),
        "inputs": (
            ("item", "event_type", "gap", "calendar"),
            'what an event is embedded from; also "features" of the log, "counts" of each type of event so far',
        ),
        "temperature": (0.0, "> 0: the softmax is over cosines divided by this; 0 = over dot products", at_least(0)),
        "positions": (True, "transformer: learned positions"),
        "repeat": (False, "repeat head: a share of the next-step probability points at the user's own past items"),
        "repeat_heads": (4, "repeat head: attention heads", at_least(1)),
    },
)

CONTENT = Section(
    "What is known of items beside which is which: texts, codes, vectors.",
    {
        "by": (
            "ids",
            "what an item's vector is made from: ids | content | content+ids | prior+ids (prior: frozen content only)",
            one_of("ids", "content", "content+ids", "prior+ids"),
        ),
        "text": (("title", "category", "brand"), "columns whose words a pretrained encoder reads (extra `text`)"),
        "codes": (("category", "brand", "price"), "columns with a vector a word (a bucket of price)"),
        "files": (
            {},
            'further fields, such as images: name -> Parquet file of item and vector; "text": of another encoder',
        ),
        "frozen": (
            384,
            "frozen content features, numbers of an item that no learning changes: what is like the last events, or "
            "popular, is likely from the start (0 = none)",
            at_least(0),
        ),
        "sharpness": (
            10.0,
            "content prior at the start: factor of the cosines of frozen content (sweeps/prior.py)",
            above(0),
        ),
        "popularity": (0.6, "content prior at the start: power of an item's events", at_least(0)),
        "neighbour_shrinkage": (
            20.0,
            "content prior: co-occurrences of an item by which others tell as much of it as its own content",
            at_least(0),
        ),
        "counted": (
            "training",
            "whose events say what co-occurs with an item and how popular it is: training | others (users who do not "
            "train, split.train_users < 1, so that nothing is learned of an event that has been counted)",
            one_of("training", "others"),
        ),
        "field_dropout": (0.1, "share of known fields that training hides", share()),
    },
)

HEADS = Section(
    "Weight of each head's loss; 0 = no such head.",
    {
        "item": (1.0, "the next item", at_least(0)),
        "interest": (0.0, "the next interest", at_least(0)),
        "conversion": (0.0, "whether the user converts (section conversion)", at_least(0)),
        "time": (0.0, "time until the step", at_least(0)),
        "reconstruct": (
            0.0,
            "the items of a window from its last state, those hidden by model.event_dropout too",
            at_least(0),
        ),
        "contrast": (
            0.0,
            "two looks at a window, differently dropped out, are nearer than those at others",
            at_least(0),
        ),
        "horizon": (
            1,
            "steps that heads forecast directly: each training target is one of the next so many steps",
            at_least(1),
        ),
    },
)

CONVERSION = Section(
    "What the conversion head predicts.",
    {
        "event_type": ("purchase", "type of event that converts (this section is ignored where the log has labels)"),
        "unit": (
            "user",
            "user (does one follow an event within the horizon) | session (at a later moment of the event's session) | "
            "cart (asked at events of the type cart alone: is this item bought within the horizon)",
            one_of("user", "session", "cart"),
        ),
        "horizon_days": (1.0, "days within which one has to follow", at_least(0)),
        "horizon_events": (0, "> 0: within this many next events instead", at_least(0)),
        "session_minutes": (
            30.0,
            "minutes without an event that end a session; stated sessions are not kept",
            at_least(0),
        ),
    },
)

OPTIM = Section(
    "The optimiser, AdamW.",
    {
        "learning_rate": (1e-3, "peak learning rate", at_least(0)),
        "warmup_steps": (
            100,
            "steps until the peak, linearly; set by hand or at most a fifth of training",
            at_least(0),
        ),
        "schedule": (
            "constant",
            "after it: constant | cosine (down to 0 at the last epoch)",
            one_of("constant", "cosine"),
        ),
        "weight_decay": (0.0, "on matrices only", at_least(0)),
        "clip_norm": (1.0, "largest norm of the whole gradient (0 = off)", at_least(0)),
        "b2": (0.98, "decay of the second moment", share()),
        "average": (
            0.0,
            "> 0: decay a step of the moving average of the parameters that is evaluated and kept",
            share(),
        ),
    },
)

TRAIN = Section(
    "The training loop.",
    {
        "epochs": (20, "epochs at most", at_least(0)),
        "min_steps": (
            0,
            "steps at least: train.epochs, where not set by hand, is raised for them, up to 20",
            at_least(0),
        ),
        "patience_epochs": (5, "epochs without a better validation metric before training ends", at_least(0)),
        "monitor": ("ndcg@10", "validation metric that chooses the checkpoint"),
        "eval_users": (0, "validation users looked at during training (0 = all)", at_least(0)),
        "save_every_steps": (0, "steps between saves, beside the save after each epoch (0 = off)", at_least(0)),
        "negatives": (
            0,
            "items drawn a step (and device) for the softmax, with logQ correction, half as often as training predicts "
            "them (data.target_types: as they are purchased, not viewed), half alike (0 = the whole catalogue)",
            at_least(0),
        ),
        "smoothing": (
            0.0,
            "share of each target's probability that is spread over all items (label smoothing)",
            share(),
        ),
        "pseudospherical_order": (
            0.0,
            "> 0: a target counts by its probability to this power, the pseudospherical loss (training/losses.py); 0 = "
            "cross-entropy",
            share(),
        ),
        "matmul_precision": (
            "float32",
            "float32 | bfloat16: factors of matrix products on accelerators",
            one_of("float32", "bfloat16"),
        ),
        "strategy": ("pmap", "pmap | jit (a mesh)", one_of("pmap", "jit")),
        "devices": (0, "devices of each process used (0 = all; on a CPU one virtual device a core)", at_least(0)),
        "shard_items": (False, "jit: each device trains its share of the item table, for one too large for a device"),
    },
)

DISTIL = Section(
    "Finished runs on the same data teach this one (training/distillation.py).",
    {
        "teachers": ("", "their run folders, with commas between them"),
        "share": (
            0.5,
            "share of each target's weight that goes to the items that they hold most likely",
            part(whole=True),
        ),
        "top_k": (32, "how many items that is after each event", at_least(1)),
    },
)

INIT = Section(
    "Where parameters begin, in this order: the run's own folder, resume_from, init_from, scratch.",
    {
        "item_vectors": (
            "random",
            "from scratch: random | co_occurrence | co_occurrence+content (training/item_init.py)",
            one_of("random", "co_occurrence", "co_occurrence+content"),
        ),
        "resume_from": ("", "folder of another run of the same model, whose whole state is taken over"),
        "init_from": ("", "folder of another run, whose parameters of the same name and shape are taken over"),
        "rules": (
            (),
            "(pattern of names, action[, number]): what of init_from is skipped, frozen or learns slowly",
        ),
    },
)

EVALUATION = Section(
    "How runs are measured.",
    {
        "cutoffs": ((1, 5, 10, 20), "lengths of the lists that metrics are of", at_least(1, filled=True)),
        "seen": (
            "filter",
            "items of the history: filter | keep as candidates | auto (keep where repeats are usual)",
            one_of("filter", "keep", "auto"),
        ),
        "batch": (256, "users scored at once", at_least(1)),
        "bootstrap": (500, "resamples for the standard error over users", at_least(0)),
        "recent_days": (28.0, 'days of the baseline "recent popularity"', above(0)),
        "decay": (0.9, 'decay a step of the baseline "decayed personal frequency"', part(whole=True)),
    },
)

FORECAST = Section(
    "Forecasts of several steps.",
    {
        "steps": (5, "steps forecast; where it is not set by hand, heads.horizon if that is more than 1", at_least(1)),
        "days": (0.0, "> 0: also what comes within so many days, by runs with a time head", at_least(0)),
        "paths": (200, "sampled paths of a user", at_least(1)),
        "beams": (5, "most likely paths of a user that are kept", at_least(1)),
        "particles": (20, "drawn item paths that stand for a path of interests, or of baskets", at_least(1)),
        "users": (200, "users forecast by the quickstart's page (0 = all)", at_least(0)),
    },
)

EXPLAIN = Section(
    "Attributions: which past events drove a forecast.",
    {
        "method": (
            "integrated_gradients",
            f"one of {', '.join(get_args(AttributionMethod))}",
            one_of(*get_args(AttributionMethod)),
        ),
        "reference": (
            "mean",
            "mean | masked | padding: what events are compared with (explain/references.py)",
            one_of("mean", "masked", "padding"),
        ),
        "completeness_error": (
            0.01,
            "integrated gradients take more points where their sum misses the forecast by more than this, relative",
            above(0),
        ),
        "samples": (64, "draws of methods that draw: noisy inputs, references, or combinations of events", at_least(1)),
        "background": (256, "histories that say what an average event is, and what is expected", at_least(1)),
        "users": (50, "users explained", at_least(0)),
        "monitored": (
            0,
            "validation users whose attributions are logged after each epoch, such as 64 (0 = off)",
            at_least(0),
        ),
    },
)

LOGGING = Section(
    "Where training's metrics go beside metrics.jsonl.",
    {
        "wandb": (True, "to Weights & Biases, offline unless logged in"),
        "wandb_project": ("interest-trajectory", "project there"),
        "group": ("", "group there; a sweep names it after its folder"),
        "tensorboard": (True, "to TensorBoard"),
        "every_steps": (50, "steps between two records", at_least(1)),
    },
)

SECTIONS = {
    "": TOP,
    "data": DATA,
    "data.columns": COLUMNS,
    "data.cleaning": CLEANING,
    "sources": SOURCES,
    "split": SPLIT,
    "batch": BATCH,
    "model": MODEL,
    "content": CONTENT,
    "heads": HEADS,
    "conversion": CONVERSION,
    "optim": OPTIM,
    "train": TRAIN,
    "distil": DISTIL,
    "init": INIT,
    "evaluation": EVALUATION,
    "forecast": FORECAST,
    "explain": EXPLAIN,
    "logging": LOGGING,
}
