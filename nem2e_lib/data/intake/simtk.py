"""The paper's two data sets on SimTK: which files to fetch, and which are there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

_SUBJECTS = ("01", "02", "03", "04", "08", "10", "11", "17", "19", "20")


@dataclass(frozen=True)
class _Archive:
    """Files of one SimTK project.

    Attributes
    ----------
    study
        The paper's data set.
    project
        Name of the project: its page is ``https://simtk.org/projects/<project>``.
    files
        Names of the files; a pattern where the project does not name them alike.
    citation
        What to cite.
    """

    study: str
    project: str
    files: tuple[str, ...]
    citation: str


_ARCHIVES = (
    _Archive(
        "running",
        "nmbl_running",
        (*(f"subject{number}.zip" for number in _SUBJECTS), "RAW_EMG_DATA.zip"),
        "Hamner SR, Delp SL (2013) J Biomech 46:780-787",
    ),
    _Archive("walking", "mspeedwalksims", ("*.zip",), "Liu MQ et al. (2008) J Biomech 41:3243-3252"),
)
"""Section 4 of the paper: the data it trained on. SimTK asks for a login, so the files are the reader's to fetch."""


def archives(folder: str | Path) -> pd.DataFrame:
    """List the files to fetch and whether they lie under ``folder/<project>/``.

    Returns
    -------
    DataFrame
        Columns study, file, from, to, found, cite: one row a file.
    """
    root = Path(folder)
    rows = [
        {
            "study": archive.study,
            "file": name,
            "from": f"https://simtk.org/projects/{archive.project}",
            "to": f"{root.name}/{archive.project}/",
            "found": any((root / archive.project).glob(name)),
            "cite": archive.citation,
        }
        for archive in _ARCHIVES
        for name in archive.files
    ]
    return pd.DataFrame(rows)
