"""A stranger's recordings, from folders of files to refined activity: what 11_own_data calls."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import xarray as xr

from nem2e_lib.analysis.metrics import errors
from nem2e_lib.analysis.statistics import summary
from nem2e_lib.data.check import check_study, study_notes
from nem2e_lib.data.cycles.segment import segment
from nem2e_lib.data.files import read_text
from nem2e_lib.data.intake.find import TABLES
from nem2e_lib.data.intake.new import Template, new_study
from nem2e_lib.data.storage.storage import read_storage
from nem2e_lib.data.study.load import load_study
from nem2e_lib.data.synthetic.stranger import write_recordings
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.cycles import cycle_timeline, cycle_waveforms
from nem2e_lib.figures.waveforms import refined_curves
from nem2e_lib.paper.run import Run
from nem2e_lib.site import tables
from nem2e_lib.site.saving import Saved, save_drawn, save_table
from nem2e_lib.training.train import train_condition

PAGE = "11_own_data"
SIMULATED = "static optimisation (SYNTHETIC, the generator's own)"
SMOKE_CHANNELS = 2
"""Channels that the smoke profile trains."""


@dataclass(frozen=True)
class Folders:
    """Where the files of each kind lie; `example` if they were made here and nobody moved for them."""

    run: Run
    activation: Path
    emg: Path
    grf: Path | None
    example: bool

    @property
    def study(self) -> Path:
        """The study folder that is made of them."""
        return self.run.folder / "own_data" / "own-study"


def recordings(run: Run, activation: str = "", emg: str = "", grf: str = "") -> Folders:
    """Return the user's folders, or SYNTHETIC ones in a laboratory's own arrangement where none is named.

    Raises
    ------
    Nem2eError
        If only one of `activation` and `emg` is named.
    """
    if bool(activation) != bool(emg):
        raise Nem2eError("activation and emg: one folder is named, but both are needed; name both, or neither.")
    if activation:
        return Folders(run, Path(activation), Path(emg), Path(grf) if grf else None, False)
    root = run.folder / "own_data" / "example"
    shutil.rmtree(root, ignore_errors=True)
    places = write_recordings(root, run.seed)
    return Folders(run, places["activation"], places["emg"], places["grf"], True)


def files(folders: Folders) -> pd.DataFrame:
    """Return one row a file: its kind (or kinds, of a folder named for several), size, rate and first labels."""
    kinds: dict[Path, list[str]] = {}
    for kind, place in (("activation", folders.activation), ("EMG", folders.emg), ("force", folders.grf)):
        if place is not None:
            kinds.setdefault(place, []).append(kind)
    data = "SYNTHETIC" if folders.example else "yours"
    return pd.DataFrame(
        {"kind": " or ".join(some), "data": data, "file": path.relative_to(place).as_posix(), **_facts(path)}
        for place, some in kinds.items()
        for path in sorted(place.rglob("*"))
        if path.suffix.lower() in (*TABLES, ".csv")
    )


def _facts(path: Path) -> dict[str, object]:
    if path.suffix.lower() == ".csv":
        return {"labels": read_text(path)[0].partition("\n")[0].replace(",", ", ")[:80]}
    try:
        storage = read_storage(path)
    except Nem2eError as error:
        return {"labels": str(error)}
    length = float(storage.time[-1] - storage.time[0]) if len(storage.time) > 1 else 0.0
    return {
        "columns": len(storage.labels),
        "seconds": round(length, 2),
        "rate_hz": round((len(storage.time) - 1) / length) if length else 0,
        "labels": ", ".join(storage.labels[:6]) + (", …" if len(storage.labels) > 6 else ""),
    }


def begin(folders: Folders, study: str = "") -> tuple[Path, str]:
    """Make a study folder of the files, or open the one that the user has filled in; say what is to do."""
    if study:
        return Path(study), f"{Path(study).name}: as you filled it in."
    made = _new(folders)
    lines = [f"{folders.study.name}: {len(made.trials)} trials found.", *(f"note: {text}" for text in made.told)]
    return folders.study, _inside("\n".join([*lines, *(f"to do: {text}" for text in made.to_do)]), folders.study)


def _inside(text: str, folder: Path) -> str:
    """The text with paths as seen from beside the folder: pages are read on other machines."""
    return text.replace(f"{folder.parent}/", "")


def _new(folders: Folders) -> Template:
    settings = folders.study / "study.toml"
    if not folders.example and settings.exists():
        raise Nem2eError(
            f"{settings}: exists already and may hold your own lines; name the folder as `study` to go on with it."
        )
    shutil.rmtree(folders.study, ignore_errors=True)
    return new_study(folders.study, folders.activation, folders.emg, folders.grf)


def settings(study: Path) -> str:
    """Return the text of ``study.toml``."""
    return (study / "study.toml").read_text(encoding="utf-8")


def fill_in(folders: Folders, study: Path) -> str:
    """Fill in what the example's files do not tell; the user's own study is theirs to fill in."""
    if not folders.example or study != folders.study:
        return "Your own study: what is still to do is yours to write."
    text = settings(study)
    text = re.sub(r'^simulated_by = ".*"', f"simulated_by = {json.dumps(SIMULATED)}", text, flags=re.MULTILINE)
    for empty, filled in (
        ("synthetic = false", "synthetic = true"),
        ('citation = ""', 'citation = "none: SYNTHETIC, nobody moved for these data"'),
    ):
        text = text.replace(empty, filled)
    (study / "study.toml").write_text(text, encoding="utf-8")
    return "Filled in for the example: simulated_by, synthetic, citation. The channel that nobody knows is left out."


def check(study: Path) -> str:
    """Return the notes on a sound study.

    Raises
    ------
    Nem2eError
        With every problem, and how to go on.
    """
    problems = check_study(study)
    if problems:
        raise Nem2eError("\n".join([*problems, f"Mend these in {study}, then name it as `study` above and run again."]))
    notes = "\n".join([*(f"note: {note}" for note in study_notes(study)), f"{study.name}: no problem found."])
    return _inside(notes, study)


@dataclass(frozen=True)
class Cut:
    """Segmented cycles of a study, and the report of every cycle kept or skipped."""

    run: Run
    cycles: xr.Dataset
    report: pd.DataFrame

    @property
    def synthetic(self) -> bool:
        """Whether nobody moved for these data."""
        return bool(self.cycles.attrs["synthetic"])


def cut(run: Run, study: Path) -> Cut:
    """Cut a study into gait cycles."""
    return Cut(run, *segment(load_study(study)))


def pictures(found: Cut) -> list[Saved]:
    """Draw and save where the cycles lie, kept and skipped, and what they look like."""
    drawn = {
        "own_timeline": cycle_timeline(found.report, synthetic=found.synthetic),
        "own_waveforms": cycle_waveforms(found.cycles),
    }
    return [save_drawn(each, name, found.run.site, page=PAGE) for name, each in drawn.items()]


def skipped(found: Cut) -> Saved:
    """Save every skipped cycle with its reason as a table."""
    rows = found.report.loc[~found.report["kept"], ["trial", "number", "start_s", "end_s", "reason"]]
    caption = f"{len(rows)} of {len(found.report)} cycles were skipped."
    shown = tables.plain(rows, "Your recordings: skipped cycles", caption, synthetic=found.synthetic)
    return save_table(shown, "own_skipped", found.run.site, page=PAGE)


def train(found: Cut, condition: str) -> xr.Dataset:
    """Train one condition with the run's configuration, leaving one subject (or speed) out at a time."""
    store = found.run.folder / "own_data" / "models"
    channels = [str(name) for name in found.cycles.channel.values]
    return train_condition(
        found.cycles,
        condition,
        found.run.configuration,
        store=store,
        progress=False,
        profile=found.run.profile,
        channels=channels[:SMOKE_CHANNELS] if found.run.profile == "smoke" else channels,
    )


def outcome(found: Cut, results: xr.Dataset) -> list[Saved]:
    """Draw and save a held-out unit's refined activity, and save the errors of all of them as a table."""
    table = errors(results)
    unit = str(results.attrs["unit"])
    saved = []
    if table["er"].notna().any():
        saved = [save_drawn(refined_curves(results, table, name="Refined"), "own_refined", found.run.site, page=PAGE)]
    rows = summary(table)
    kept = [name for name in ("muscle", "n_units", "er_mean", "er_sd", "ci_low", "ci_high", "p_value") if name in rows]
    caption = (
        f"Er = RMSE refined / RMSE simulated - 1 over held-out {unit}s, negative is better; "
        f"{results.attrs['condition']}, profile {found.run.profile}."
    )
    shown = tables.plain(rows[kept], "Your recordings: errors", caption, synthetic=found.synthetic)
    return [*saved, save_table(shown, "own_errors", found.run.site, page=PAGE)]
