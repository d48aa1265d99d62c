"""OpenSim itself: an optional extra, imported only where a step runs."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from nem2e_lib.error import Nem2eError

MISSING = (
    "OpenSim is not installed, but simulating needs it: install it with pip install 'nem2e[opensim]' "
    "(Python 3.11 to 3.13); everything else of nem2e works without it."
)


class StepFailed(Nem2eError):
    """OpenSim gave up on inputs in which no mistake was seen; the log of the trial has its words."""


def installed() -> bool:
    """Whether the Python package ``opensim`` can be found, without loading it."""
    return importlib.util.find_spec("opensim") is not None


def require() -> None:
    """Raise Nem2eError with the way to get OpenSim where it is not installed."""
    if not installed():
        raise Nem2eError(MISSING)


def opensim() -> Any:
    """Return the module ``opensim``; its messages go to the standard output only, never to a file of its own."""
    require()
    module = importlib.import_module("opensim")
    module.Logger.removeFileSink()
    return module


def opensim_version() -> str:
    """Version of the installed package, or ``none``."""
    try:
        return version("opensim")
    except PackageNotFoundError:
        return "none"


@contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """Work in a folder for a while: OpenSim resolves the relative paths of a set-up file from there."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep OpenSim from telling of every mesh that it does not find."""
    logger = opensim().Logger
    before = logger.getLevelString()
    logger.setLevelString("Error")
    try:
        yield
    finally:
        with _unsaid():
            logger.setLevelString(before)


@contextmanager
def _unsaid() -> Iterator[None]:
    """Keep the remark on the new level out of the standard output, which may be read by a program."""
    sys.stdout.flush()
    kept, nothing = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nothing)
