"""Every field once, with its unit and meaning; `parse_arg` reads the argument string behind the colon of --config."""

from __future__ import annotations

import difflib
from typing import Any

from ml_collections import ConfigDict

from configs.by_hand import fill
from trajectory.schema import EVENT_TYPES, UserError

RECURRENT = ("lstm", "gru")
BACKBONES = (*RECURRENT, "transformer", "hybrid")  # hybrid: a transformer beside a recurrent network twice as wide


def parse_arg(arg: str, **defaults: Any) -> ConfigDict:
    """Reads "model=gru,tiny" into the types of `defaults`; a bare name means True. Raises UserError on anything else.

    Every config takes `model` (one of BACKBONES) and `tiny` (a first look at few users: `shrink`).
    """
    values: dict[str, Any] = {"model": "transformer", "tiny": False, **defaults}
    for part in filter(None, (arg or "").split(",")):
        key, _, text = part.partition("=")
        if key not in values:
            near = difflib.get_close_matches(key, values, 1, 0.0)[0]
            raise UserError(f"unknown config argument {key!r}; did you mean {near!r}? It takes: {', '.join(values)}")
        values[key] = _typed(key, text if "=" in part else "true", values[key])
    if values["model"] not in BACKBONES:
        raise UserError(f"model={values['model']} is unknown; expected one of {', '.join(BACKBONES)}")
    return ConfigDict(values)


def _typed(key: str, text: str, default: Any) -> Any:
    kind = type(default)
    try:
        if kind is bool:
            return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
        return kind(text)
    except (KeyError, ValueError):
        raise UserError(f"config argument {key}={text!r}: expected a {kind.__name__}, like {default!r}") from None


