"""What OpenSim and a refiner make of one person's walks: what 16_c3d_to_emg looks at after the files.

As in `nem2e_lib.motion.c3d_files`, a step returns the tables of a figure or the sentence why there are none.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from nem2e_lib.data.c3d.study import study_of
from nem2e_lib.data.columns import muscle_columns
from nem2e_lib.data.cycles.segment import segment
from nem2e_lib.data.labels import muscle_name
from nem2e_lib.data.markers.trc import read_markers
from nem2e_lib.data.muscles import TRUNK, base, side
from nem2e_lib.data.storage.storage import Storage, read_storage
from nem2e_lib.data.study.load import load_study
from nem2e_lib.error import Nem2eError
from nem2e_lib.motion.c3d_files import Missing, Opened, Part, Person, opened
from nem2e_lib.refiner import Refiner
from nem2e_lib.simulate import Options, SimulatedTrial, read_trials, simulate
from nem2e_lib.simulate.motion import DISTANCES
from nem2e_lib.simulate.people import open_study
from nem2e_lib.simulate.posture import marker_places, postures
from nem2e_lib.simulate.sizing import FACTORS

LOOKED_AT = ("rect_fem_r", "vas_lat_r", "bifemlh_r", "med_gas_r", "soleus_r", "tib_ant_r")
"""Muscles that are drawn where no EMG says which."""


# --- 3: the model, scaled ---


def simulated(person: Person, model: Path, out: Path, options: Options) -> pd.DataFrame:
    """Scale the model, and find joint angles, moments and activation of every walk, as far as its files go.

    Parameters
    ----------
    model
        OpenSim model (.osim).
    out
        Folder of results; what is there and holds is not done again.
    options
        Of the simulation.

    Returns
    -------
    DataFrame
        As `simulate`, a row a walk.
    """
    by_steps = _by_steps(_trials(person))
    tables = [simulate(trials, model, out, steps=steps, options=options) for steps, trials in by_steps.items()]
    return pd.concat(tables, ignore_index=True)


def _by_steps(trials: Sequence[SimulatedTrial]) -> dict[tuple[str, ...], list[SimulatedTrial]]:
    """Trials by what can be done with them: without a static pose no scaling, without a usable step no dynamics."""
    found: dict[tuple[str, ...], list[SimulatedTrial]] = {}
    for trial in trials:
        steps = (*(("scale",) if trial.static else ()), "ik", *(("so",) if trial.grf else ()))
        found.setdefault(steps, []).append(trial)
    return found


def _trials(person: Person) -> list[SimulatedTrial]:
    """Walks as OpenSim takes them; one without a usable step has its markers alone."""
    table = person.folder / "trials.csv"
    ready = {trial.trial: trial for trial in read_trials(table)} if len(person.made.trials) else {}
    static = person.markers(person.static) if person.static else None
    return [
        ready.get(walk) or SimulatedTrial(walk, markers=person.markers(walk), static=static, mass_kg=person.mass_kg)
        for walk in person.walks
    ]


def static_pose(one: Opened, folder: Path) -> Part:
    """Measured markers and those of the scaled model: for `figures.laboratory.markers_on_model`.

    The model's markers are where its own placement has them, before each is moved to where it was measured.
    """
    scale = folder / one.trial / "scale" / "results"
    if not (scale / "scaled_before_markers.osim").is_file():
        return Missing(
            f"{one.person.name or 'This person'} has no static pose: the model is taken as it is, not scaled."
        )
    model, motion = scale / "scaled_before_markers.osim", scale / "static.mot"
    time = float(read_storage(motion).time[0])
    static = read_markers(folder / one.trial / "inputs" / "static.trc")
    measured = dict(zip(static.names, np.nanmean(static.places, axis=0), strict=True))
    there = {name: place for name, place in marker_places(model, motion, time).items() if name in measured}
    rows = [
        (name, source, *place, float(np.linalg.norm(there[name] - measured[name])))
        for name in there
        for source, place in (("measured", measured[name]), ("model", there[name]))
    ]
    markers = pd.DataFrame(rows, columns=["marker", "source", "x_m", "y_m", "z_m", "error_m"]).dropna()
    return {"markers": markers, "lines": postures(model, motion, [time])}


def factors(one: Opened, folder: Path) -> pd.DataFrame | Missing:
    """Return what scaling did to each body, and how far right and left differ, as `simulate.sizing.factor_table`."""
    path = folder / one.trial / "scale" / FACTORS
    return pd.read_csv(path) if path.is_file() else Missing("No body was scaled.")


# --- 4: joint angles ---


def residuals(one: Opened, folder: Path) -> Part:
    """Distances of model and measured markers: for `figures.laboratory.marker_residuals`."""
    path = folder / one.trial / "ik" / DISTANCES
    if not path.is_file():
        return Missing(f"{one.trial}: no joint angles were found; see {folder / one.trial / 'log.txt'}.")
    table = read_storage(path)
    wide = pd.DataFrame(table.values, columns=list(table.labels)).assign(time_s=table.time)
    return {"residuals": wide.melt("time_s", var_name="marker", value_name="error_m")}


# --- 6: activation ---


def gait_cycles(person: Person, folder: Path, out: Path) -> tuple[xr.Dataset | Missing, list[str]]:
    """Return activation and EMG of somebody's gait cycles, as a study has them, and what is to be told.

    Without EMG the Dataset has activation alone. Left legs are mirrored: their muscles are called ``_r``.

    Parameters
    ----------
    folder
        Results of `simulated`.
    out
        Study folder, written anew.
    """
    shutil.rmtree(out, ignore_errors=True)
    try:
        built = study_of(person.folder, folder, out)
        cycles, report = segment(load_study(out))
    except Nem2eError as error:
        alone = _activation_alone(person, folder)
        return alone if alone is not None else Missing(f"No gait cycle has muscle activation: {error}"), [str(error)]
    skipped = report.loc[~report["kept"], ["trial", "reason"]].itertuples(index=False)
    of_others = tuple(str(trial) for trial in person.made.trials["trial"] if trial not in person.walks)
    own = [line for line in built.told if not line.startswith(of_others)]
    return cycles, [*own, *(f"{row.trial}: a cycle is left out, {row.reason}." for row in skipped)]


def _activation_alone(person: Person, folder: Path, samples: int = 20, phases: int = 101) -> xr.Dataset | None:
    """Activation of the cycles of usable contacts; None where there is none."""
    points = {"sample": np.linspace(0, 100, samples), "phase": np.linspace(0, 100, phases)}
    cut: dict[str, list[np.ndarray]] = {dim: [] for dim in points}
    names: list[str] = []
    spans = []
    for one in (opened(person, walk) for walk in person.walks if (folder / walk / "activation.sto").is_file()):
        activation = read_storage(folder / one.trial / "activation.sto")
        for row in one.usable.to_dict("records"):
            first, last = float(row["start_s"]), float(row["next_strike_s"])
            own = _of_leg(activation, str(row["foot"]))
            if not activation.time[0] <= first < last <= activation.time[-1]:
                continue
            names = names or list(own)
            for dim, percent in points.items():
                at = first + (last - first) * percent / 100
                cut[dim].append(np.column_stack([np.interp(at, activation.time, own[name]) for name in names]))
            spans.append((one.trial, first, last))
    if not spans:
        return None
    trial, start, end = zip(*spans, strict=True)
    return xr.Dataset(
        {
            "activation": (("cycle", "sample", "muscle"), np.stack(cut["sample"])),
            "activation_waveform": (("cycle", "phase", "muscle"), np.stack(cut["phase"])),
        },
        coords={
            **points,
            "muscle": names,
            "trial": ("cycle", list(trial)),
            "start_s": ("cycle", list(start)),
            "end_s": ("cycle", list(end)),
        },
    )


def _of_leg(activation: Storage, leg: str) -> dict[str, np.ndarray]:
    """Muscles of one leg under right-hand names; the trunk's are no leg's."""
    named = {label: muscle_name(label) for label in muscle_columns(activation.labels)}
    return {
        f"{base(muscle)}_r": activation.column(label)
        for label, muscle in named.items()
        if side(muscle) == leg and base(muscle) not in TRUNK
    }


def activity(cycles: xr.Dataset | Missing, refined: pd.DataFrame | Missing | None = None) -> Part:
    """Activity of every cycle, muscle by muscle: for `figures.laboratory.activity_by_cycle`.

    Parameters
    ----------
    cycles
        As `gait_cycles` returns them.
    refined
        Curves of `refined_curves` to be drawn with them; its muscles alone are drawn then.
    """
    if isinstance(cycles, Missing):
        return cycles
    if isinstance(refined, Missing):
        return refined
    emg = _channels(cycles)
    muscles = list(refined["muscle"].unique()) if refined is not None else list(emg) or _looked_at(cycles)
    waves = [_tidy(cycles.activation_waveform.sel(muscle=muscle), muscle, "simulated", cycles) for muscle in muscles]
    waves += [
        _tidy(cycles.emg_waveform.sel(channel=emg[muscle]), muscle, "measured", cycles)
        for muscle in muscles
        if muscle in emg
    ]
    return {"curves": pd.concat([*waves, *([refined] if refined is not None else [])], ignore_index=True)}


def _channels(cycles: xr.Dataset) -> dict[str, str]:
    """EMG channels by the muscle that they measure; none where there is no EMG."""
    if "emg" not in cycles:
        return {}
    return dict(zip(cycles.target.values.tolist(), cycles.channel.values.tolist(), strict=True))


def _looked_at(cycles: xr.Dataset) -> list[str]:
    there = cycles.muscle.values.tolist()
    return [muscle for muscle in LOOKED_AT if muscle in there] or there[: len(LOOKED_AT)]


def _tidy(waves: xr.DataArray, muscle: str, series: str, cycles: xr.Dataset) -> pd.DataFrame:
    """Curves of one muscle, dims (cycle, phase or sample), a row a point."""
    (along,) = (dim for dim in waves.dims if dim != "cycle")
    values = waves.transpose("cycle", along).values
    names = cycle_names(cycles)
    return pd.DataFrame(
        {
            "muscle": muscle,
            "cycle": np.repeat(names, values.shape[1]),
            "phase": np.tile(waves[along].values, len(names)),
            "series": series,
            "value": values.ravel(),
        }
    )


def cycle_names(cycles: xr.Dataset) -> list[str]:
    """Return a name a cycle: its trial, with a number where a trial has several."""
    trials = pd.Series(cycles.trial.values.astype(str))
    number = trials.groupby(trials).cumcount() + 1
    several = trials.duplicated(keep=False)
    return [f"{trial} {n}" if more else trial for trial, n, more in zip(trials, number, several, strict=True)]


# --- 7: refined ---


def others(study: str, person: Person, out: Path) -> xr.Dataset:
    """Return the gait cycles of everybody else in a study.

    Parameters
    ----------
    study
        Its folder; empty for the open study of children, which is written to `out`.

    Raises
    ------
    Nem2eError
        As `load_study` and `segment`, or if there are fewer than two others.
    """
    if not study:
        open_study("children", out)
    cycles, _ = segment(load_study(study or out))
    rest = cycles.isel(cycle=np.flatnonzero(cycles.subject.values != person.name))
    people = np.unique(rest.subject.values)
    if len(people) < 2:
        raise Nem2eError(
            f"{study or out}: has {len(people)} people besides {person.name!r}, but at least 2 are expected."
        )
    return rest


def refined_curves(
    cycles: xr.Dataset | Missing, kept: Refiner, rest: xr.Dataset | None = None
) -> pd.DataFrame | Missing:
    """Return what a refiner makes of somebody's cycles, and the mean curve of the others' EMG, at the samples.

    Columns muscle, cycle, phase, series (refined, mean curve), value.
    """
    if isinstance(cycles, Missing):
        return cycles
    try:
        made = kept.predict(cycles).mean("seed")
    except Nem2eError as error:  # another model's muscles, or another way of cutting
        return Missing(f"Nothing is refined: {error}")
    muscles = {out.name: out.muscle for out in kept.manifest.outputs}
    parts = [_tidy(made.sel(channel=name), muscle, "refined", cycles) for name, muscle in muscles.items()]
    if rest is not None:
        mean = rest.emg.mean("cycle")
        alike = {name: mean.sel(channel=name).expand_dims(cycle=cycles.sizes["cycle"]) for name in muscles}
        parts += [_tidy(alike[name], muscle, "mean curve", cycles) for name, muscle in muscles.items()]
    return pd.concat(parts, ignore_index=True)


def errors(cycles: xr.Dataset | Missing, refined: pd.DataFrame | Missing) -> pd.DataFrame | Missing:
    """Return root mean square errors against measured EMG over the samples of all cycles, a row a muscle.

    Columns muscle, cycles, the error of each series, and Er: the error as a share of the simulated one, less 1.
    """
    if isinstance(cycles, Missing) or isinstance(refined, Missing):
        return Missing("There is no refined activity, and so no error of it.")
    emg = _channels(cycles)
    shared = [muscle for muscle in refined["muscle"].unique() if muscle in emg]
    if not shared:
        return Missing(
            "No EMG was measured of a refined muscle, so that nothing tells how far refined activity is right."
        )
    rows = []
    for muscle in shared:
        measured = cycles.emg.sel(channel=emg[muscle]).transpose("cycle", "sample").values
        simulated = cycles.activation.sel(muscle=muscle).transpose("cycle", "sample").values
        own = {"simulated": simulated} | {
            str(series): part["value"].to_numpy().reshape(measured.shape)
            for series, part in refined[refined["muscle"] == muscle].groupby("series", sort=False)
        }
        rmse = {name: float(np.sqrt(((values - measured) ** 2).mean())) for name, values in own.items()}
        rows.append(
            {"muscle": muscle, "cycles": len(measured)}
            | {f"RMSE {name}": value for name, value in rmse.items()}
            | {f"Er {name}": value / rmse["simulated"] - 1 for name, value in rmse.items() if name != "simulated"}
        )
    return pd.DataFrame(rows)


def verdict(table: pd.DataFrame | Missing) -> str:
    """Say in how many muscles refined activity is nearer to measured EMG than simulated, and than the mean curve."""
    if isinstance(table, Missing):
        return table.why
    count, nearer = len(table), int((table["Er refined"] < 0).sum())
    told = f"Refined activity is nearer to measured EMG than simulated activation in {nearer} of {count} muscles"
    if "Er mean curve" in table:
        beaten = int((table["RMSE refined"] < table["RMSE mean curve"]).sum())
        told += f", and nearer than the mean EMG curve of the others, which knows nothing of this person, in {beaten}"
    return f"{told}. One person decides nothing: errors over people stand on the pages of the study."
