"""One run of the companion: where its pieces lie, and the steps that make them."""

from __future__ import annotations

import json
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

import jax
import pandas as pd
import xarray as xr

from nem2e_lib.data.check import check_study
from nem2e_lib.data.cycles.segment import data_hash, load_cycles, save_cycles, save_report, segment
from nem2e_lib.data.study.load import load_study
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.style import Drawn
from nem2e_lib.project import ROOT
from nem2e_lib.site.saving import Saved, save, write_text
from nem2e_lib.site.tables import Table
from nem2e_lib.training import devices
from nem2e_lib.training.batching import Batching, choose
from nem2e_lib.training.conditions import CONDITIONS
from nem2e_lib.training.config import Configuration, profile
from nem2e_lib.training.forecast import Cost, forecast
from nem2e_lib.training.grid import Grid, grid
from nem2e_lib.training.results import load_results, save_results
from nem2e_lib.training.store import Store
from nem2e_lib.training.train import train_condition

# --- One run of the companion: where its pieces lie, and the steps that make them ---

SYNTHETIC = ("walking", "running")
SMOKE_SIZE = {"subjects": 3, "speeds": 2}


@dataclass(frozen=True)
class Run:
    """A folder under ``build/`` that holds one profile and one choice of studies.

    Attributes
    ----------
    folder
        Where everything of the run lies.
    profile, seed
        How models are trained.
    studies
        Study folders by the short name that pages and files carry.
    page
        The notebook that has opened it: what it shows is listed under that name.
    """

    folder: Path
    profile: str
    seed: int
    studies: dict[str, Path]
    page: str = ""

    @classmethod
    def open(cls, folder: str = "", page: str = "") -> Run:
        """Open a run that 01_download has begun; see `open_run`."""
        return replace(open_run(folder), page=page)

    def show(self, shown: Drawn | Table, name: str) -> Saved:
        """Save a figure or a table into the site under a name, and return it so that a notebook shows it.

        Parameters
        ----------
        shown
            What a function of `nem2e_lib.figures` or `nem2e_lib.site.tables` returned.
        name
            Of its files: ``<name>.svg`` and ``<name>.csv``, or ``<name>.html`` and ``<name>.csv``.

        Raises
        ------
        Nem2eError
            If its data are SYNTHETIC and its title does not say so, or it has no text for those who cannot see it.
        """
        return save(shown, name, self.site, page=self.page)

    @property
    def configuration(self) -> Configuration:
        """Options of network and training."""
        return profile(self.profile).with_options(seed=self.seed)

    @property
    def site(self) -> Path:
        """What is published when every notebook has succeeded."""
        return self.folder / "site"

    @property
    def is_synthetic(self) -> bool:
        """Whether the run made its studies itself."""
        return all((self.folder / "studies").resolve() in path.parents for path in self.studies.values())

    def of(self, study: str, file: str) -> Path:
        """Return the path of a study's file; an unknown study raises `Nem2eError`."""
        if study not in self.studies:
            raise Nem2eError(
                f"{self.folder}: there is no study {study!r}, it has {', '.join(self.studies)}; choose one."
            )
        return self.folder / study / file

    def cycles(self, study: str) -> xr.Dataset:
        """Load a study's segmented cycles."""
        path = self.of(study, "cycles.nc")
        if not path.exists():
            raise Nem2eError(f"{path}: there are no cycles yet; run 02_segment for the study {study} first.")
        return load_cycles(path)

    def results(self, study: str) -> dict[str, xr.Dataset]:
        """Load a study's trained conditions, in the order of the paper, under the study's short name."""
        found = {condition: load_results(self.of(study, f"{condition}.nc")) for condition in CONDITIONS}
        return {condition: results.assign_attrs(study=study) for condition, results in found.items()}

    def all_results(self) -> dict[str, dict[str, xr.Dataset]]:
        """Load the trained conditions of every study."""
        return {study: self.results(study) for study in self.studies}


def run_folder(folder: str = "", profile: str = "demo", seed: int = 0) -> Path:
    """Return the run's folder: the one given, else the one that ``make paper`` uses for profile and seed."""
    return Path(folder) if folder else ROOT / "build" / f"{profile}-seed{seed}"


def open_run(folder: str = "") -> Run:
    """Open a run that 01_download has begun.

    Raises
    ------
    Nem2eError
        When there is none.
    """
    devices.configure()  # before anything asks JAX what it runs on
    path = run_folder(folder) / "run.json"
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        raise Nem2eError(f"{path}: this run has not begun; run 01_download or `make paper` first.") from None
    studies = {name: Path(where) for name, where in found["studies"].items()}
    return Run(path.parent, found["profile"], found["seed"], studies)


