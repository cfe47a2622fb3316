"""Preparation of raw logs of 1 to 100 million rows: seconds, processor seconds and peak memory of each."""

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass

import numpy as np
import polars as pl
import pyarrow.parquet as pq

EVENT_TYPES = ("view", "view", "view", "click", "cart", "purchase")
CHUNK = 5_000_000  # rows that are made at once
BEGIN, SPAN = 1_600_000_000, 40_000_000  # seconds


@dataclass(frozen=True)
class Log:
    """What a made-up log is like. Rows are in the order of time, as a shop writes them."""

    rows: int
    users: int
    items: int = 50_000
    format: str = "parquet"  # or csv
    heaviest: int = 0  # rows of one user, beside those of all
    text: bool = False  # ids are text instead of numbers


LOGS = (
    *(Log(rows, rows // 100) for rows in (1_000_000, 10_000_000, 50_000_000, 100_000_000)),
    Log(20_000_000, 200_000, format="csv"),
    Log(20_000_000, 200_000, text=True),
    Log(10_000_000, 5_000_000),
    Log(4_000_000, 40_000, items=2_000_000),
    Log(2_000_000, 10_000, heaviest=1_000_000),
    Log(100_000_000, 1_000_000, format="csv"),
    Log(100_000_000, 1_000_000, text=True),
)


def preparation() -> None:
    """A table of all logs; each is made and prepared in processes of their own, and a small one before to warm up."""
    print("preparation: rows, users, items, format | wall s | CPU s | peak GiB | rows/s | load")
    measure(Log(100_000, 1000))
    for log in LOGS:
        wall, cpu, peak = measure(log)
        shape = f"{log.rows:11,d}, {log.users:9,d}, {log.items:9,d}, {log.format}"
        shape += ", text ids" * log.text + f", {log.heaviest:,d} of one user" * bool(log.heaviest)
        print(
            f"{shape} | {wall:.0f} | {cpu:.0f} | {peak:.2f} | {log.rows / wall:,.0f} | {os.getloadavg()[0]:.1f}",
            flush=True,
        )


def measure(log: Log) -> tuple[float, float, float]:
    """Seconds, processor seconds and peak GiB of preparing a log that is made for it."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/log.{log.format}"
        _run(f"make(Log(**{asdict(log)}), {path!r})")
        return _run(f"prepare({path!r}, '{folder}/prepared')")


def make(log: Log, path: str) -> None:
    """Writes a log, some rows at a time."""
    rng, writer = np.random.default_rng(0), None
    for first in range(0, log.rows, CHUNK):
        rows = min(CHUNK, log.rows - first)
        user, item = rng.integers(0, log.users, rows), rng.integers(0, log.items, rows)
        user[rng.random(rows) < log.heaviest / log.rows] = 0
        times = BEGIN + (first + np.arange(rows)) * SPAN // log.rows
        event_type = pl.Series(EVENT_TYPES).gather(rng.integers(0, len(EVENT_TYPES), rows))
        price = rng.integers(1, 10_000, rows) / 100
        table = pl.DataFrame(
            {"user_id": user, "item_id": item, "timestamp": times, "event_type": event_type, "price": price}
        )
        if log.text:
            table = table.with_columns(pl.format("{}-{}", pl.lit(name), name).alias(name) for name in table.columns[:2])
        if log.format == "csv":
            with open(path, "ab") as file:
                table.write_csv(file, include_header=not first)
            continue
        arrow = table.to_arrow()
        writer = writer or pq.ParquetWriter(path, arrow.schema)
        writer.write_table(arrow)
    if writer:
        writer.close()


def prepare(path: str, folder: str) -> None:
    """Prepares a log as a training does."""
    from trajectory.data.store import builder
    from trajectory.presets.own_log import get_config

    data = get_config(f"path={path}").data
    data.prepared_dir = folder
    builder.prepare(data)


def _run(call: str) -> tuple[float, float, float]:
    """Runs a function of this file in a process of its own."""
    code = f"from trajectory.benchmarks.preparation import *; {call}"
    began = time.perf_counter()
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, call)
    return time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20
