"""The children's walks as a study: their C3D files by a mapping that comes with the library, table by table.

Each row of the mapping that differs from what `from_c3d` proposes by itself tells its reason.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from nem2e_lib.data.c3d.convert import Made, from_c3d
from nem2e_lib.data.c3d.mapping import COLUMNS, FOLDER
from nem2e_lib.data.c3d.study import Built, study_of
from nem2e_lib.data.columns import muscle_columns
from nem2e_lib.data.labels import muscle_name
from nem2e_lib.data.muscles import TRUNK, base, side
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.data.tables import read_table

MAPPING = Path(__file__).with_name("children")
"""Tables of the mapping, with a column ``reason``."""
C3D = "children_walk/c3d"
"""Where the files are among the open recordings."""


def mapping_files() -> dict[str, Path]:
    """Return the tables of the mapping by name."""
    return {name: MAPPING / f"{name}.csv" for name in COLUMNS}


def prepare(recordings: Path, work: Path) -> Path:
    """Convert the C3D files into `work`, and return its table of trials.

    Raises
    ------
    Nem2eError
        If a file cannot be read, or `work` holds something else.
    """
    convert(recordings, work)
    return work / "trials.csv"


def convert(recordings: Path, work: Path) -> Made:
    """Convert the C3D files into `work` by the mapping that comes with the library; errors as `prepare`."""
    (work / FOLDER).mkdir(parents=True, exist_ok=True)
    for name, table in mapping_files().items():
        shutil.copyfile(table, work / FOLDER / f"{name}.csv")
    return from_c3d(recordings / C3D, work)


def build(recordings: Path, work: Path, simulated: Path, out: Path, said: Mapping[str, str]) -> Built:
    """Write the study folder `out`, from what `prepare` left in `work` and activation by trial in `simulated`."""
    del recordings  # all of it is in `work`
    built = study_of(work, simulated, out, "children", said)
    reasons = read_table(MAPPING / "recordings.csv", ("subject", "kind", "reason"))
    left = reasons.loc[reasons["kind"] == "leave", ["subject", "reason"]].drop_duplicates()
    built.told += [f"{row['subject']}: left out, {row['reason']}." for row in left.to_dict("records")]
    return built


def needed(trial: Mapping[str, str], activation: Storage) -> Storage:
    """Return the columns of a simulation that `build` reads: muscles of the measured leg, without the trunk's."""
    names = {label: muscle_name(label) for label in muscle_columns(activation.labels)}
    return activation.only(
        label for label, name in names.items() if side(name) == trial["leg"] and base(name) not in TRUNK
    )
