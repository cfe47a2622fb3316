"""Vectors of texts: kept, resumed, and those of the published encoder."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from trajectory.data.content import text
from trajectory.data.content.text import text_vectors
from trajectory.schema import UserError

WIDTH = 384


class Encoder:
    """Stands for the pretrained one: a text is told by its length; may break down after some calls."""

    def __init__(self, calls: int = 10**6) -> None:
        self.calls, self.encoded = calls, 0

    def encode_batch(self, texts: list[str]) -> list[SimpleNamespace]:
        return [SimpleNamespace(ids=[1] * len(text)) for text in texts]

    def __call__(self, tokens: np.ndarray) -> np.ndarray:
        if not self.calls:
            raise KeyboardInterrupt
        self.calls -= 1
        self.encoded += int((tokens > 0).any(axis=1).sum())
        length = (tokens > 0).sum(axis=1)
        return np.repeat(length[:, None], WIDTH, axis=1).astype(np.float32)


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch):
    """Puts an encoder in the place of the pretrained one."""

    def put(calls: int = 10**6) -> Encoder:
        found = Encoder(calls)
        monkeypatch.setattr(text, "_encoder", lambda: (found, found))
        return found

    return put


def test_each_text_is_encoded_once_and_kept(encoder, tmp_path: Path) -> None:
    first = encoder()
    found = text_vectors(["abc", "", "ab", "abc"], tmp_path)
    assert found[:, 0].tolist() == [3, 0, 2, 3]
    assert found.shape == (4, WIDTH)
    assert first.encoded == 2
    again = encoder(calls=0)
    np.testing.assert_array_equal(text_vectors(["ab", "abc"], tmp_path)[:, 0], [2, 3])
    assert again.encoded == 0
    assert not text_vectors(["", ""], tmp_path).any()


def test_a_computation_that_was_cut_goes_on(encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "ROWS", 4)
    monkeypatch.setattr(text, "SAVED", 8)
    texts = ["x" * n for n in range(1, 31)]
    encoder(calls=5)
    with pytest.raises(KeyboardInterrupt):
        text_vectors(texts, tmp_path)
    rest = encoder()
    np.testing.assert_array_equal(text_vectors(texts, tmp_path)[:, 0], np.arange(1, 31))
    assert rest.encoded == 30 - 16, "what was on disk (two times eight) is not encoded again"
    assert [path.suffix for path in tmp_path.iterdir()] == [".npy"], "nothing half done is left"


def test_without_the_encoder_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(text, "PACKAGE", "no_such_package")
    text._encoder.cache_clear()
    with pytest.raises(UserError, match=r"`make text` of a checkout, or pip install .* or give vectors of any "):
        text_vectors(["a"], tmp_path)


@pytest.mark.skipif(importlib.util.find_spec(text.PACKAGE) is None, reason="needs the text encoder: `make text`")
def test_vectors_are_those_of_the_published_encoder(tmp_path: Path) -> None:
    text._encoder.cache_clear()
    texts = ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]
    vectors = text_vectors([*texts, "long " * 300], tmp_path)
    # As its model card has them (sentence-transformers/all-MiniLM-L6-v2 in the documentation of Sentence Transformers).
    expected = [[1.0, 0.6660, 0.1046], [0.6660, 1.0, 0.1411], [0.1046, 0.1411, 1.0]]
    np.testing.assert_allclose(vectors[:3] @ vectors[:3].T, expected, atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
