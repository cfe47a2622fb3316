"""What the baselines reach on a run's data, measured once: runs on the same data, split and items share the results."""

from __future__ import annotations

import hashlib
import json
import logging
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from ml_collections import ConfigDict

from trajectory import digest
from trajectory.baselines.next_item import baselines
from trajectory.evaluation.protocol import PARTS, measure
from trajectory.metrics.ranking import Result
from trajectory.schema import Histories, ItemContent, Split
from trajectory.writing import write_arrays

_LOGGER = logging.getLogger(__name__)

DECISIVE = ("schema.py", "data", "metrics", "baselines", "evaluation")  # rooms that decide what a baseline reaches
OVERALL = "overall"


def baseline_results(
    histories: Histories,
    split: Split,
    config: ConfigDict,
    content: ItemContent | None = None,
    cold: np.ndarray | None = None,
    parts: Sequence[str] = PARTS,
) -> dict[str, dict[str, Result]]:
    """What each of the `baselines` reaches on each of `parts`, {baseline: {part: result}}; `config` is the whole.

    Kept under `<data.prepared_dir>/baselines/` by all that decides it, the code included, and read from there the next
    time. `cold` as in `evaluate_scorer`.
    """
    mark = _mark(histories, split, config, content, cold, parts)
    path = Path(config.data.prepared_dir) / "baselines" / f"{_short(histories.name)}_{mark}.npz"
    if path.exists():
        try:
            return _read(path)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            _LOGGER.warning(
                f"{path} is damaged ({str(error) or type(error).__name__}); the baselines are measured anew"
            )
    rows = {baseline.name: baseline for baseline in baselines(histories, split, config, content)}
    results = measure(rows, histories, split, config, parts, cold)
    _write(results, path)
    return results


def _mark(
    histories: Histories,
    split: Split,
    config: ConfigDict,
    content: ItemContent | None,
    cold: np.ndarray | None,
    parts: Sequence[str],
) -> str:
    """Digest of all that decides the results, 16 hexadecimal digits."""
    stated = [digest.of_code(DECISIVE), histories.fingerprint, histories.num_items, list(parts)]
    digest_of_all = hashlib.sha256(json.dumps([*stated, config.evaluation.to_dict()], default=str).encode())
    h = histories
    arrays = [h.offsets, h.item, h.time, h.step, h.item_interest, split.train_end, *split.validation, *split.test]
    vectors = {} if content is None else content.vectors
    for name, array in [*enumerate(arrays), *sorted(vectors.items()), ("cold", cold)]:
        digest_of_all.update(f"\0{name}\0".encode() + (b"" if array is None else np.ascontiguousarray(array).tobytes()))
    return digest_of_all.hexdigest()[:16]


def _short(name: str) -> str:
    """As much of a name as surely fits into that of a file: of many domains it is long."""
    return name.encode()[:64].decode(errors="ignore")


def _write(results: Mapping[str, Mapping[str, Result]], path: Path) -> None:
    arrays = {
        f"{baseline}/{part}/{metric}": values
        for baseline, by_part in results.items()
        for part, result in by_part.items()
        for metric, values in {**result.per_user, OVERALL: np.array(json.dumps(result.overall))}.items()
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_arrays(arrays, path)  # two runs may measure the same at the same time
    except OSError as error:  # a folder that cannot be written costs time, not results
        _LOGGER.warning(f"the baselines' results are not kept: {path.parent} cannot be written ({error.strerror})")


def _read(path: Path) -> dict[str, dict[str, Result]]:
    results: dict[str, dict[str, Result]] = {}
    with path.open("rb") as file, np.load(file) as arrays:
        for key in arrays.files:
            baseline, part, metric = key.split("/")
            result = results.setdefault(baseline, {}).setdefault(part, Result({}, {}))
            if metric == OVERALL:
                result.overall.update(json.loads(str(arrays[key])))
            else:
                result.per_user[metric] = arrays[key]
    return results
