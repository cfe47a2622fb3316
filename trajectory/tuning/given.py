"""A config that was given in Python, as a file that the commands of a sweep or search read."""

from __future__ import annotations

from pathlib import Path

from ml_collections import ConfigDict

from trajectory.settings import parse_arg, set_by_hand, shrink
from trajectory.training.experiment import load_config, save_config
from trajectory.writing import write_text

_FILE = '''"""The config of the runs here, as it was given in Python. Arguments: model, tiny."""

from pathlib import Path

from trajectory.tuning.given import kept


def get_config(arg: str = ""):
    """The config that lies beside this file."""
    return kept(Path(__file__).with_suffix(".json"), arg)
'''


def keep(config: ConfigDict, out: Path) -> str:
    """Writes the config into `out` and returns what --config takes."""
    out.mkdir(parents=True, exist_ok=True)
    file = out / "base_config.py"
    save_config(config, file.with_suffix(".json"))
    write_text(_FILE, file)
    return str(file)


def kept(path: Path, arg: str) -> ConfigDict:
    """The config that was kept; the argument model is its field model.backbone."""
    config = load_config(path)
    args = parse_arg(arg, model=config.model.backbone)
    if args.model != config.model.backbone:
        set_by_hand(config, {"model.backbone": args.model})
    return shrink(config) if args.tiny else config
