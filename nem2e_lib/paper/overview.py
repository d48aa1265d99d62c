"""What a run holds and what a step of it did, as small tables for the first three notebooks."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import xarray as xr

from nem2e_lib.data.study.load import load_study
from nem2e_lib.figures.cycles import cycle_timeline, cycle_waveforms
from nem2e_lib.paper.run import Run, plan_training
from nem2e_lib.site.saving import Saved, save_drawn, save_table
from nem2e_lib.site.tables import Table, plain
from nem2e_lib.training.config import Configuration


def studies(run: Run) -> pd.DataFrame:
    """Return one row a study: its size, who simulated it, and whether it is synthetic."""
    return pd.DataFrame([_study_row(key, run) for key in run.studies])


def _study_row(key: str, run: Run) -> dict[str, object]:
    study = load_study(run.studies[key])
    settings = study.settings
    return {
        "study": key,
        "name": settings.name,
        "data": "SYNTHETIC" if settings.synthetic else "measured",
        "motion": settings.motion,
        "subjects": len({trial.subject for trial in study.trials}),
        "speeds": len({trial.speed for trial in study.trials}),
        "trials": len(study.trials),
        "activation columns": len(study.muscles),
        "EMG channels": len(study.channels),
        "simulated by": settings.simulated_by,
    }


def knobs(run: Run) -> pd.DataFrame:
    """Return the knobs of the synthetic studies; empty for a run with the user's own study."""
    from nem2e_lib.data.synthetic import Knobs

    rows = dataclasses.asdict(Knobs()) if run.is_synthetic else {}
    return pd.DataFrame({"knob": list(rows), "value": [str(value) for value in rows.values()]})


def kept_and_skipped(run: Run, study: str, report: pd.DataFrame) -> Saved:
    """Return and save, for each subject and speed, how many cycles were kept and skipped and how long they last."""
    groups = report.groupby(["subject", "speed"], sort=False)
    table = groups.agg(
        kept=("kept", "sum"), skipped=("kept", lambda kept: int((~kept).sum())), duration_s=("duration_s", "mean")
    ).reset_index()
    caption = f"{int(report['kept'].sum())} cycles kept, {int((~report['kept']).sum())} skipped."
    shown = plain(table, f"{report['study'].iloc[0]}: gait cycles", caption, synthetic=_synthetic(run, study))
    return save_table(shown, f"cycles_{study}", run.site, page=_page(study))


def skipped(run: Run, study: str, report: pd.DataFrame) -> Saved:
    """Return and save every skipped cycle with its reason."""
    table = report.loc[~report["kept"], ["trial", "subject", "speed", "number", "start_s", "end_s", "reason"]]
    caption = f"{len(table)} of {len(report)} cycles were skipped."
    title = f"{report['study'].iloc[0]}: skipped cycles"
    shown = plain(table, title, caption, synthetic=_synthetic(run, study))
    return save_table(shown, f"skipped_{study}", run.site, page=_page(study))


def timeline(run: Run, study: str, report: pd.DataFrame) -> Saved:
    """Draw and save where the cycles lie in their trials, kept and skipped."""
    drawn = cycle_timeline(report, synthetic=_synthetic(run, study))
    return save_drawn(drawn, f"timeline_{study}", run.site, page=_page(study))


def cycle_figure(run: Run, study: str, cycles: xr.Dataset) -> Saved:
    """Draw and save simulated activation and measured EMG of the kept cycles."""
    return save_drawn(cycle_waveforms(cycles), f"waveforms_{study}", run.site, page=_page(study))


def _page(study: str) -> str:
    return f"02_segment_{study}"


def _synthetic(run: Run, study: str) -> bool:
    return bool(load_study(run.studies[study]).settings.synthetic)


def forecast(run: Run, study: str, condition: str, configuration: Configuration, seeds: int = 1) -> str:
    """Return how much is to be trained and about what it costs."""
    work, _, cost = plan_training(run, study, condition, configuration, seeds)
    updates = [work.epochs * len(work.shown(model.fold, model.part)) for model in work.models]
    what = (
        f"{len(work.models)} models of {configuration.units} units, {work.epochs} epochs, "
        f"about {int(np.median(updates))} updates each"
    )
    if not cost.models:
        return f"{what}: all were found finished."
    return f"{what}. To train: {cost}; finished models are kept."


def losses(results: xr.Dataset) -> Table:
    """Return, for each EMG channel, the last losses (mean over models) and how many models diverged."""
    last, over = results.isel(epoch=-1), ["seed", "fold"]
    table = pd.DataFrame(
        {
            "muscle": results["channel"].to_numpy(),
            "models": results.sizes["seed"] * results.sizes["fold"],
            "training loss": last["training_loss"].mean(over).to_numpy(),
            "validation loss": last["validation_loss"].mean(over).to_numpy(),
            "diverged": results["diverged"].sum(over).to_numpy(),
        }
    )
    title = f"{results.attrs['study']}, {results.attrs['condition']}: losses after {results.sizes['epoch']} epochs"
    caption = (
        "Mean squared error, mean over the models of a muscle; each model's validation data are its held-out cycles."
    )
    return plain(table, title, caption, synthetic=bool(results.attrs["synthetic"]), digits=4)
