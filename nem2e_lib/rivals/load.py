"""Somebody's code by its name: ``my_methods:Method`` or ``folder/my_methods.py:Method``."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from nem2e_lib.error import Nem2eError
from nem2e_lib.rivals.own import near, told


def load_method(text: str, folder: Path | None = None) -> tuple[str, Any]:
    """Import what a text names, from a folder, from what is installed, or from a file.

    Parameters
    ----------
    text
        ``MODULE:NAME`` or ``FILE.py:NAME``, maybe with ``LABEL=`` before it.
    folder
        Where modules are looked for first, and where files are; default: the current one.

    Returns
    -------
    label : str
        What it is to be called: the label, or NAME.
    thing : object
        Whatever has that name.

    Raises
    ------
    Nem2eError
        If the text is none of these, there is no such module, file or name, or importing it fails.
    """
    label, equals, rest = text.rpartition("=")
    place, _, name = rest.rpartition(":")
    if not place or not name or (equals and not label.strip()):
        raise Nem2eError(
            f"{text}: MODULE:NAME or FILE.py:NAME is expected, such as my_methods:Method, with LABEL= before it if "
            "it is to be called otherwise."
        )
    folder = folder or Path.cwd()
    module = _of_file(folder / place, text) if place.endswith(".py") else _of_name(place, folder, text)
    if not hasattr(module, name):
        public = [each for each, value in vars(module).items() if callable(getattr(value, "fit", None))]
        raise Nem2eError(
            f"{text}: {place} has no {name!r}{near(name, dir(module))}; with a fit it has: "
            f"{', '.join(public) or 'nothing'}."
        )
    return label.strip() or name, getattr(module, name)


def _of_file(file: Path, text: str) -> ModuleType:
    if not file.is_file():
        others = [each.name for each in file.parent.glob("*.py")]
        raise Nem2eError(f"{text}: there is no file {file}{near(file.name, others)}; mend the path.")
    spec = importlib.util.spec_from_file_location(f"_own_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise Nem2eError(f"{text}: {file} cannot be read as Python; mend it.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look for their own module there
    _also(file.resolve().parent)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[spec.name]
        raise Nem2eError(f"{text}: importing {file} raised {told(error, file)}; mend it.") from error
    return module


def _of_name(name: str, folder: Path, text: str) -> ModuleType:
    top = name.partition(".")[0]
    here = next((each for each in (folder / f"{top}.py", folder / top) if each.exists()), None)
    if here is not None:
        _also(folder)
        importlib.invalidate_caches()
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise Nem2eError(f"{text}: importing {name} raised {told(error)}; install it, or mend {name}.") from error
        known = [*(each.stem for each in folder.glob("*.py")), *(each.name for each in pkgutil.iter_modules())]
        raise Nem2eError(
            f"{text}: there is no module {error.name!r}, neither in {folder} nor installed{near(top, known)}; mend its "
            "name."
        ) from None
    except (Exception, SystemExit) as error:
        raise Nem2eError(f"{text}: importing {name} raised {told(error, here)}; mend it.") from error
    if here is not None and here.suffix == ".py" and Path(str(module.__file__)).resolve() != here.resolve():
        raise Nem2eError(
            f"{text}: {top} is the name of an installed module too, which was imported instead of {here}; write "
            f"{here.name}:{text.rpartition(':')[2]}."
        )
    return module


def _also(folder: Path) -> None:
    """Let modules of a folder be imported, after those that are installed."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
