"""Writes a log with planted migrations and causes, or a whole shop, and its truth.

trajectory synthesize --users=2000

A shop has every type of event, returns, devices, bots and campaigns; --raw writes it as real systems export it, too:
trajectory synthesize --shop --raw=ga4,rees46,orders --out=prepared/shop
"""

from __future__ import annotations

from absl import flags

from trajectory.cli.command import next_command
from trajectory.data.simulate import synthetic
from trajectory.data.simulate.shop.parameters import Shop
from trajectory.data.simulate.shop.write import DIALECTS
from trajectory.data.simulate.shop.write import write as write_shop
from trajectory.schema import UserError
from trajectory.settings.allowed import at_least, one_of
from trajectory.settings.typed_flags import number, words

OUT = flags.DEFINE_string("out", "prepared/synthetic_log", "folder to write; an earlier log there is replaced")
USERS = number(
    "users", synthetic.DEFAULT.users, "number of users: 180 events of each a year, 450 in a shop", at_least(1)
)
SEED = number("seed", 0, "of all random draws", at_least(0))
SHOP = flags.DEFINE_bool(
    "shop", False, "a shop instead of histories of interests (trajectory/data/simulate/shop/generate.py)"
)
RAW = words("raw", [], f"raw exports of the shop to write as well, some of {', '.join(DIALECTS)}", one_of(*DIALECTS))


def main() -> None:
    """Generates and writes the log."""
    if SHOP.value:
        write_shop(Shop(users=USERS.value), OUT.value, SEED.value, RAW.value)
    elif RAW.value:
        raise UserError(f"--raw={','.join(RAW.value)}: only a shop has raw exports; add --shop")
    else:
        synthetic.write(synthetic.Synthetic(users=USERS.value), OUT.value, SEED.value)
    exports = f", raw exports in {OUT.value}/raw/" if RAW.value else ""
    print(
        f"Wrote {OUT.value}/interactions.parquet, items.parquet{exports} and the planted truth in {OUT.value}/truth/."
    )
    next_command(f"inspect {OUT.value}", "what is understood of it")
