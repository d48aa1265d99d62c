"""The refiner that a run keeps, and a trial refined with it: what 09_refine calls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from nem2e_lib.data.cycles.find import find_cycles
from nem2e_lib.data.cycles.segment import resample
from nem2e_lib.data.storage.storage import read_storage
from nem2e_lib.data.study.load import load_study
from nem2e_lib.data.synthetic import write_newcomer
from nem2e_lib.figures.recording import refined_trial
from nem2e_lib.paper.run import Run
from nem2e_lib.refiner import Refiner, train
from nem2e_lib.refiner.refined import Refined
from nem2e_lib.refiner.spans import Span
from nem2e_lib.site import tables
from nem2e_lib.site.saving import Saved, save_drawn, save_table
from nem2e_lib.training.results import load_results

PAGE = "09_refine"
FOLDER = "refiner"
PUBLISHED = 2_000_000
"""Bytes up to which a refiner is published with the pages."""


@dataclass(frozen=True)
class Trial:
    """A trial to refine, and its EMG.

    Attributes
    ----------
    refined : Refined
    measured : Dataset
        `emg` (cycle, sample, channel) and `emg_waveform` (cycle, phase, channel) of its refined cycles.
    told : str
        Whether the refiner has seen this person.
    """

    refined: Refined
    measured: xr.Dataset
    told: str


def keep(run: Run, study: str = "", condition: str = "one_entire") -> Path:
    """Train the run's refiner on everybody, take its error from the trained condition, save it and return its path.

    Parameters
    ----------
    run
        A run whose conditions are trained.
    study
        By its short name; default: running where there is that study, else the first.
    condition
        One of the paper's; with `one_entire` a refiner reads only the muscles that it refines.
    """
    name = study or ("running" if "running" in run.studies else next(iter(run.studies)))
    results = load_results(run.of(name, f"{condition}.nc"))
    refiner = train(
        run.cycles(name),
        condition,
        run.configuration,
        seeds=results.sizes["seed"],
        muscles=[str(channel) for channel in results.channel.values],
        results=results,
        store=run.of(name, "models"),
        settings=load_study(run.studies[name]).settings,
        profile=run.profile,
    )
    path = run.folder / FOLDER / f"{name}.refiner"
    path.parent.mkdir(parents=True, exist_ok=True)
    refiner.save(path, "float16")
    return path


def offer(run: Run, path: Path) -> str:
    """Put the refiner, and an example where the study is synthetic, beside the pages; say how to use it there."""
    folder, study = run.site / FOLDER, path.stem
    if path.stat().st_size > PUBLISHED:
        return f"{path.name} is {path.stat().st_size / 1e6:.0f} MB large, so it stays with the run, in {FOLDER}/."
    folder.mkdir(parents=True, exist_ok=True)
    Refiner.load(path).save(folder / path.name, "float16")
    example = "ACTIVATION.sto --grf FORCES.mot"
    if run.is_synthetic:
        files = write_newcomer(study, folder, run.seed)
        example = " ".join([f"{FOLDER}/{files['activation'].name}", "--grf", f"{FOLDER}/{files['grf'].name}"])
    return f"nem2e refine {FOLDER}/{path.name} {example} --out refined.sto"


def example(run: Run, path: Path) -> Trial:
    """Refine a trial: of somebody new where the study is synthetic, else the study's first."""
    refiner = Refiner.load(path)
    return _newcomer(run, refiner, path.stem) if run.is_synthetic else _first(run, refiner, path.stem)


def _newcomer(run: Run, refiner: Refiner, study: str) -> Trial:
    files = write_newcomer(study, run.folder / FOLDER / "example", run.seed)
    refined = refiner.refine(files["activation"], grf=files["grf"])
    emg = read_storage(files["emg"])
    emg = replace(
        emg, labels=refiner.manifest.names, values=np.column_stack([emg.column(n) for n in refiner.manifest.names])
    )
    points = {"sample": refined.mean.sample.values, "phase": np.linspace(0, 100, refiner.manifest.cycle.phases)}
    cut = {
        name: (
            ("cycle", dim, "channel"),
            np.stack([resample(emg, s.start_s, s.end_s, s.number, points[dim]) for s in refined.refined]),
        )
        for name, dim in (("emg", "sample"), ("emg_waveform", "phase"))
    }
    measured = xr.Dataset(cut, coords={**points, "channel": list(refiner.manifest.names)})
    return Trial(refined, measured, "The refiner has never seen this person.")


def _first(run: Run, refiner: Refiner, name: str) -> Trial:
    study, cycles = load_study(run.studies[name]), run.cycles(name)
    trial = str(cycles.trial.values[0])
    rows = find_cycles(study)
    rows = rows[(rows["trial"] == trial) & rows["kept"]]
    spans = [Span(int(r["number"]), float(r["start_s"]), float(r["end_s"])) for r in rows.to_dict("records")]
    definition = str(cycles.attrs["cycle_definition"])
    refined = refiner.refine(study.activation(trial), cycles=spans, definition=definition)
    measured = cycles.sel(channel=list(refiner.manifest.names)).isel(cycle=cycles.trial.values == trial)
    told = f"The refiner was trained on this very trial ({trial}): it shows the tool, not how well it does on others."
    return Trial(refined, measured[["emg", "emg_waveform"]], told)


def picture(run: Run, trial: Trial) -> Saved:
    """Draw the trial and save it with the run's pages."""
    drawn = refined_trial(trial.refined, trial.measured["emg_waveform"])
    return save_drawn(drawn, "refined_trial", run.site, page=PAGE)


def errors(trial: Trial) -> pd.DataFrame:
    """Error of the trial beside the error that the refiner tells of itself, a row a muscle."""
    refined, rows = trial.refined, []
    for out in refined.manifest.outputs:
        emg = trial.measured["emg"].sel(channel=out.name).transpose("cycle", "sample").values
        guess = refined.mean.sel(channel=out.name).transpose("cycle", "sample").values
        given = refined.cycles.activation.sel(muscle=out.muscle).transpose("cycle", "sample").values
        told = out.held_out
        within = np.nan if told is None else float((np.abs(guess - emg) <= np.array(told.by_phase)).mean())
        rows.append(
            {
                "muscle": out.name,
                "of": out.muscle,
                "rmse_simulated": _rmse(given - emg),
                "rmse_refined": _rmse(guess - emg),
                "within_band": within,
                "held_out_rmse": np.nan if told is None else told.rmse_refined,
                "held_out_within_band": np.nan if told is None or told.coverage is None else told.coverage,
            }
        )
    return pd.DataFrame(rows)


def table(run: Run, trial: Trial) -> Saved:
    """Save `errors` as a table."""
    shown = tables.plain(
        errors(trial),
        "This trial beside what the refiner says of itself",
        "Root mean square errors against measured EMG over the refined cycles; within_band: share of samples within "
        f"± the held-out error at their phase. {trial.told}",
        synthetic=trial.refined.synthetic,
    )
    return save_table(shown, "refined_trial_table", run.site, page=PAGE)


def _rmse(difference: np.ndarray) -> float:
    return float(np.sqrt((difference**2).mean(axis=-1)).mean())
