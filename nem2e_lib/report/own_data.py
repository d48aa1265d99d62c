"""Somebody's own recordings, from folders of files to refined activity: what the notebook of that name calls."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import xarray as xr

from nem2e_lib.analysis import metrics, statistics
from nem2e_lib.data.checks import check_study, study_notes
from nem2e_lib.data.segment import segment
from nem2e_lib.data.storage import Storage, read_storage, write_storage
from nem2e_lib.data.study import load_study
from nem2e_lib.data.synthetic import write_study
from nem2e_lib.data.template import new_study
from nem2e_lib.errors import Nem2eError
from nem2e_lib.refine.training import train_condition
from nem2e_lib.report import tables
from nem2e_lib.report.figures.cycles import cycle_waveforms
from nem2e_lib.report.figures.timeline import cycle_timeline
from nem2e_lib.report.figures.waveforms import refined_curves
from nem2e_lib.report.pipeline import Run
from nem2e_lib.report.saving import Saved, save_drawn, save_table

PAGE = "11_own_data"
CHANNELS = {"soleus": "R_Soleus", "bi": "R_BicepsFemoris", "sem": "SM_R", "tib": "TibAnt R", "rect": "RF right"}
"""EMG names of the SYNTHETIC example, as five different people might have typed them."""


@dataclass(frozen=True)
class Files:
    """Folders of a laboratory's files; `synthetic` where the example was made here."""

    activation: Path
    emg: Path
    grf: Path | None
    synthetic: bool

    def listing(self) -> pd.DataFrame:
        """One row a folder: how many files it holds, and one of them."""
        folders = {"activation": self.activation, "emg": self.emg, "grf": self.grf}
        rows = []
        for kind, folder in folders.items():
            found = sorted(p for p in folder.rglob("*") if p.is_file()) if folder else []
            example = found[0].relative_to(folder).as_posix() if folder and found else ""
            rows.append({"what": kind, "files": len(found), "for instance": example})
        return pd.DataFrame(rows)


def files(run: Run, activation: str = "", emg: str = "", grf: str = "") -> Files:
    """Return the folders given, or those of a SYNTHETIC example that is written into the run's folder.

    Raises
    ------
    Nem2eError
        If only one of activation and EMG is named.
    """
    if bool(activation) != bool(emg):
        raise Nem2eError("Own data: activation and emg are both folders of files; name both, or none for the example.")
    if activation:
        return Files(Path(activation), Path(emg), Path(grf) if grf else None, synthetic=False)
    return _example(run.folder / "own", run.seed)


def begin(run: Run, given: Files, study: str = "", motion: str = "") -> tuple[Path, Saved]:
    """Make a study of the files, or take the one that is there; return its folder and its trials as a table.

    Parameters
    ----------
    run, given
    study
        Folder of the study to make; default: in the run's folder.
    motion
        What nobody can read off the files: walking, running, or any other word.
    """
    folder = Path(study) if study else run.folder / "own" / "study"
    if given.synthetic:
        shutil.rmtree(folder, ignore_errors=True)
    told: tuple[str, ...] = ("There was a study already; it is used as it is.",)
    if not (folder / "study.toml").exists():
        made = new_study(folder, given.activation, given.emg, given.grf)
        told = (*made.told, *(f"To do: {line}" for line in made.to_do))
        _answer(folder / "study.toml", motion, given.synthetic)
    trials = pd.read_csv(folder / "trials.csv", dtype=str, keep_default_na=False)
    caption = " ".join(told) or "Everything was read off the files and their names."
    table = tables.plain(trials, "trials.csv, as it was filled in", caption, synthetic=given.synthetic)
    return folder, save_table(table, "own_trials", run.site, page=PAGE)


def check(study: Path) -> str:
    """Return what is odd without being wrong, one sentence a line.

    Raises
    ------
    Nem2eError
        With the first problem, and how many more there are.
    """
    problems = check_study(study)
    if problems:
        more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
        raise Nem2eError(f"{problems[0]}{more} Mend it there, then run this cell again.")
    notes = [f"note: {note}".replace(f"{study}", study.name) for note in study_notes(study)]
    return "\n".join([*notes, "No problem found."])


def cut(run: Run, study: Path) -> tuple[xr.Dataset, list[Saved]]:
    """Cut the study into gait cycles; return them with their pictures: kept and skipped, and what they look like."""
    cycles, report = segment(load_study(study))
    drawn = cycle_timeline(report, synthetic=bool(cycles.attrs["synthetic"]))
    return cycles, [
        save_drawn(drawn, "own_timeline", run.site, page=PAGE),
        save_drawn(cycle_waveforms(cycles), "own_cycles", run.site, page=PAGE),
    ]


def refine(run: Run, cycles: xr.Dataset, condition: str, units: int, updates: int) -> list[Saved]:
    """Train, leaving one subject (or speed) out, and return the refined curves and the errors."""
    options = run.configuration.with_options(units=units, epochs=None, updates=updates)
    results = train_condition(
        cycles, condition, options, store=run.folder / "own" / "models", profile=run.profile, progress=False
    )
    errors = metrics.errors(results)
    synthetic = bool(cycles.attrs["synthetic"])
    table = tables.plain(
        statistics.summary(errors)[["muscle", "er_mean", "ci_low", "ci_high", "p_value", "n_units", "unit"]],
        "Improvement rate of each muscle",
        "Er: root mean square error of the refined activity relative to the simulated one, minus 1.",
        synthetic=synthetic,
    )
    return [
        save_drawn(refined_curves(results, errors, name=""), "own_refined", run.site, page=PAGE),
        save_table(table, "own_errors", run.site, page=PAGE),
    ]


def _answer(settings: Path, motion: str, synthetic: bool) -> None:
    text = settings.read_text(encoding="utf-8")
    if motion:
        text = text.replace('motion = ""', f'motion = "{motion}"')
    if synthetic:
        text = text.replace("synthetic = false", "synthetic = true")
    settings.write_text(text, encoding="utf-8")


def _example(folder: Path, seed: int) -> Files:
    """Write a SYNTHETIC study's files as a laboratory might keep them: own names, own labels, one EMG cut short."""
    shutil.rmtree(folder / "files", ignore_errors=True)
    made = write_study("running", folder / "made", seed=seed, subjects=4, speeds=2)
    rows = list(pd.read_csv(made / "trials.csv").itertuples())
    for row in rows:
        who, speed = f"P{str(row.subject)[-2:]}", f"{row.speed_m_s:g}ms"
        to = {kind: folder / "files" / kind / who for kind in ("activation", "emg", "forces")}
        for place in to.values():
            place.mkdir(parents=True, exist_ok=True)
        shutil.copy(made / str(row.activation), to["activation"] / f"{speed}_StaticOptimization_activation.sto")
        shutil.copy(made / str(row.grf), to["forces"] / f"{speed}_grf.mot")
        emg = _as_typed(read_storage(made / str(row.emg)))
        write_storage(to["emg"] / f"{speed}_EMG.sto", _first(emg, 0.8) if row is rows[-1] else emg)
    shutil.rmtree(made)
    kept = folder / "files"
    return Files(kept / "activation", kept / "emg", kept / "forces", synthetic=True)


def _as_typed(emg: Storage) -> Storage:
    kept = [emg.labels.index(name) for name in CHANNELS]
    return replace(emg, labels=tuple(CHANNELS.values()), values=emg.values[:, kept])


def _first(emg: Storage, share: float) -> Storage:
    rows = int(share * len(emg.time))
    return replace(emg, time=emg.time[:rows], values=emg.values[:rows])
