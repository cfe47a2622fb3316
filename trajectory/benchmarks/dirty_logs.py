"""Made-up raw logs in the shapes and dirt of real ones, and whether each is read without a lost row, or refused.

Each is made from a seed: columns and their names, order, separator, quotes, line ends, encoding, kind of file, times,
ids, amounts, missing words, types of event, and dirt (ragged rows, blank lines, repeated rows, cut or flipped bytes,
hostile names). Rows that are kept, folded into another or set aside must be as many as the maker counted itself.
"""

from __future__ import annotations

import bz2
import collections
import csv
import gzip
import io
import json
import lzma
import random
import re
import shutil
import tempfile
import time
import traceback
import zipfile
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

NAMES = {
    "user": [
        "user_id",
        "uid",
        "customer_id",
        "CustomerID",
        "visitorid",
        "Customer ID",
        "用户id",
        "userId",
        "reviewerID",
    ],
    "item": ["item_id", "product_id", "StockCode", "sku", "asin", "itemid", "商品id", "movieId", "article_id"],
    "time": ["timestamp", "event_time", "InvoiceDate", "date", "ts", "created_at", "时间", "eventdate", "t_dat"],
    "event_type": ["event_type", "behavior_type", "event", "action", "行为类型", "type"],
    "value": ["price", "amount", "UnitPrice", "sales_value", "revenue"],
    "quantity": ["quantity", "Quantity", "qty"],
    "category": ["category", "category_id", "category_code", "item_category"],
    "other": ["note", "browser", "country"],
}
WORDS = {
    "plain": ["view", "cart", "purchase", "remove_from_cart"],
    "taobao": ["pv", "cart", "fav", "buy"],
    "chinese": ["浏览", "加购", "购买", "收藏"],
    "odd": ["view", "purchase", "poke", "wiggle"],
    "mixed": ["View", "ADD TO CART", "transaction", "refund", "click"],
}
MISSING = ["", "NA", "NULL", "null", "None", "nan", "\\N", "N/A", "-"]
HOSTILE = ["$x$", "a\x07b", "=1+1", "<script>", "\u202eabc", "x" * 5000, 'say "hi"', "1e300", "-inf", "'", "é", "日本"]


@dataclass
class Made:
    """One input: where it lies, how many rows were written (None where damage makes that unknown), and its traits."""

    path: Path
    rows: int | None
    traits: list[str] = field(default_factory=list)


def make(seed: int, folder: Path) -> Made:
    """Writes the input of this seed."""
    rng = random.Random(seed)
    count = rng.choice([1, 2, 5, 40, 40, 200])
    fields = ["user", "item"] + [f for f in NAMES if f not in ("user", "item") and rng.random() < 0.55]
    rng.shuffle(fields)
    header = [rng.choice(NAMES[name]) for name in fields]
    traits = [f"fields={','.join(header)}"]
    cells = {name: _column(name, count, rng, traits) for name in fields}
    rows = [[cells[name][i] for name in fields] for i in range(count)]
    if rng.random() < 0.2:
        rows += [list(rng.choice(rows)) for _ in range(rng.randint(1, 5))]
        traits.append("repeated rows")
    kind = rng.choice(["csv"] * 8 + ["gz", "bz2", "xz", "zip", "jsonl", "jsonl", "json", "parts", "parquet"])
    traits.append(kind)
    if kind in ("jsonl", "json"):
        content = _json(rows, header, kind, rng)
        path = folder / f"log.{kind}"
        path.write_bytes(content)
        return _damaged(Made(path, len(rows), traits), rng)
    if kind == "parquet":
        return _damaged(_parquet(folder, rows, header, traits, rng), rng)
    text = _text(rows, header, rng, traits)
    content = _encoded(text, rng, traits)
    path = folder / rng.choice(["log.csv", "log.txt", "log.tsv", "events.dat", "a b (1).csv"])
    if kind == "gz":
        path = path.with_name(path.name + ".gz")
        path.write_bytes(gzip.compress(content))
    elif kind == "bz2":
        path = path.with_name(path.name + ".bz2")
        path.write_bytes(bz2.compress(content))
    elif kind == "xz":
        path = path.with_name(path.name + ".xz")
        path.write_bytes(lzma.compress(content))
    elif kind == "zip":
        path = folder / "log.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("log.csv", content)
    elif kind == "parts":
        path = folder / "parts"
        path.mkdir()
        for part in range(3):
            (path / f"part-{part:04}.csv").write_bytes(content)
        return Made(path, 3 * len(rows), traits)
    else:
        path.write_bytes(content)
    return _damaged(Made(path, len(rows), traits), rng)


