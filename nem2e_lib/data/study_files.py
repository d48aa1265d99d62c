"""The three tables of a study folder: ``study.toml``, ``trials.csv`` and ``cycles.csv``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from nem2e_lib.data.settings import Settings, read_settings
from nem2e_lib.data.study import Study
from nem2e_lib.data.trials import Cycle, Trial, read_cycles, read_trials
from nem2e_lib.errors import Nem2eError

T = TypeVar("T")


def read_study(folder: Path) -> tuple[Study, list[str]]:
    """A study without its signals, and every problem of ``study.toml``, ``trials.csv`` and ``cycles.csv``."""
    if not (folder / "study.toml").is_file():
        return Study(folder, Settings(), ()), [
            f"{folder}: no study.toml found; a study folder with study.toml and trials.csv is expected."
        ]
    settings, problems = _try(Settings(), read_settings, folder / "study.toml")
    no_trials: list[Trial] = []
    trials, more = _try(no_trials, read_trials, folder / "trials.csv")
    study, problems = Study(folder, settings, tuple(trials)), problems + more
    if more or not (folder / "cycles.csv").exists():
        return study, problems
    no_cycles: list[Cycle] = []
    cycles, more = _try(no_cycles, read_cycles, folder / "cycles.csv", [trial.name for trial in trials])
    return replace(study, cycles=tuple(cycles)), problems + more


def _try(default: T, read: Callable[..., tuple[T, list[str]]], *arguments: object) -> tuple[T, list[str]]:
    try:
        return read(*arguments)
    except Nem2eError as error:
        return default, [str(error)]
