"""The open recordings as studies: fetched, converted, simulated where asked for, and written as study folders.

Activation that was simulated once comes with the library (`data.open.kept`), so that a study needs no OpenSim.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from nem2e_lib.data.c3d.recording import read_c3d
from nem2e_lib.data.c3d.study import Built
from nem2e_lib.data.files import whole_folder, write_text
from nem2e_lib.data.open import children, runner
from nem2e_lib.data.open.fetch import fetch_open
from nem2e_lib.data.open.kept import DIGITS, provenance, unpack, unpack_inputs
from nem2e_lib.data.open.sources import recordings as sets
from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.data.tables import near, read_table
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.batch import simulate
from nem2e_lib.simulate.hamner import OPTIONS as RUNNING
from nem2e_lib.simulate.inputs import write_inputs
from nem2e_lib.simulate.laboratory import agreement
from nem2e_lib.simulate.options import BY_MASS, Options
from nem2e_lib.simulate.osim import opensim_version
from nem2e_lib.simulate.trial import read_trials

MADE = "provenance.json"
"""File of the study folder that tells how its activation was made."""
MODEL = "hamner_subject01/model/Hamner2010_v4_subject01.osim"
"""Model of both studies, among the open recordings; the children's is scaled to each of them."""


@dataclass(frozen=True)
class OpenStudy:
    """A study of open recordings, and how it is made.

    Attributes
    ----------
    name : str
        Short name, on pages and for the command line.
    recordings : str
        Its set among the open recordings.
    prepare : callable
        Recordings and work folder to a table of trials, as `simulate` takes it.
    build : callable
        Recordings, work folder, folder of activation, study folder, and what ``study.toml`` says, to the study.
    needed : callable
        A row of the table of trials and its activation to what of it `build` reads.
    steps : sequence of str
    options : Options
    simulated_by : str
        How activation was simulated, without the version of OpenSim.
    c3d : str
        Folder of its C3D files among the recordings, with the laboratory's own angles and moments; empty for none.
    """

    name: str
    recordings: str
    prepare: Callable[[Path, Path], Path]
    build: Callable[[Path, Path, Path, Path, Mapping[str, str]], Built]
    needed: Callable[[Mapping[str, str], Storage], Storage]
    steps: Sequence[str]
    options: Options
    simulated_by: str
    c3d: str = ""

    @property
    def facts(self) -> dict[str, Any]:
        """Who was recorded, under which licence, and what to cite: a row of `data.open.sources.recordings`."""
        table = sets().set_index("set")
        return {str(key): value for key, value in table.loc[self.recordings].to_dict().items()}


STUDIES = {
    study.name: study
    for study in (
        OpenStudy(
            "children",
            "children_walk",
            children.prepare,
            children.build,
            children.needed,
            ("scale", "ik", "so"),
            Options(marker_set="plug_in_gait", strength=BY_MASS),
            "static optimisation with the Hamner 2010 model scaled to each child",
            children.C3D,
        ),
        OpenStudy(
            "runner",
            "hamner_subject01",
            runner.prepare,
            runner.build,
            runner.needed,
            ("so",),
            RUNNING,
            "static optimisation of the published joint angles (not the dataset's own computed muscle control)",
        ),
    )
}
"""Every study of open recordings, by name."""


def open_study(
    name: str,
    out: str | Path,
    *,
    anew: bool = False,
    work: str | Path | None = None,
    workers: int | None = None,
    progress: bool = True,
) -> Built:
    """Make a study folder of open recordings, which are fetched first unless they are there.

    Parameters
    ----------
    name : str
        Of `STUDIES`.
    out : path
        Study folder to write; one that is there is replaced if it was made by this function.
    anew : bool
        Whether to simulate activation anew with OpenSim, instead of taking that which comes with the library.
    work : path, optional
        Folder of what is made on the way, where simulations that are finished are not repeated; default: if `anew`,
        beside `out`, called after it with ``-work``, else none that stays.
    workers : int, optional
        Trials that are simulated at the same time; default: as many as there are cores.
    progress : bool

    Returns
    -------
    Built
        Its trials, how many cycles, and what is to be told.

    Raises
    ------
    Nem2eError
        If there is no such study, a recording cannot be had, a simulation fails, or a folder cannot be written.
    """
    if name not in STUDIES:
        raise Nem2eError(f"There is no open study {name!r}; choose one of {', '.join(STUDIES)}{near(name, STUDIES)}.")
    study, target = STUDIES[name], Path(out)
    _require_own(target)
    recordings = fetch_open([study.recordings, MODEL] if anew else study.recordings, progress=progress)
    with _working(target, work, stays=anew) as place:
        trials = study.prepare(recordings, place / "trials")
        if anew:
            simulated = place / "simulated"
            source = simulate_study(study, trials, recordings / MODEL, simulated, workers=workers, progress=progress)
            for trial in read_trials(trials):
                folder = simulated / trial.trial
                write_inputs(trial, recordings / MODEL, folder, study.options.cutoff_hz)
            source["laboratory"] = beside_laboratory(study, recordings, place / "trials", simulated)
        else:
            simulated, source = place / "kept", provenance(name)
            shutil.rmtree(simulated, ignore_errors=True)
            unpack(name, simulated)
            unpack_inputs(name, simulated)
        fresh = place / "study"
        shutil.rmtree(fresh, ignore_errors=True)
        built = study.build(recordings, place / "trials", simulated, fresh, _said(study, source["opensim"]))
        told = {"study": name, "anew": anew, "told": built.told, **source}
        write_text(fresh / MADE, json.dumps(told, indent=1, ensure_ascii=False) + "\n")
        with whole_folder(target) as partial:
            shutil.copytree(fresh, partial, dirs_exist_ok=True)
    return built


