"""``python tools/imports.py``: imports every module of the library, so that a broken one is told in seconds."""

from __future__ import annotations

import importlib
import sys
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OPTIONAL = {"opensim"}
"""What an extra brings; a module that lacks it is not broken."""


def modules(library: Path) -> list[str]:
    """Return the name of every module below a package, the package first."""
    places = (path.relative_to(library.parent).with_suffix("") for path in sorted(library.rglob("*.py")))
    return [".".join(place.parts).removesuffix(".__init__") for place in places]


def broken(names: list[str]) -> list[str]:
    """Import modules; return what went wrong with the first that cannot be, in lines; none where all can."""
    for name in names:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name not in OPTIONAL:
                return [f"{name} cannot be imported:", traceback.format_exc(limit=-2)]
        except Exception:
            return [f"{name} cannot be imported:", traceback.format_exc(limit=-2)]
    return []


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    if told := broken(modules(ROOT / "nem2e_lib")):
        sys.exit("\n".join(told))