def begin(folder: str = "", profile: str = "demo", seed: int = 0, study: str = "", name: str = "") -> Run:
    """Begin a run with the user's study, or with the two synthetic ones, and write ``run.json``.

    Parameters
    ----------
    folder
        Folder of the run; see `run_folder`.
    profile, seed
        How models are trained; the seed also makes the synthetic studies.
    study
        Folder of the user's study; empty for the synthetic ones.
    name
        Short name of the user's study for files and pages; default: its folder's name.

    Raises
    ------
    Nem2eError
        With the first problem of the user's study.
    """
    where = run_folder(folder, profile, seed)
    own = {name or f"study-{Path(study).resolve().name}": Path(study).resolve()} if study else {}
    studies = own or _synthetic(where / "studies", profile, seed)
    for path in own.values():
        _require_sound(path)
    places = {key: str(path.resolve()) for key, path in studies.items()}
    content = {"profile": profile, "seed": seed, "studies": places}
    write_text(where / "run.json", json.dumps(content, indent=1) + "\n")
    return open_run(str(where))


def _synthetic(folder: Path, profile: str, seed: int) -> dict[str, Path]:
    from nem2e_lib.data.synthetic import Knobs, write_study

    size = SMOKE_SIZE if profile == "smoke" else {}
    return {motion: write_study(motion, folder / motion, Knobs(), seed, **size) for motion in SYNTHETIC}


def _require_sound(study: Path) -> None:
    problems = check_study(study)
    if problems:
        more = f" ({len(problems) - 1} more: nem2e study check {study})" if len(problems) > 1 else ""
        raise Nem2eError(problems[0] + more)


def cut(run: Run, study: str) -> tuple[xr.Dataset, pd.DataFrame]:
    """Cut a study into cycles, save them, and return them with the report of every cycle kept or skipped."""
    dataset, report = segment(load_study(run.studies[study]))
    run.of(study, "cycles.nc").parent.mkdir(parents=True, exist_ok=True)
    save_report(report, run.of(study, "segments.csv"))
    save_cycles(dataset, run.of(study, "cycles.nc"))
    return dataset, report


# --- Training within a run: what is trained, what it will cost, and asking before days of it ---

SMOKE_CHANNELS = {"walking": ("soleus", "tib", "rect"), "running": ("bi", "tib", "soleus")}
"""Channels that the smoke profile trains; of any other study it takes the first two."""
LONG = 3600.0
"""Seconds of training on a processor above which the user is asked first."""


def plan_training(
    run: Run, study: str, condition: str, configuration: Configuration, seeds: int = 1
) -> tuple[Grid, Batching, Cost]:
    """Return the grid of a condition, how it would be batched, and what its unfinished models cost."""
    cycles = run.cycles(study)
    channels = trained_channels(run, study, cycles)
    chosen = cycles if channels is None else cycles.sel(channel=channels)
    work = grid(chosen, condition, configuration, data_hash(cycles), seeds=seeds)
    store, plan = Store(run.of(study, "models")), choose(work)
    return work, plan, forecast(work, plan, [model for model in work.models if not store.holds(work.key(model))])


def train(
    run: Run,
    study: str,
    condition: str,
    configuration: Configuration | None = None,
    *,
    seeds: int = 1,
    confirm: bool = False,
    executor: Executor | None = None,
) -> xr.Dataset:
    """Train a condition, save and return its results; finished models are not trained again.

    Raises
    ------
    Nem2eError
        Where training would keep a processor busy for more than `LONG` seconds and `confirm` is False.
    """
    chosen = configuration or run.configuration
    _, plan, price = plan_training(run, study, condition, chosen, seeds)
    if price.seconds > LONG and not confirm and jax.default_backend() == "cpu":
        raise Nem2eError(
            f"{study}, {condition}: {price} on this processor; start again with CONFIRM=1 (in the notebook: confirm = "
            "True) if that is meant, or choose PROFILE=demo."
        )
    cycles = run.cycles(study)
    results = train_condition(
        cycles,
        condition,
        chosen,
        seeds=seeds,
        channels=trained_channels(run, study, cycles),
        store=run.of(study, "models"),
        executor=executor,
        batching=plan,
        profile=run.profile,
    )
    save_results(results, run.of(study, f"{condition}.nc"))
    return results


def trained_channels(run: Run, study: str, cycles: xr.Dataset) -> list[str] | None:
    """Return the EMG channels that the profile trains; None for all."""
    if run.profile != "smoke":
        return None
    have = [str(name) for name in cycles.channel.values]
    return [name for name in SMOKE_CHANNELS.get(study, ()) if name in have] or have[:2]