@contextmanager
def _working(target: Path, work: str | Path | None, *, stays: bool) -> Iterator[Path]:
    """Give the folder of what is made on the way; one that nobody named is gone afterwards unless it `stays`."""
    if work is not None or stays:
        yield Path(work) if work is not None else target.with_name(f"{target.name}-work")
        return
    with TemporaryDirectory(prefix="nem2e-") as folder:
        yield Path(folder)


def _said(study: OpenStudy, version: str) -> dict[str, str]:
    """What ``study.toml`` says of where the data are from."""
    facts = study.facts
    simulated_by = f"{study.simulated_by} (OpenSim {version})"
    return {"simulated_by": simulated_by, "citation": facts["cite"], "licence": facts["licence"]}


def _require_own(target: Path) -> None:
    """Refuse a folder that holds anything but a study of open recordings."""
    empty = not target.exists() or (target.is_dir() and not any(target.iterdir()))
    if not empty and not (target / MADE).is_file():
        raise Nem2eError(f"{target}: is there already and is no study of open recordings; name a new folder.")


def simulate_study(
    study: OpenStudy,
    trials: Path,
    model: Path,
    out: Path,
    *,
    workers: int | None = None,
    progress: bool = True,
) -> dict[str, Any]:
    """Simulate every trial that is not finished yet.

    Returns
    -------
    dict
        What made the activation, ready for JSON: ``opensim`` (version), ``steps``, ``options``, and of each of the
        ``trials`` its window, verdict and why.

    Raises
    ------
    Nem2eError
        If OpenSim is not installed, or a trial failed; what is finished stays.
    """
    table = simulate(trials, model, out, steps=study.steps, options=study.options, workers=workers, progress=progress)
    failed = table.loc[table["status"] == "failed", ["trial", "reason"]]
    if len(failed):
        told = " ".join(f"{row['trial']}: {row['reason']}" for row in failed.to_dict("records"))
        raise Nem2eError(f"{len(failed)} of {len(table)} trials were not simulated; start again for these. {told}")
    asked = read_table(trials, ("trial", "start_s", "end_s")).set_index("trial")
    return {
        "opensim": opensim_version(),
        "steps": list(study.steps),
        "options": {**study.options.content(), "marker_set": study.options.marker_set},
        "trials": {
            row["trial"]: {
                "start_s": float(asked.loc[row["trial"], "start_s"]),
                "end_s": float(asked.loc[row["trial"], "end_s"]),
                "verdict": row["verdict"],
                "why": row.get("why", ""),
            }
            for row in table.to_dict("records")
        },
    }


def beside_laboratory(study: OpenStudy, recordings: Path, work: Path, simulated: Path) -> list[dict[str, Any]]:
    """Return how far angles and moments of the measured leg agree with the laboratory's own in the same C3D files.

    Parameters
    ----------
    study : OpenStudy
    recordings, work, simulated : Path
        The open recordings, what `OpenStudy.prepare` left, and what `simulate_study` left.

    Returns
    -------
    list of dict
        A row a trial, contact, quantity and joint: ``trial``, and as of `laboratory.agreement`; none where the study
        has no C3D files.
    """
    if not study.c3d:
        return []
    files = read_table(work / "mapping" / "recordings.csv", ("trial", "file")).set_index("trial")["file"]
    contacts = read_table(work / "contacts.csv", ("trial", "foot", "start_s", "off_s", "next_strike_s", "doubts"))
    rows: list[Any] = []
    for walk in read_table(work / "trials.csv", ("trial", "leg", "mass_kg")).to_dict("records"):
        own = contacts[(contacts["trial"] == walk["trial"]) & (contacts["foot"] == walk["leg"])]
        recording = read_c3d(recordings / study.c3d / files[walk["trial"]])
        found = agreement(simulated / walk["trial"], recording, own, float(walk["mass_kg"]))
        rows += found.round(DIGITS).assign(trial=walk["trial"]).to_dict("records")
    return rows


def laboratory(folder: Path) -> pd.DataFrame:
    """Return how far an open study agrees with the laboratory's own angles and moments: rows of `beside_laboratory`.

    Raises
    ------
    Nem2eError
        As `made`.
    """
    return pd.DataFrame(made(folder).get("laboratory", []))


def made(folder: Path) -> dict[str, Any]:
    """Return how an open study came about, as its folder tells.

    Returns
    -------
    dict
        What `simulate_study` or `kept.provenance` returned; ``study`` (name), ``anew`` (whether it was simulated for
        this folder), ``told`` (who was left out and why, one sentence each) and ``laboratory`` (`beside_laboratory`).

    Raises
    ------
    Nem2eError
        If `open_study` did not write the folder.
    """
    path = folder / MADE
    if not path.is_file():
        raise Nem2eError(f"{path}: no such file; name a study folder that `nem2e study open` wrote.")
    facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return facts


def verdicts(folder: Path) -> pd.DataFrame:
    """Return how far the activation of each trial of an open study can be believed.

    Parameters
    ----------
    folder : Path
        Study folder that `open_study` wrote.

    Returns
    -------
    DataFrame
        A row a trial: start_s, end_s, verdict, why, as `simulate` judged it.

    Raises
    ------
    Nem2eError
        As `made`.
    """
    trials = made(folder)["trials"]
    return pd.DataFrame.from_dict(trials, orient="index").drop(columns="sha256", errors="ignore").rename_axis("trial")
