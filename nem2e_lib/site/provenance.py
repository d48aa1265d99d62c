"""Where a result came from: the commit of the code and the versions it ran with."""

from __future__ import annotations

import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from nem2e_lib.project import LIBRARY

PACKAGES = (
    "nem2e",
    "jax",
    "flax",
    "optax",
    "numpy",
    "scipy",
    "pandas",
    "xarray",
    "pingouin",
    "matplotlib",
    "seaborn",
)


@dataclass(frozen=True)
class Provenance:
    """Commit of the code (``-dirty`` where library files differ from it), its date, library versions."""

    commit: str
    date: str
    versions: dict[str, str]


def provenance(root: Path = LIBRARY) -> Provenance:
    """Return what the code under `root` is; ``unknown`` where it is not in a git repository."""
    return Provenance(commit(root), commit_date(root), versions())


def commit(root: Path = LIBRARY) -> str:
    """Return the commit of the code, with ``-dirty`` when files of the library were changed since.

    Only ``nem2e_lib`` and ``notebooks`` count: a rendered figure that differs does not change what was run.
    """
    head = _git(root, "rev-parse", "HEAD")
    if head is None or _git(root, "ls-files", "--", "nem2e_lib") in (None, ""):
        return "unknown"
    changed = _git(root, "status", "--porcelain", "--", "nem2e_lib", "notebooks")
    return f"{head}-dirty" if changed else head


def commit_date(root: Path = LIBRARY) -> str:
    """Return the day of the commit (not of the run, which would differ from run to run)."""
    return _git(root, "log", "-1", "--format=%cs") or "unknown"


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that shape a result."""
    return {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _git(root: Path, *arguments: str) -> str | None:
    try:
        run = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return run.stdout.strip() if run.returncode == 0 else None
