"""Colours of charts stay apart for every reader, and stand out from their paper."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from trajectory.reports.colours import COLOURS, DARK, GAIN, INK, LOSS, PAPER, SOFT

# What is left of linear RGB in full protanopia, deuteranopia, tritanopia (Machado et al. 2009, table 1), and without.
SEEN = [
    np.eye(3),
    [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
]
# To OKLab, in which distances are as large as they look (Ottosson 2020).
CONES = [
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
]
OKLAB = [
    [0.2104542553, 0.7936177850, -0.0040720468],
    [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
]
PAPERS = {"light": (PAPER, lambda colour: colour), "dark": (DARK[PAPER], DARK.get)}


def linear(colour):
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def distance(one, other):
    """The least over all readers; 0.02 is about what can just be told."""
    seen = [
        [np.array(OKLAB) @ np.cbrt(np.array(CONES) @ np.clip(np.array(eye) @ linear(c), 0, 1)) for c in (one, other)]
        for eye in SEEN
    ]
    return min(np.linalg.norm(a - b) for a, b in seen)


def contrast(one, other):
    """By WCAG 2.2."""
    low, high = sorted(float(linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("paper", PAPERS)
def test_colours_are_told_apart_by_every_reader(paper):
    _, shown = PAPERS[paper]
    assert min(distance(shown(a), shown(b)) for a, b in combinations(COLOURS, 2)) > 0.1
    assert distance(shown(GAIN), shown(LOSS)) > 0.1


@pytest.mark.parametrize("paper", PAPERS)
def test_colours_stand_out_from_their_paper(paper):
    ground, shown = PAPERS[paper]
    assert min(contrast(shown(colour), ground) for colour in (*COLOURS, GAIN, LOSS)) >= 3
    assert min(contrast(shown(colour), ground) for colour in (INK, SOFT)) >= 4.5
