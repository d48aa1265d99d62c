"""Where the project is: the folder that holds notebooks, docs/ and build/."""

from __future__ import annotations

from pathlib import Path


def project(library: Path, working: Path) -> Path:
    """Return the project's folder, which holds notebooks and build/: the library's, else the nearest around `working`.

    A library that was installed away from the project is opened by its notebooks from within it; where there is no
    project at all, the working folder serves.
    """
    around = [library, working, *working.parents]
    return next((folder for folder in around if (folder / "paper.mk").is_file()), working)


LIBRARY = Path(__file__).resolve().parents[1]
"""The folder that nem2e_lib lies in: the project's own, unless the library was installed away from it."""
ROOT = project(LIBRARY, Path.cwd())
