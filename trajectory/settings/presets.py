"""The presets that come with the package, by name: `complete_journey:model=gru` instead of the path of a file."""

from __future__ import annotations

import ast
import contextlib
import difflib
import importlib.util
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from trajectory.schema import UserError
from trajectory.settings.watched import watched

FOLDER = Path(__file__).parents[1] / "presets"  # configs/ of the repository
SWEEPS = FOLDER / "sweeps"


def find(text: str) -> str:
    """A config's file with its arguments, "FILE.py[:arguments]", of the same or of "NAME[:arguments]".

    Raises UserError if there is none.
    """
    name, colon, arguments = text.partition(":")
    return f"{file(name)}{colon}{arguments}"


def file(name: str, folder: Path = FOLDER) -> Path:
    """The file of a preset given by name or path. Raises UserError if there is none."""
    path = Path(name)
    if path.suffix or len(path.parts) > 1:
        if path.is_file():
            return path
        if path.stem in names(folder):
            hint = f"the preset of the package is named {path.stem} alone; "
        else:
            hint = _near(str(path), [str(other) for other in path.parent.glob("*.py")])
        raise UserError(f"there is no file {path} (looked in {Path.cwd()}); {hint}`trajectory configs` lists presets")
    if name not in names(folder):
        raise UserError(f"there is no preset {name!r}; {_near(name, names(folder))}`trajectory configs` lists them")
    return folder / f"{name}.py"


def load(file: Path, function: str) -> Callable[..., Any]:
    """A function of a preset's file. Raises UserError if it has none."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise UserError(f"{file} is no Python file with {function}(); tj.prepare({str(file)!r}).config is one of a log")
    module = importlib.util.module_from_spec(spec)
    with of_the_user(str(file), "it"):
        spec.loader.exec_module(module)
    if not callable(getattr(module, function, None)):
        raise UserError(f"{file} has no function {function}(); see `trajectory configs`")
    return getattr(module, function)  # type: ignore[no-any-return]


@contextlib.contextmanager
def of_the_user(name: str, what: str) -> Iterator[None]:
    """What a file of the user's raises within is a mistake in that file: UserError, which says where."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [str(frame.lineno) for frame in frames if Path(frame.filename) == Path(name)]
        at = f" at line {lines[-1]}" if lines else ""
        raise UserError(
            f"{name}: {what} failed{at} ({type(error).__name__}: {error}); `trajectory configs` lists "
            "presets to copy, and docs/sweeps.md says how to write a sweep"
        ) from None


def config(text: str) -> ConfigDict:
    """The config of "NAME[:arguments]" or "FILE.py[:arguments]", watched. Raises UserError if there is none."""
    name, _, arguments = text.partition(":")
    get_config = load(file(name), "get_config")
    with of_the_user(str(file(name)), "get_config()"):
        return watched(get_config(arguments))


def names(folder: Path = FOLDER) -> list[str]:
    """The names of all presets, sorted."""
    return sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))


def described(folder: Path = FOLDER) -> dict[str, str]:
    """What each preset is, in a line."""
    return {name: summary(folder / f"{name}.py") for name in names(folder)}


def summary(file: Path) -> str:
    """The first line of a Python file's docstring."""
    return (ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "").partition("\n")[0]


def arguments(name: str, folder: Path = FOLDER) -> str:
    """What a preset takes behind its colon, as the docstring of its `get_config` says."""
    tree = ast.parse((folder / f"{name}.py").read_text("utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "get_config"]
    said = " ".join((ast.get_docstring(functions[0]) or "").split()) if functions else ""
    return said.partition("Arguments: ")[2].removesuffix(".")


def _near(name: str, others: list[str]) -> str:
    near = difflib.get_close_matches(name, others, 1)
    return f"did you mean {near[0]}? " if near else ""
