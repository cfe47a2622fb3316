"""interests.json: what a run forecasts interests by, whichever was better on validation (see models/top_down.py)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from ml_collections import ConfigDict

from trajectory.reading import NUMBER, read_json
from trajectory.writing import write_json

FILE = "interests.json"
FORM = {"by": str, "checkpoint": str, "log_loss": {"items": NUMBER, "head": NUMBER}, "users": int}


@dataclass(frozen=True)
class InterestForecast:
    """What a run forecasts interests by, and how that was chosen."""

    by: Literal["items", "head"]
    checkpoint: str
    log_loss: dict[str, float]  # of the next step's interests on validation, by either; empty: not compared
    users: int  # of validation that it was compared on

    @classmethod
    def find(cls, workdir: Path, config: ConfigDict, checkpoint: str) -> InterestForecast:
        """The one that was chosen for this checkpoint; else items summed by interest, or the only head there is.

        Raises UserError if the file is damaged.
        """
        path = workdir / FILE
        if path.exists():
            stored = cls(**read_json(path, FORM, "delete it: the next evaluation chooses anew", *FORM))
            if stored.checkpoint == checkpoint:
                return stored
        return cls("items" if config.heads.item else "head", checkpoint, {}, 0)

    def save(self, workdir: Path) -> None:
        """Writes interests.json."""
        write_json(asdict(self), workdir / FILE)

    def sentence(self, config: ConfigDict) -> str:
        """Which it is and why, to be read after "interests are"."""
        if not config.heads.interest:
            return "items summed by interest"
        if not config.heads.item:
            return "those of the interest head"
        words = {"items": "items summed by interest", "head": "those of the interest head, to which items are scaled"}
        if not self.log_loss:
            return f"{words[self.by]} (not compared with the interest head yet: evaluate the run)"
        other = "head" if self.by == "items" else "items"
        names = {"head": "the interest head", "items": "items summed by interest"}
        return (
            f"{words[self.by]} (log-loss {self.log_loss[self.by]:.3f} on {self.users:,} validation users, "
            f"{names[other]} {self.log_loss[other]:.3f})"
        )