def base(model: str = "transformer") -> ConfigDict:
    """The common settings; a config file changes what its domain needs."""
    c = ConfigDict()
    c.name = ""  # shown in logs, tables and pages
    c.note = ""  # what a reader of results on this data must be told
    c.recipe = "fixed"  # fixed | auto: sizes, length and epochs from the data (trajectory/training/auto_config.py)
    c.by_hand = ()  # fields set by hand, which automatic settings leave alone (configs/by_hand.py)
    c.seed = 0  # of initialisation, dropout, order of batches

    d = c.data = ConfigDict()
    d.by_hand = ()  # those of this section
    d.source = ""  # a domain's name, a file or folder, or "tfds:<name>"
    d.format = "auto"  # a public raw layout (trajectory/data/formats), auto: known by its shape, or "" = none
    d.header = ()  # names of the columns of a file without a header line; () = the first line names them
    d.separator = ""  # between the cells of a line; "" = detected
    d.encoding = ""  # of a text file; "" = detected
    # Words that mean "missing", beside the built-in NA, NULL, None, nan, N/A, \\N, - ... (data/ingest/missing.py);
    # numbers among them ("-1") do so in ids only; "!NA": the built-in NA is a word like any other.
    d.missing = ()
    d.fold_case = False  # True: ids of users and items that differ by upper and lower case only are the same
    d.day_first = "auto"  # 03/04/2024 is the 3rd of April: auto (decided by the whole column) | yes | no
    d.value_of = "auto"  # a row's value is of one piece or of the row: auto (as the rows tell) | unit | row
    d.decimal = "auto"  # auto | . | , : the decimal mark of amounts
    d.tfds_dir = ""  # where TFDS data sets lie ("" = TFDS' own default)
    d.prepared_dir = "prepared"  # cleaned histories are kept here, by name and fingerprint
    d.interest_column = "category"  # item column whose values are the interests ("" = none)
    d.item_column = ""  # item-table column to work on instead of the item id (e.g. "title": product types)
    # Names in the source ("a+b": of an item both texts, of a time date and clock); "" = detected from common names,
    # "-" = there is none.
    d.columns = ConfigDict()
    for column in (
        *("user", "item", "time", "position", "kind", "value", "quantity", "rating"),
        *("basket", "label", "behaviour", "status"),
    ):
        d.columns[column] = ""
    d.features = ()  # numeric columns of the log to feed as features of an event
    d.time_unit = "auto"  # auto | s | ms | us | ns | text | datetime | excel (days of a spreadsheet)
    # auto: the domain's, else time, and position where times are equal | time (equal times in random order) |
    # position | file
    d.order = "auto"
    d.baskets = False  # True: events of one user at one time (or basket id) are one unordered step
    # Word of the log -> type of event, beside the built-in words; "" = rows that state none.
    d.kind_map = ConfigDict({}, convert_dict=False)
    # Type of event -> its roles, some of input, target, sale, negative, with commas (schema.EVENT_TYPES says what they
    # mean): --config.data.event_types.favorite=input,target,sale; a further type is declared by its roles:
    # --config.data.event_types="{'gift': 'input,target,sale'}".
    d.event_types = ConfigDict({kind: ",".join(roles) for kind, roles in EVENT_TYPES.items()}, convert_dict=False)
    d.rating_threshold = 0.0  # > 0: a rating below it is of the type low_rating
    # Equal rows: drop | keep | count (one event of that quantity) | auto: drop where a column states quantities, else
    # count where rows are lines of baskets or times are whole days, else drop.
    d.duplicates = "auto"
    d.seed = 0  # of the random order of equal times
    d.single_user = ""  # id given to the only user of a log that has no user column ("" = a user column is needed)

    p = c.sources = ConfigDict()  # several domains at once, to pretrain on (configs/pretrain.py)
    p.names = ()  # of domains; () = data.source alone
    p.weights = ()  # share of the batches of each; () = by the domain's training events to the power `power`
    p.power = 0.5

    k = d.cleaning = ConfigDict()
    k.min_date = "1990-01-01"  # earlier times are impossible
    k.max_date = "now"  # later times are impossible
    k.max_events_per_minute = 0  # of one user; above it the user is a bot (0 = off)
    k.max_events_per_day = 0  # (0 = off)
    k.min_user_events = 1  # k-core, iterated with min_item_events
    k.min_item_events = 1

    s = c.split = ConfigDict()
    s.kind = "leave_one_out"  # leave_one_out | leave_last | temporal
    s.steps = 10  # leave_last: how many last steps are held out (the same number again for validation)
    s.left_out = 0  # leave_last: last steps that are as if they had not come yet, to test at an earlier origin
    s.most_events = 0  # a first look: of users drawn until they have so many events (0 = all)
    s.train_users = 1.0  # share of the users that train and validate; all are tested
    s.cut = ""  # temporal: ISO date of the test cut; "" = by quantile
    s.quantile = 0.9  # temporal: share of events before the test cut; validation is cut from the rest alike
    # temporal: first | last | all events of a user after the cut are asked for; auto: all where heads.horizon > 1,
    # else last
    s.target = "last"

    b = c.batch = ConfigDict()
    b.rows = 32  # packed rows of a batch, over all devices
    b.length = 64  # events of a row
    b.targets = 64  # target slots of a row (= length unless steps are baskets)
    b.target_items = 1  # items of one target step that are trained on (> 1 only where steps are baskets)
    b.basket_power = 1.0  # a basket of m lines weighs m ** (1 - power): 1 = every basket alike, 0 = every line alike
    b.most = 0  # batches of an epoch, drawn anew in each (0 = all there are)
    b.position_offset = True  # random offset of the positions of each window, within batch.length

    m = c.model = ConfigDict()
    m.backbone = model
    m.width = 64  # of item vectors
    m.layers = (64, 64)  # width of each layer (all equal for a transformer)
    m.heads = 2  # of a transformer
    m.cell = "gru"  # hybrid: of the recurrent network beside the transformer, gru | lstm
    m.dropout = 0.2  # after the embedding and after each layer
    m.event_dropout = 0.0  # share of events whose item training leaves out of their vectors
    m.inputs = (
        "item",
        "kind",
        "gap",
        "calendar",
    )  # what an event is embedded from; also "features" of the log, "counts" of each kind so far
    m.temperature = 0.0  # > 0: the softmax is over cosines divided by this; 0 = over dot products
    m.positions = True  # transformer: learned positions
    m.repeat = False  # repeat head: a share of the next-step probability points at the user's own past items
    m.repeat_heads = 4

    i = c.content = ConfigDict()  # what is known of items beside which is which
    i.by = (
        "ids"  # ids | content | content+ids | prior+ids: what an item's vector is made from (prior: only what is kept)
    )
    i.text = ("title", "category", "brand")  # columns whose words a pretrained encoder reads (extra `text`)
    i.codes = ("category", "brand", "price")  # columns with a vector a word (a bucket of price)
    # Further fields, such as images: name -> Parquet file of item and vector; "text": of another encoder.
    i.files = ConfigDict({}, convert_dict=False)
    # Numbers of it that no learning changes: what is like the last events, or popular, is likely from the start.
    i.kept = 384  # 0 = none
    # What the prior (trajectory/models/content_prior.py) begins with; configs/sweeps/prior.py tells what suits a log.
    i.sharpness = 10.0  # by which cosines of what is kept are multiplied
    i.popularity = 0.6  # power of an item's events
    i.beside = 20.0  # co-occurrences of an item by which others tell as much of it as its own content
    # Whose events tell what lies beside an item and how popular it is: training's, or those of users who do not train
    # (split.train_users < 1), so that nothing is learned of an event that has been counted.
    i.counted = "training"  # training | others
    i.field_dropout = 0.1  # share of known fields that training hides

    h = c.heads = ConfigDict()  # weight of each head's loss; 0 = no such head
    h.item = 1.0
    h.interest = 0.0
    h.conversion = 0.0
    h.time = 0.0  # time until the step
    h.reconstruct = 0.0  # the items of a window from its last state, those hidden by model.event_dropout too
    h.contrast = 0.0  # two looks at a window, differently dropped out, are nearer than those at others
    h.horizon = 1  # steps ahead that heads foretell directly: each training target is one of the next so many steps
    v = c.conversion = ConfigDict()
    v.kind = "purchase"  # the kind that converts (ignored where the log has labels)
    v.horizon_days = 1.0  # does one follow within this time
    v.horizon_events = 0  # > 0: within this many next events instead

    o = c.optim = ConfigDict()
    o.learning_rate = 1e-3  # peak
    o.warmup_steps = 100
    o.schedule = "constant"  # constant | cosine (down to 0 at the last epoch)
    o.weight_decay = 0.0  # AdamW, on matrices only
    o.clip_norm = 1.0  # of the whole gradient; 0 = off
    o.b2 = 0.98
    o.average = 0.0  # > 0: what is evaluated and kept is a moving average of the parameters, with this decay a step

    t = c.train = ConfigDict()
    t.epochs = 20
    t.patience_epochs = 5  # without a better validation metric
    t.monitor = "ndcg@10"  # validation metric that chooses the checkpoint
    t.eval_users = 0  # validation users looked at during training (0 = all)
    t.save_every_steps = 0  # beside the save after each epoch (0 = off)
    t.negatives = 0  # items drawn a step (and device) for the softmax, with logQ correction; 0 = the whole catalogue
    t.smoothing = 0.0  # share of each target's probability that is spread over all items (label smoothing)
    t.power = 0.0  # > 0: a target counts by its probability to this power; 0 = cross-entropy (training/losses.py)
    t.products = "float32"  # bfloat16: factors of matrix products on accelerators; all else stays float32
    t.strategy = "pmap"  # pmap | jit (a mesh)
    t.devices = 0  # devices of each process used (0 = all; on a CPU one virtual device a core)
    t.shard_items = False  # jit: each device trains its share of the item table, for one too large to have it whole

    q = c.distil = ConfigDict()  # finished runs on the same data teach this one (trajectory/training/distillation.py)
    q.teachers = ""  # their workdirs, with commas between them
    q.share = 0.5  # of each target's weight that goes to the items that they hold likeliest
    q.likeliest = 32  # how many items that is after each event

    o = c.init = ConfigDict()  # order: own workdir > resume_from > init_from > scratch
    # From scratch: random | co_occurrence | co_occurrence+content (trajectory/training/item_init.py).
    o.item_vectors = "random"
    o.resume_from = ""  # workdir of another run of the same model: its whole state is taken over
    o.init_from = ""  # workdir of another run: parameters of the same name and shape are taken over
    o.rules = ()  # (pattern of names, action[, number]): what of init_from is not taken, learns later or more slowly

    e = c.evaluation = ConfigDict()
    e.cutoffs = (1, 5, 10, 20)
    e.seen = "filter"  # filter | keep: may items of the history be recommended again | auto: where repeats are usual
    e.batch = 256  # users scored at once
    e.bootstrap = 500  # resamples for the spread over users
    e.recent_days = 28.0  # window of the floor "recent popularity"
    e.decay = 0.9  # per step, of the floor "decayed personal frequency"

    f = c.forecast = ConfigDict()
    f.steps = 5  # steps ahead
    f.days = 0.0  # > 0: also what comes within so many days, by runs with a time head
    f.paths = 200  # sampled paths a user
    f.beams = 5  # likeliest paths a user that are kept
    f.particles = 20  # drawn item paths that stand for a path of interests, or of baskets
    f.users = 200  # users forecast by the quickstart page (0 = all)

    x = c.explain = ConfigDict()
    x.method = "integrated_gradients"  # or another of trajectory/explain/methods.py
    x.baseline = "mean"  # mean | masked | padding: what events are compared with (trajectory/explain/references.py)
    x.gap = 0.01  # integrated gradients take more points where sums miss the forecast by more than this, relative
    x.samples = 64  # of methods that draw: noisy inputs, baselines, or combinations of events
    x.background = 256  # histories that say what an average event is, and what is expected
    x.users = 50  # users explained
    x.watched = 0  # validation users whose reasons are logged after each epoch, e.g. 64 (trajectory/explain/monitor.py)

    g = c.logging = ConfigDict()
    g.wandb = True  # offline unless logged in
    g.wandb_project = "interest-trajectory"
    g.group = ""  # W&B group; a sweep names it after its folder
    g.tensorboard = True
    g.every_steps = 50
    return c


