"""One run of the companion: where its pieces lie, and the steps that make them."""

from __future__ import annotations

import json
from collections.abc import Collection
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import xarray as xr

from nem2e_lib.charts.chart import Chart
from nem2e_lib.data.check import check_study
from nem2e_lib.data.cycles.segment import load_cycles, save_cycles, save_report, segment
from nem2e_lib.data.study.load import load_study
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.style import Drawn
from nem2e_lib.project import ROOT
from nem2e_lib.site.saving import Saved, save, write_text
from nem2e_lib.site.tables import Table
from nem2e_lib.training import devices, numerics
from nem2e_lib.training.conditions import CONDITIONS
from nem2e_lib.training.config import Configuration, profile
from nem2e_lib.training.results import load_results, save_results
from nem2e_lib.training.train import Plan, plan

SYNTHETIC = ("walking", "running")
OPEN = "open"
"""What `data` is called where the studies are of open recordings."""
FIRST = "synthetic-1"
"""What `data` is called where the SYNTHETIC studies are those of generator 1."""
SMOKE_SIZE = {"subjects": 3, "speeds": 2}
SMOKE_CHANNELS = {"walking": ("soleus", "tib", "rect"), "running": ("bi", "tib", "soleus")}
"""Channels that the smoke profile trains; of any other study it takes the first two."""
LONG = 3600.0
"""Seconds of training on a processor above which the user is asked first."""


