"""Lists the presets; copies one to edit (configs copy NAME); prints all fields (configs fields).

trajectory configs copy complete_journey, then trajectory train --config=complete_journey.py:model=gru --workdir=runs/x
"""

from pathlib import Path

from trajectory.schema import UserError
from trajectory.settings import presets, table
from trajectory.writing import write_text


def main(action: str = "", name: str = "") -> None:
    """Does what `action` says, to the preset `name`; lists presets without one."""
    if action == "copy" and name:
        _copy(name)
    elif action == "fields" and not name:
        print(table.page(), end="")
    elif action:
        raise UserError(f"configs {' '.join(filter(None, (action, name)))}: expected configs, copy NAME, or fields")
    else:
        for title, folder in (("--config=", presets.FOLDER), ("--sweep= (search: --search=)", presets.SWEEPS)):
            print(f"{title}")
            for preset, line in presets.described(folder).items():
                print(f"  {preset:18}{line}")


def _copy(name: str) -> None:
    folder = presets.SWEEPS if name in presets.names(presets.SWEEPS) else presets.FOLDER
    source, copy = presets.file(name, folder), Path(f"{name}.py")
    if copy.exists():
        raise UserError(f"there is a file {copy} here already; remove it, or go to another folder")
    write_text(source.read_text("utf-8"), copy)
    print(f"written to {copy}; use it with {'--sweep' if folder == presets.SWEEPS else '--config'}={copy}")