def benchmark(
    arg: str,
    source: str,
    rows: int = 32,
    length: int = 64,
    width: int = 256,
    cell: str = "gru",
    dropout: float = 0.5,
    event_dropout: float = 0.1,
    power: float = 0.3,
) -> ConfigDict:
    """The recipe of the published leave-one-out benchmarks, from item ids alone. Arguments: model, tiny."""
    args = parse_arg(arg, model="hybrid")
    c = base(args.model)
    c.name = c.data.source = source
    c.batch.rows, c.batch.length, c.batch.targets = rows, length, length
    c.model.inputs = ("item",)
    c.model.width, c.model.cell, c.model.dropout = width, cell, dropout
    c.model.event_dropout = 0.0 if args.model in RECURRENT else event_dropout  # not tried with these
    c.train.epochs = 15 if args.model in RECURRENT else 12
    learn_from_events(c, power)
    return shrink(c) if args.tiny else c


def learn_from_events(c: ConfigDict, power: float) -> None:
    """Sets what was found best where steps are single events (RESULTS.md): layers of model.width, rate, loss, start."""
    if c.model.backbone in RECURRENT:  # one wide layer learns far more than two narrow ones
        fill(c, {"model.width": 64, "model.dropout": 0.8 * c.model.dropout, "optim.learning_rate": 3e-3})
        fill(c, {"model.layers": (2 * c.model.width,)})
    else:
        fill(c, {"model.layers": (c.model.width,) * 2, "optim.learning_rate": 1.5e-3})
    fill(c, {"optim.schedule": "cosine", "optim.average": 0.995, "train.power": power})
    fill(c, {"train.smoothing": 0.0 if c.train.power or c.model.repeat else 0.1, "init.item_vectors": "co_occurrence"})
    # What is trained is sharper by 1 / (1 - power): cosines / 0.07.
    fill(c, {"model.temperature": 0.07 / (1 - c.train.power)})


def shrink(c: ConfigDict) -> ConfigDict:
    """The `tiny` switch: 50,000 events, small widths, short rows and epochs. Returns the same config, changed."""
    c.name += "_tiny"
    fill(c, {"split.most_events": 50_000, "model.width": 16, "batch.rows": 8, "batch.length": 32})
    fill(
        c,
        {
            "model.layers": (c.model.width,) * len(c.model.layers),
            "batch.targets": min(c.batch.targets, c.batch.length),
            "batch.target_items": min(c.batch.target_items, 4),
            "train.epochs": 2,
            "batch.most": 100,
            "train.eval_users": 200,
            "evaluation.bootstrap": 50,
            "forecast.steps": 2,
            "forecast.paths": 20,
            "forecast.users": 20,
            "forecast.particles": 4,
        },
    )
    return c
