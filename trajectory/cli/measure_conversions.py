"""Measures whether purchases follow, by unit and backbone, beside boosting on counts and recency.

trajectory measure-conversions --config=taobao_behavior --out=runs/conversions

Trains each backbone with each seed for each unit (what is trained already is kept), looks at test once and prints a
Markdown table. Of a made-up shop (`trajectory synthesize --shop --out=prepared/shop`) also the best that is possible:
--config.data.source=prepared/shop --shop=prepared/shop

Of a log of your own: --config=taobao_behavior --config.data.source=LOG. A preset needs the argument unit, as
the inputs that help differ by it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import flags

from trajectory.cli.command import define_fields
from trajectory.settings.allowed import at_least, one_of
from trajectory.settings.fields import BACKBONES
from trajectory.settings.typed_flags import numbers, words
from trajectory.training import parallel

if TYPE_CHECKING:
    from trajectory.run import Run

CONFIG = flags.DEFINE_string("config", "taobao_behavior", "preset with the arguments model and unit")
OUT = flags.DEFINE_string("out", None, "folder of the runs, conversions.json and conversions.md")
UNIT = ("user", "session", "cart")
UNITS = words("units", UNIT, "values of conversion.unit", one_of(*UNIT))
MODELS = words("backbones", ["gru", "lstm", "transformer"], "backbones", one_of(*BACKBONES))
SEEDS = numbers("seeds", [0, 1, 2], "seeds", at_least(0))
SHOP = flags.DEFINE_string("shop", None, "folder of the made-up shop that the log is of")
FIELDS = define_fields("field of all runs, such as --config.train.epochs=4")
flags.mark_flags_as_required(["out"])


def main() -> None:
    """Trains what is missing, measures, prints and writes."""
    parallel.start()
    from trajectory.api import train
    from trajectory.evaluation.conversion_table import markdown, rows_of_unit
    from trajectory.settings.flags import read
    from trajectory.tuning.sweep import with_argument
    from trajectory.writing import write_json, write_text

    out = Path(OUT.value)
    rows: list[dict[str, Any]] = []

    def trained(unit: str, backbone: str, seed: int) -> Run:
        config = with_argument(CONFIG.value, f"model={backbone},unit={unit}")
        fields = (f"--config.{text}" for text in (*FIELDS.value, f"seed={seed}"))
        return train(read([f"--config={config}", *fields]), out / f"{unit}_{backbone}_{seed}")

    for unit in UNITS.value:
        runs = {name: [trained(unit, name, seed) for seed in SEEDS.value] for name in MODELS.value}
        rows += rows_of_unit(runs, Path(SHOP.value) if SHOP.value else None)
        write_json(rows, out / "conversions.json")
        write_text(markdown(rows) + "\n", out / "conversions.md")
    print(markdown(rows))
