"""The trial that 09_refine refines, and the refiner that it leaves beside the pages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import xarray as xr

from nem2e_lib.data.storage.storage import Storage, read_storage
from nem2e_lib.data.study.load import load_study
from nem2e_lib.data.synthetic import write_newcomer
from nem2e_lib.figures.bands import calibration
from nem2e_lib.figures.panels import plural
from nem2e_lib.paper.run import Run
from nem2e_lib.refiner import Refiner
from nem2e_lib.refiner.manifest import Manifest
from nem2e_lib.refiner.refined import Refined
from nem2e_lib.refiner.spans import Span
from nem2e_lib.site.saving import Saved

FOLDER = "refiner"
PUBLISHED = 2_000_000
"""Bytes up to which a refiner is published with the pages."""
OFFERED = 4
"""Muscles of the SYNTHETIC refiner that is published: enough to try it."""


@dataclass(frozen=True)
class Trial:
    """A trial to refine, and its EMG.

    Attributes
    ----------
    activation : Path or Storage
        Simulated activation.
    grf : Path or None
        Ground reaction force, from which its cycles are cut.
    cycles : list of Span or None
        Its cycles, where they are cut already.
    emg : Storage or Dataset
        Envelopes over time by EMG name, or `emg` and `emg_waveform` of its cycles as ``cycles.nc`` holds them.
    told : str
        Whether the run's refiner has seen this person.
    """

    activation: Path | Storage
    grf: Path | None
    cycles: list[Span] | None
    emg: Storage | xr.Dataset
    told: str

    def measured(self, refined: Refined) -> xr.Dataset:
        """Return EMG of the refined cycles; see `Refined.measured`."""
        if isinstance(self.emg, Storage):
            return refined.measured(self.emg)
        kept = self.emg.number.isin([span.number for span in refined.refined])
        return self.emg[["emg", "emg_waveform"]].sel(channel=list(refined.manifest.names)).isel(cycle=kept.values)


def example(run: Run, study: str) -> Trial:
    """Return a trial to refine: of somebody new where the run is synthetic, else the study's first."""
    if run.is_synthetic:
        files = write_newcomer(study, run.folder / FOLDER / "example", run.seed, generator=run.generator)
        emg = read_storage(files["emg"])
        return Trial(files["activation"], files["grf"], None, emg, "The refiner has never seen this person.")
    cycles = run.cycles(study)
    name = str(cycles.trial.values[0])
    own = cycles.isel(cycle=cycles.trial.values == name)
    spans = [Span(*each) for each in zip(own.number.values.tolist(), own.start_s.values, own.end_s.values, strict=True)]
    told = f"The refiner was trained on this very trial ({name}): it shows the tool, not how well it does on others."
    return Trial(load_study(run.studies[study]).activation(name), None, spans, own, told)


def bands(run: Run, manifest: Manifest) -> Saved | str:
    """Show what a refiner's bands cover on those left out, or say what it is where that is not known."""
    return manifest.band_said if manifest.calibration().empty else run.show(calibration(manifest), "band_calibration")


def offer(run: Run, path: Path) -> str:
    """Put the refiner, and an example where the study is synthetic, beside the pages; say how to use it there."""
    folder, study = run.site / FOLDER, path.stem
    if path.stat().st_size > PUBLISHED:
        return f"{path.name} is {path.stat().st_size / 1e6:.0f} MB large, so it stays with the run, in {FOLDER}/."
    folder.mkdir(parents=True, exist_ok=True)
    refiner = Refiner.load(path)
    example, few = "ACTIVATION.sto --grf FORCES.mot", ""
    if run.is_synthetic:
        names = refiner.manifest.names
        refiner = refiner.only(names[:OFFERED])
        few = f"  # {', '.join(names[:OFFERED])}, of {plural(len(names), 'muscle')}"
        files = write_newcomer(study, folder, run.seed, generator=run.generator)
        example = " ".join([f"{FOLDER}/{files['activation'].name}", "--grf", f"{FOLDER}/{files['grf'].name}"])
    refiner.save(folder / path.name, "float16")
    return f"nem2e refine {FOLDER}/{path.name} {example} --out refined.sto{few}"