def _column(name: str, count: int, rng: random.Random, traits: list[str]) -> list[str]:
    missing = rng.choice(MISSING) if rng.random() < 0.3 else None
    style = ""
    if name in ("user", "item"):
        style = rng.choice(["int", "float", "zeros", "text", "hash", "mixed"])
        make = {
            "int": lambda k: str(1000 + k),
            "float": lambda k: f"{1000 + k}.0",
            "zeros": lambda k: f"{k:06}",
            "text": lambda k: f"{name}_{k}",
            "hash": lambda k: f"{zlib.crc32(f'{name}{k}'.encode()):08x}",
            "mixed": lambda k: str(k) if k % 2 else f"{k}.0",
        }[style]
        values = [make(rng.randrange(1 + count // 4)) for _ in range(count)]
    elif name == "time":
        style, values = _times(count, rng)
    elif name == "event_type":
        style = rng.choice(list(WORDS))
        values = [rng.choice(WORDS[style]) for _ in range(count)]
    elif name == "value":
        style = rng.choice(["plain", "dollar", "comma", "thousands", "negative", "huge", "text"])
        form = {
            "plain": "{:.2f}", "dollar": "${:.2f}", "comma": "{:.2f}", "thousands": "{:,.2f}", "negative": "-{:.2f}",
            "huge": "{:.0f}e300", "text": "about {:.0f}",
        }[style]  # fmt: skip
        values = [form.format(rng.random() * 5000) for _ in range(count)]
        values = [v.replace(".", ",") for v in values] if style == "comma" else values
    elif name == "quantity":
        values = [str(rng.choice([1, 1, 1, 2, 6, -1, 0])) for _ in range(count)]
    elif name == "category":
        values = [f"c{rng.randrange(5)}" for _ in range(count)]
    else:
        values = [rng.choice(["", "x", *HOSTILE]) for _ in range(count)]
    if style:
        traits.append(f"{name}:{style}")
    if missing is not None:
        traits.append(f"{name} missing {missing!r}")
        values = [missing if rng.random() < 0.1 else value for value in values]
    if rng.random() < 0.05:
        values[rng.randrange(count)] = rng.choice(HOSTILE)
        traits.append(f"{name} hostile")
    return values


def _times(count: int, rng: random.Random) -> tuple[str, list[str]]:
    start = rng.choice([1.2e9, 1.5e9, 1.7e9])
    moments = [start + rng.random() * 86400 * rng.choice([1, 30, 365]) for _ in range(count)]
    styles = {
        "s": lambda t: str(int(t)),
        "float": lambda t: f"{t:.3f}",
        "ms": lambda t: str(int(t * 1e3)),
        "us": lambda t: str(int(t * 1e6)),
        "iso": lambda t: datetime.fromtimestamp(t, UTC).isoformat(),
        "utc": lambda t: datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        "dmy": lambda t: datetime.fromtimestamp(t, UTC).strftime("%d/%m/%Y %H:%M"),
        "mdy": lambda t: datetime.fromtimestamp(t, UTC).strftime("%m/%d/%Y %I:%M:%S %p"),
        "dots": lambda t: datetime.fromtimestamp(t, UTC).strftime("%d.%m.%Y"),
        "day": lambda t: datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%d"),
        "digits": lambda t: datetime.fromtimestamp(t, UTC).strftime("%Y%m%d%H%M"),
        "name": lambda t: datetime.fromtimestamp(t, UTC).strftime("%d %b %Y %H:%M:%S"),
        "words": lambda t: rng.choice(["yesterday", "soon"]),
        "clock": lambda t: datetime.fromtimestamp(t, UTC).strftime("%H%M"),
    }
    style = rng.choice(list(styles))
    values = [styles[style](t) for t in moments]
    if rng.random() < 0.2:
        values[rng.randrange(count)] = rng.choice(["0000-00-00", "9999-12-31", "-1", "99999999999999999999", "+99:99"])
    return style, values


def _text(rows: list[list[str]], header: list[str], rng: random.Random, traits: list[str]) -> str:
    separator = rng.choice([",", ",", ",", ";", "\t", "|", "^", "::"])
    end = rng.choice(["\n", "\n", "\n", "\r\n", "\r"])
    traits += [f"separator {separator!r}", f"end {end!r}"]
    quoting: Literal[0, 1] = csv.QUOTE_ALL if rng.choice([False, True, False]) else csv.QUOTE_MINIMAL
    trailing = rng.choice(["", "", "", "all", "rows"])
    lines = []
    for number, row in enumerate([header, *rows]):
        if separator == "::":  # has no quoting: what would split a cell is taken out of it
            line = separator.join(re.sub(r"[:\r\n]", " ", cell) for cell in row)
        else:
            out = io.StringIO()
            csv.writer(out, delimiter=separator, quoting=quoting, lineterminator="").writerow(row)
            line = out.getvalue()
        if trailing == "all" or (trailing == "rows" and number):
            line += separator
        lines.append(line)
    if trailing:
        traits.append(f"trailing on {trailing}")
    if rng.random() < 0.15:  # a row with too many cells, which is still a row
        at = rng.randrange(1, len(lines))
        lines[at] += f"{separator}more{separator}and more"
        traits.append("ragged")
    if rng.random() < 0.1:
        lines.insert(rng.randrange(1, len(lines) + 1), "")
        traits.append("blank line")
    if rng.random() < 0.05 and separator != "::":
        lines.insert(0, f"sep={separator}")
        traits.append("sep=")
    if rng.random() < 0.05:
        lines.insert(0, "# exported by a shop")
        traits.append("comment")
    return end.join(lines) + (end if rng.random() < 0.8 else "")


def _encoded(text: str, rng: random.Random, traits: list[str]) -> bytes:
    encoding = rng.choice(["utf-8"] * 5 + ["utf-8-sig", "utf-16", "latin-1", "gb18030"])
    try:
        content = text.encode(encoding)
    except UnicodeEncodeError:
        encoding, content = "utf-8", text.encode()
    traits.append(encoding)
    return content


def _json(rows: list[list[str]], header: list[str], kind: str, rng: random.Random) -> bytes:
    def typed(cell: str) -> Any:
        if rng.random() < 0.02:
            return None
        return int(cell) if re.fullmatch(r"[1-9]\d{0,15}", cell) and rng.random() < 0.9 else cell

    records = [dict(zip(header, map(typed, row), strict=True)) for row in rows]
    if rng.random() < 0.2:
        records = [{"event": record} if rng.random() < 0.02 else record for record in records]
    if kind == "json":
        return json.dumps(records, ensure_ascii=False).encode()
    return ("\n".join(json.dumps(record, ensure_ascii=False) for record in records) + "\n").encode()


def _parquet(folder: Path, rows: list[list[str]], header: list[str], traits: list[str], rng: random.Random) -> Made:
    import polars as pl

    table = pl.DataFrame(rows, schema=dict.fromkeys(header, pl.String), orient="row")
    for name in header:
        if rng.random() < 0.5:
            cast = rng.choice([pl.Float64, pl.Int64, pl.Categorical, pl.Binary])
            try:
                table = table.with_columns(pl.col(name).cast(cast, strict=True))
            except pl.exceptions.PolarsError:
                continue
            traits.append(f"{name} as {cast}")
    path = folder / "log.parquet"
    table.write_parquet(path)
    return Made(path, table.height, traits)


def _damaged(made: Made, rng: random.Random) -> Made:
    if rng.random() < 0.1:
        content = bytearray(made.path.read_bytes())
        if rng.random() < 0.5:
            content = content[: rng.randrange(len(content))]
            made.traits.append("cut")
        else:
            for _ in range(3):
                content[rng.randrange(len(content))] = rng.randrange(256)
            made.traits.append("flipped bytes")
        made.path.write_bytes(content)
        made.rows = None
    return made


def read(made: Made, folder: Path) -> tuple[str, str]:
    """("good" | "refused" | "bad", what happened)."""
    from trajectory.data.store.builder import prepare
    from trajectory.schema import UserError
    from trajectory.settings import base

    data = base().data
    data.source, data.prepared_dir = str(made.path), str(folder / "prepared")
    try:
        histories = prepare(data)
    except UserError as error:
        text = str(error)
        return ("refused", text) if len(text) < 3000 else ("bad", f"a message of {len(text)} characters")
    except Exception:
        return "bad", traceback.format_exc()
    meta = json.loads(next((folder / "prepared").glob("*/*/meta.json")).read_text())
    accounted = accounted_for(histories, meta)
    if made.rows is not None and accounted != made.rows:
        return "bad", f"{made.rows} rows written, {accounted} accounted for"
    return "good", ""


def accounted_for(histories: Any, meta: dict[str, Any]) -> int:
    """Rows in histories, beside them, folded into others and set aside."""
    return histories.num_events + histories.outside.height + meta["folded"] + sum(meta["quarantined"].values())


def judge(inputs: int, first: int, keep: str) -> None:
    """Makes, reads and judges logs, and prints what was bad or refused; bad ones are kept in the folder `keep`."""
    from contextlib import redirect_stdout

    verdicts: collections.Counter[str] = collections.Counter()
    refused: collections.Counter[str] = collections.Counter()
    started = shown = time.monotonic()
    for seed in range(first, first + inputs):
        folder = Path(tempfile.mkdtemp(prefix="fuzz"))
        made = make(seed, folder)
        with redirect_stdout(io.StringIO()):
            verdict, what = read(made, folder)
        verdicts[verdict] += 1
        if verdict == "refused":
            refused[re.sub(r"\S*/\S*|'[^']*'|\d+", "…", what)[:110]] += 1
        if verdict == "bad":
            print(f"seed {seed}: {'; '.join(made.traits)}\n{what}", flush=True)
            if keep:
                Path(keep).mkdir(parents=True, exist_ok=True)
                shutil.copytree(folder, Path(keep) / str(seed), dirs_exist_ok=True)
        shutil.rmtree(folder)
        if time.monotonic() - shown > 2:
            shown = time.monotonic()
            print(f"{seed - first + 1} of {inputs}, {verdicts['bad']} bad", flush=True)
    for sentence, number in refused.most_common():
        print(f"refused {number:>4}  {sentence}")
    print(
        f"{inputs} inputs in {time.monotonic() - started:.0f} s: {verdicts['good']} read, every row accounted "
        f"for, {verdicts['refused']} refused with a sentence, {verdicts['bad']} bad"
    )