@dataclass(frozen=True)
class Run:
    """A folder under ``build/`` that holds one profile and one choice of studies: `Run.begin` it, then `Run.open` it.

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
    data
        ``open`` where the studies are the open recordings of real people, ``synthetic-1`` where they are SYNTHETIC
        ones of generator 1, else empty.
    """

    folder: Path
    profile: str
    seed: int
    studies: dict[str, Path]
    page: str = ""
    data: str = ""

    @classmethod
    def begin(
        cls,
        folder: str = "",
        profile: str = "demo",
        seed: int = 0,
        study: str = "",
        name: str = "",
        data: str = "",
        simulate: bool = False,
    ) -> Run:
        """Begin a run with the user's study, the open recordings or the two synthetic studies; write ``run.json``.

        Parameters
        ----------
        folder
            Folder of the run; empty for the one that ``make paper`` uses for profile and seed.
        profile, seed
            How models are trained; the seed also makes the synthetic studies.
        study
            Folder of the user's study; empty for the synthetic ones.
        name
            Short name of the user's study for files and pages; default: its folder's name.
        data
            ``open`` for the studies of open recordings (`simulate.people`), which are fetched; ``synthetic-1`` for the
            SYNTHETIC ones of generator 1; empty for neither.
        simulate
            Whether their activation is simulated anew, which needs OpenSim; what is made on the way lies beside the
            run, under ``open``, so that every run shares it.

        Raises
        ------
        Nem2eError
            With the first problem of the user's study, or if the open recordings cannot be had.
        """
        if data not in ("", OPEN, FIRST) or (data and study):
            known = f"{OPEN!r}, {FIRST!r} or nothing"
            wrong = "two choices of studies" if study else f"data is {data!r}, but {known} is expected"
            raise Nem2eError(f"Run.begin: {wrong}; give a study of your own, or data='{OPEN}', or neither.")
        where = _folder(folder, profile, seed, data)
        own = {name or f"study-{Path(study).resolve().name}": Path(study).resolve()} if study else {}
        studies = own or (
            _recorded(where / "studies", where.parent / OPEN, simulate)
            if data == OPEN
            else _synthetic(where / "studies", profile, seed, 1 if data == FIRST else None)
        )
        for path in own.values():
            _require_sound(path)
        places = {key: str(path.resolve()) for key, path in studies.items()}
        content = {"profile": profile, "seed": seed, "data": data, "studies": places}
        write_text(where / "run.json", json.dumps(content, indent=1) + "\n")
        return cls.open(str(where))

    @classmethod
    def open(cls, folder: str = "", page: str = "") -> Run:
        """Open a run that 01_download has begun.

        Parameters
        ----------
        folder
            Folder of the run; empty for the one of the profile ``demo`` and seed 0.
        page
            The notebook that opens it.

        Raises
        ------
        Nem2eError
            When there is none.
        """
        devices.configure()  # before anything asks JAX what it runs on
        path = _folder(folder) / "run.json"
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise Nem2eError(f"{path}: this run has not begun; run 01_download or `make paper` first.") from None
        studies = {name: Path(where) for name, where in found["studies"].items()}
        return cls(path.parent, found["profile"], found["seed"], studies, page, found.get("data", ""))

    def show(self, shown: Drawn | Chart | Table, name: str) -> Saved:
        """Save a figure, a chart or a table into the site under a name, and return it so that a notebook shows it.

        Parameters
        ----------
        shown
            What a function of `nem2e_lib.figures`, `nem2e_lib.charts` or `nem2e_lib.site.tables` returned.
        name
            Of its files: ``<name>.csv`` (much data: ``<name>.csv.zip``) beside ``<name>.svg`` or
            ``<name>.html``, and of a chart ``charts/<name>.js``.

        Raises
        ------
        Nem2eError
            If its data are SYNTHETIC and its title does not say so, or it has no text for those who cannot see it.
        """
        return save(shown, name, self.site, page=self.page)

    # --- what it is made of ---

    @property
    def configuration(self) -> Configuration:
        """Options of network and training."""
        return profile(self.profile).with_options(seed=self.seed)

    @property
    def site(self) -> Path:
        """What is published when every notebook has succeeded."""
        return self.folder / "site"

    @property
    def generator(self) -> int | None:
        """Generator of the run's SYNTHETIC studies; None for the default one."""
        return 1 if self.data == FIRST else None

    @property
    def is_synthetic(self) -> bool:
        """Whether the run made its studies itself, of nobody's data."""
        return self.data != OPEN and all(
            (self.folder / "studies").resolve() in path.parents for path in self.studies.values()
        )

    def describe(self) -> pd.DataFrame:
        """Return one row a study: its size, who simulated it, and whether it is synthetic."""
        return pd.DataFrame([_described(name, path) for name, path in self.studies.items()])

    def of(self, study: str, file: str) -> Path:
        """Return the path of a study's file; an unknown study raises `Nem2eError`."""
        if study not in self.studies:
            raise Nem2eError(
                f"{self.folder}: there is no study {study!r}, it has {', '.join(self.studies)}; choose one."
            )
        return self.folder / study / file

    # --- its cycles ---

    def keep(self, study: str, cycles: xr.Dataset, report: pd.DataFrame) -> None:
        """Save what `segment` made of a study: its cycles, and the report of every cycle kept or skipped."""
        self.of(study, "cycles.nc").parent.mkdir(parents=True, exist_ok=True)
        save_report(report, self.of(study, "segments.csv"))
        save_cycles(cycles, self.of(study, "cycles.nc"))

    def segment(self, study: str) -> tuple[xr.Dataset, pd.DataFrame]:
        """Cut a study into cycles, keep them, and return them with the report."""
        cycles, report = segment(load_study(self.studies[study]))
        self.keep(study, cycles, report)
        return cycles, report

    def cycles(self, study: str) -> xr.Dataset:
        """Load a study's segmented cycles."""
        path = self.of(study, "cycles.nc")
        if not path.exists():
            raise Nem2eError(f"{path}: there are no cycles yet; run 02_segment for the study {study} first.")
        return load_cycles(path)

    # --- its training ---

    def plan(
        self,
        study: str,
        condition: str,
        configuration: Configuration | None = None,
        *,
        seeds: int = 1,
        channels: Collection[str] | None = None,
    ) -> Plan:
        """Plan to train a condition of a study, into the run's store.

        On the EMG channels of the profile, or on those of `channels` that the study has; all of them if it has none.
        """
        cycles = self.cycles(study)
        have = [str(name) for name in cycles.channel.values]
        some = [name for name in have if channels is not None and name in channels]
        few = [name for name in SMOKE_CHANNELS.get(study, ()) if name in have] or have[:2]
        return plan(
            cycles,
            condition,
            configuration or self.configuration,
            seeds=seeds,
            channels=few if self.profile == "smoke" else some or None,
            store=self.of(study, "models"),
            profile=self.profile,
        )

    def train(
        self,
        study: str,
        condition: str,
        configuration: Configuration | None = None,
        *,
        seeds: int = 1,
        channels: Collection[str] | None = None,
        confirm: bool = False,
        executor: Executor | None = None,
    ) -> xr.Dataset:
        """Train a condition, save and return its results; finished models are not trained again.

        Raises
        ------
        Nem2eError
            As `require_confirmed`.
        """
        planned = self.plan(study, condition, configuration, seeds=seeds, channels=channels)
        require_confirmed(planned, confirm)
        results = planned.run(executor=executor)
        save_results(results, self.of(study, f"{condition}.nc"))
        return results

    def results(self, study: str) -> dict[str, xr.Dataset]:
        """Load a study's trained conditions, in the order of the paper, under the study's short name."""
        found = {condition: load_results(self.of(study, f"{condition}.nc")) for condition in CONDITIONS}
        return {condition: results.assign_attrs(study=study) for condition, results in found.items()}

    def all_results(self) -> dict[str, dict[str, xr.Dataset]]:
        """Load the trained conditions of every study."""
        return {study: self.results(study) for study in self.studies}


