"""The only importer of Matplotlib: figures for files and pages, on which names are plain letters."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator
from pathlib import Path

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from trajectory.names import UNPRINTABLE
from trajectory.writing import whole

matplotlib.rcParams["text.parse_math"] = False  # a dollar in a name is a dollar
LETTERS = 60  # of a name on a picture; `names.plain` cuts it


def new_figure(width: float = 5.6, height: float = 3.4, layout: str = "constrained") -> Figure:
    """An empty figure, in inches; letters of its default size stay legible on a phone, which shows it 360 px wide."""
    return Figure(figsize=(width, height), layout=layout)  # type: ignore[arg-type]


def save(figure: Figure, path: Path, dpi: int = 110) -> None:
    """Writes the figure as PNG."""
    FigureCanvasAgg(figure)
    with whole(path) as part, _whatever_letters():
        figure.savefig(part, format="png", dpi=dpi)


def svg(figure: Figure) -> str:
    """The figure as an SVG file's text; the same figure always gives the same."""
    text = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "trajectory"}), _whatever_letters():
        FigureCanvasSVG(figure).print_svg(text, metadata={"Date": None})
    return UNPRINTABLE.sub("", text.getvalue())


@contextlib.contextmanager
def _whatever_letters() -> Iterator[None]:
    """Letters of a name that the font lacks are drawn as boxes, without a warning for each."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        yield
