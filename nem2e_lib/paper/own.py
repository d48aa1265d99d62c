"""A stranger's recordings become a study: what 11_own_data decides between the user's folders and its own example."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import xarray as xr

from nem2e_lib.data.check import check_study, study_notes
from nem2e_lib.data.files import read_text
from nem2e_lib.data.intake.new import Template, new_study
from nem2e_lib.data.synthetic.stranger import write_recordings
from nem2e_lib.data.tables import read_table
from nem2e_lib.error import Nem2eError
from nem2e_lib.paper.run import Run

SIMULATED = "static optimisation (SYNTHETIC, the generator's own)"
SMOKE_CHANNELS = 2
"""Channels that the smoke profile trains."""


@dataclass(frozen=True)
class Folders:
    """Where the files of each kind lie, and the study to be made of them; `example` if nobody moved for them."""

    activation: Path
    emg: Path
    grf: Path | None
    study: Path
    example: bool

    @property
    def data(self) -> str:
        """Whose they are, in a word."""
        return "SYNTHETIC" if self.example else "yours"


def recordings(run: Run, activation: str = "", emg: str = "", grf: str = "") -> Folders:
    """Return the user's folders, or SYNTHETIC ones in a laboratory's own arrangement where none is named.

    Raises
    ------
    Nem2eError
        If only one of `activation` and `emg` is named.
    """
    if bool(activation) != bool(emg):
        raise Nem2eError("activation and emg: one folder is named, but both are needed; name both, or neither.")
    root = run.folder / "own_data"
    study = root / "own-study"
    if activation:
        return Folders(Path(activation), Path(emg), Path(grf) if grf else None, study, False)
    shutil.rmtree(root / "example", ignore_errors=True)
    places = write_recordings(root / "example", run.seed)
    return Folders(places["activation"], places["emg"], places["grf"], study, True)


def begin(folders: Folders, study: str = "") -> Template:
    """Make a study folder of the files (`new_study`), or open the one that the user has filled in.

    Paths in what is told are those seen from beside the study: pages are read on other machines.

    Raises
    ------
    Nem2eError
        If there is such a study already that may hold the user's lines, or the files make none.
    """
    if study:
        there = Path(study)
        read_text(there / "study.toml")  # refuses a folder without one
        trials = read_table(there / "trials.csv", ("trial",), ("subject", "speed", "activation", "emg", "grf"))
        trials = trials.reset_index(drop=True)
        return Template(there, trials, (f"{there.name}: as you filled it in.",), ())
    settings = folders.study / "study.toml"
    if not folders.example and settings.exists():
        raise Nem2eError(
            f"{settings}: exists already and may hold your own lines; name the folder as `study` to go on with it."
        )
    shutil.rmtree(folders.study, ignore_errors=True)
    made = new_study(folders.study, folders.activation, folders.emg, folders.grf)
    return replace(made, told=_inside(made.told, folders.study), to_do=_inside(made.to_do, folders.study))


def fill_in(folders: Folders, study: Path) -> str:
    """Fill in what the example's files do not tell; the user's own study is theirs to fill in."""
    if not folders.example or study != folders.study:
        return "Your own study: what is still to do is yours to write."
    file = study / "study.toml"
    text = file.read_text(encoding="utf-8")
    text = re.sub(r'^simulated_by = ".*"', f"simulated_by = {json.dumps(SIMULATED)}", text, flags=re.MULTILINE)
    for empty, filled in (
        ("synthetic = false", "synthetic = true"),
        ('citation = ""', 'citation = "none: SYNTHETIC, nobody moved for these data"'),
    ):
        text = text.replace(empty, filled)
    file.write_text(text, encoding="utf-8")
    return "Filled in for the example: simulated_by, synthetic, citation. The channel that nobody knows is left out."


def check(study: Path) -> tuple[str, ...]:
    """Return the notes on a sound study.

    Raises
    ------
    Nem2eError
        With every problem, and how to go on.
    """
    problems = check_study(study)
    if problems:
        raise Nem2eError("\n".join([*problems, f"Mend these in {study}, then name it as `study` above and run again."]))
    return _inside(study_notes(study), study)


def channels(run: Run, cycles: xr.Dataset) -> list[str]:
    """Return the EMG channels that the run's profile trains: all, but for the smoke profile's first two."""
    names = [str(name) for name in cycles.channel.values]
    return names[:SMOKE_CHANNELS] if run.profile == "smoke" else names


def _inside(sentences: tuple[str, ...] | list[str], folder: Path) -> tuple[str, ...]:
    return tuple(text.replace(f"{folder.parent}/", "") for text in sentences)