def require_confirmed(planned: Plan, confirm: bool) -> None:
    """Ask before a processor is kept busy for hours.

    Raises
    ------
    Nem2eError
        Where training would keep a processor busy for more than `LONG` seconds and `confirm` is False.
    """
    if not confirm and numerics.backend() == "cpu" and planned.cost.seconds > LONG:
        raise Nem2eError(
            f"{planned.cycles.attrs['study']}, {planned.grid.condition}: {planned.cost} on this processor; start again "
            "with CONFIRM=1 (in the notebook: confirm = True) if that is meant, or choose PROFILE=demo."
        )


def _folder(folder: str = "", profile: str = "demo", seed: int = 0, data: str = "") -> Path:
    return Path(folder) if folder else ROOT / "build" / "-".join(filter(None, (data, profile, f"seed{seed}")))


def _recorded(folder: Path, work: Path, simulate: bool) -> dict[str, Path]:
    from nem2e_lib.simulate.people import STUDIES, open_study

    for name in STUDIES:
        open_study(name, folder / name, anew=simulate, work=work / name)
    return {name: folder / name for name in STUDIES}


def _synthetic(folder: Path, profile: str, seed: int, generator: int | None) -> dict[str, Path]:
    from nem2e_lib.data.synthetic import write_study

    size = SMOKE_SIZE if profile == "smoke" else {}
    return {
        motion: write_study(motion, folder / motion, None, seed, generator=generator, **size) for motion in SYNTHETIC
    }


def _require_sound(study: Path) -> None:
    problems = check_study(study)
    if problems:
        more = f" ({len(problems) - 1} more: nem2e study check {study})" if len(problems) > 1 else ""
        raise Nem2eError(problems[0] + more)


def _described(name: str, path: Path) -> dict[str, object]:
    study = load_study(path)
    settings = study.settings
    return {
        "study": name,
        "name": settings.name,
        "data": "SYNTHETIC" if settings.synthetic else "measured",
        "motion": settings.motion,
        "subjects": len({trial.subject for trial in study.trials}),
        "speeds": len({trial.speed for trial in study.trials}),
        **({"conditions": len({trial.condition for trial in study.trials})} if study.has_conditions else {}),
        "trials": len(study.trials),
        "activation columns": len(study.muscles),
        "EMG channels": len(study.channels),
        "simulated by": settings.simulated_by,
    }
