"""Which inputs tell EMG, activation or what lies beside it: ``make study-inputs`` writes docs/inputs_people.csv.

Every pair of a method and sets of inputs that is tried has a row there, whatever came out, and the correction is for
all of them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from nem2e_lib.analysis.leaderboard import per_unit
from nem2e_lib.analysis.metrics import errors
from nem2e_lib.analysis.statistics import holm, over_folds
from nem2e_lib.data.cycles.segment import BESIDE
from nem2e_lib.data.muscles import LEG
from nem2e_lib.data.synthetic.body import leg_strength
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.style import label_of
from nem2e_lib.paper.run import OPEN, Run
from nem2e_lib.paper.studies.script import script
from nem2e_lib.project import ROOT
from nem2e_lib.rivals import DelayedRidge, MeanCurve, PartialLeastSquares, RidgeAll, Rival, evaluate
from nem2e_lib.rivals.inputs import parse_inputs, sets_of
from nem2e_lib.site.provenance import commit
from nem2e_lib.site.saving import write_csv
from nem2e_lib.site.tables import Table

STUDY = ROOT / "docs" / "inputs_people.csv"
"""A row a study, method and sets of inputs: Er (mean over held-out units), the mean curve's, their difference with the
95 % interval and p of the corrected resampled t-test, p after Holm over all that was tried on the study, held-out units
n, how many were tried, whether the data are SYNTHETIC, commit."""
COLUMNS = (
    *("study", "synthetic", "method", "inputs", "n", "er", "er_mean_curve", "difference", "ci_low", "ci_high"),
    *("p_value", "p_holm", "tried", "reason", "commit"),
)
METHODS: tuple[Rival, ...] = (RidgeAll(), PartialLeastSquares(), DelayedRidge())
WAVEFORMS = (
    *("activation", "angle", "moment", "length+velocity", "grf", "angle+moment"),
    *("activation+angle", "activation+moment", "activation+length+velocity", "activation+grf"),
    *("activation+angle+moment", "activation+angle+moment+grf"),
)
TRIED = ("speed", *WAVEFORMS, *(f"{sets}+speed" for sets in WAVEFORMS))
"""Sets of inputs that every method is given, before any outcome was seen."""
SAME = 1e-3
"""The mean curve's Er of a study differs by less between machines, and by more between data."""
NOT_HERE = "Not shown: docs/inputs_people.csv was made on other data than this run's; make study-inputs makes it anew."
_LEVEL = 0.05
_TORQUES = ("hip_flexion", "hip_adduction", "hip_rotation", "knee_angle", "ankle_angle", "subtalar_angle")


def with_torques(cycles: xr.Dataset) -> xr.Dataset:
    """Join the joint torques of SYNTHETIC cycles as moments: those that their activation meets in the generator's body.

    The generator has no angles, lengths or forces. Its torques are a linear function of activation, so that nothing can
    be gained that is not in activation; what a method loses by further inputs is seen.
    """
    muscles = [f"{muscle}_r" for muscle in LEG]
    values = cycles.activation.sel(muscle=muscles).values @ leg_strength().T
    names = [f"moment:{name}_r" for name in _TORQUES]
    coords = {
        "input": names,
        "input_set": ("input", ["moment"] * len(names)),
        "input_unit": ("input", ["N·m"] * len(names)),
    }
    return cycles.assign({BESIDE: (("cycle", "sample", "input"), values)}).assign_coords(coords)


def tried_on(cycles: xr.Dataset) -> tuple[str, ...]:
    """Return those of `TRIED` that a study has the inputs for."""
    there = set(sets_of(cycles))
    return tuple(sets for sets in TRIED if set(parse_inputs(sets)) <= there)


def outcomes(cycles: xr.Dataset, methods: Sequence[Rival] = METHODS, sets: Sequence[str] | None = None) -> pd.DataFrame:
    """Evaluate every method with every set of inputs that a study has, beside the mean curve.

    Parameters
    ----------
    cycles
        Segmented cycles.
    methods, sets
        What is tried.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS` without the commit.
    """
    mean_curve = _by_unit(evaluate(cycles, MeanCurve()))
    rows = [
        {"method": one.name, "inputs": given, **_paired(_by_unit(evaluate(cycles, one, inputs=given)), mean_curve)}
        for one, given in _trials(methods, tried_on(cycles) if sets is None else sets)
    ]
    table = pd.DataFrame(rows)
    facts = {"study": cycles.attrs["study"], "synthetic": bool(cycles.attrs["synthetic"]), "tried": len(table)}
    return table.assign(p_holm=holm(table["p_value"]), **facts)[[c for c in COLUMNS if c != "commit"]]


def _trials(methods: Sequence[Rival], sets: Sequence[str]) -> Iterator[tuple[Rival, str]]:
    for one in methods:
        begun = time.perf_counter()
        for given in sets:
            yield one, given
        print(f"{one.name}: {len(sets)} sets of inputs, {time.perf_counter() - begun:.0f} s", flush=True)


def _by_unit(results: xr.Dataset) -> pd.Series:
    return per_unit(errors(results)).set_index("label")["er"]


def _paired(own: pd.Series, mean_curve: pd.Series) -> dict[str, object]:
    found = over_folds((own - mean_curve.reindex(own.index)).to_numpy())
    return {
        "n": found.n,
        "er": float(own.mean()),
        "er_mean_curve": float(mean_curve.mean()),
        "difference": found.mean,
        "ci_low": found.ci_low,
        "ci_high": found.ci_high,
        "p_value": found.p_value,
        "reason": found.reason,
    }


def rows(path: Path = STUDY) -> pd.DataFrame:
    """Return what was tried: `STUDY`.

    Raises
    ------
    Nem2eError
        If the table is not there, or lacks a column.
    """
    if not path.is_file():
        raise Nem2eError(f"{path}: no such table; make study-inputs writes it.")
    table = pd.read_csv(path, keep_default_na=False, na_values=[""], dtype={"reason": str})
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise Nem2eError(
            f"{path}: no column {missing[0]!r}, expected {', '.join(COLUMNS)}; make study-inputs writes it."
        )
    return table.fillna({"reason": ""})


def of_same_data(table: pd.DataFrame, study: str, er_mean_curve: float) -> pd.DataFrame:
    """Return the rows of a study if they are of the same data as a run's, by the mean curve's Er; else none."""
    own = table[table["study"] == study]
    return own[(own["er_mean_curve"] - er_mean_curve).abs() < SAME]


def of_run(board: pd.DataFrame, table: pd.DataFrame | None = None) -> dict[str, pd.DataFrame]:
    """Return what was tried on the studies of a run that it is of the same data as.

    Parameters
    ----------
    board
        Rows of `leaderboard.standings`, the mean curve's among them.
    table
        Rows as `rows` returns them, its default.
    """
    table = rows() if table is None else table
    own = board[board["method"] == MeanCurve().name]
    found = {row["study"]: of_same_data(table, row["study"], float(row["er_mean"])) for _, row in own.iterrows()}
    return {study: rows_ for study, rows_ in found.items() if len(rows_)}


def said(table: pd.DataFrame) -> list[str]:
    """Say of a study's rows whether anything is shown to beat the mean curve, and what inputs beside activation add.

    Parameters
    ----------
    table
        Rows of one study.
    """
    if table.empty:
        return []
    first, made = table.iloc[0], "SYNTHETIC " if table["synthetic"].any() else ""
    better, worse = table["ci_high"] < 0, table["ci_low"] > 0
    after = table["p_holm"] < _LEVEL
    plain = (table["difference"] - table["ci_low"]) / np.sqrt(1 + table["n"] / (table["n"] - 1))
    best = table.sort_values("difference", kind="stable").iloc[0]
    lines = [
        f"On the {made}study {first['study']}, {len(table)} pairs of a method and sets of inputs were tried against "
        f"the mean curve (Er {_signed(first['er_mean_curve'])}; {first['n']} left out, one by one). The interval of "
        f"the difference lies below 0 for {int(better.sum())} of them, above 0 for {int(worse.sum())}, before any "
        f"correction. After Holm's correction for all {len(table)}, {int((better & after).sum())} are shown to be "
        f"better than the mean curve and {int((worse & after).sum())} to be worse. A plain paired t-test, which takes "
        "folds that share their training data for independent, would have put the intervals of "
        f"{int((table['difference'] + plain < 0).sum())} below 0.",
        f"The lowest was {label_of(best['method'])} given {best['inputs']}: {_interval(best)}, "
        f"p {best['p_value']:.3f}, after correction {best['p_holm']:.3f}. The lowest of so many tends to be lower "
        "than the same would be on other people.",
    ]
    with_it = table["inputs"].str.contains("activation")
    groups = {
        "activation, with or without speed": table["inputs"].isin(["activation", "activation+speed"]),
        "activation and more beside it": with_it & ~table["inputs"].isin(["activation", "activation+speed"]),
        "without activation": ~with_it,
    }
    parts = [
        f"{what}: {_signed(some['difference'].min())} to {_signed(some['difference'].max())}, "
        f"{int((some['ci_high'] < 0).sum())} of {len(some)} intervals below 0"
        for what, some in ((what, table[chosen]) for what, chosen in groups.items())
        if len(some)
    ]
    return [*lines, f"Differences by what was given: {'; '.join(parts)}."]


def shown_table(table: pd.DataFrame) -> Table:
    """Return every trial as a table for reading: a row a set of inputs, a column a method, of one or more studies."""
    names = list(dict.fromkeys(table["method"]))
    cells = table.assign(cell=[_cell(row) for _, row in table.iterrows()])
    shown = cells.set_index(["study", "inputs", "method"])["cell"].unstack("method")[names]  # noqa: PD010
    order = [pair for study in dict.fromkeys(table["study"]) for pair in ((study, sets) for sets in TRIED)]
    shown = shown.loc[[pair for pair in order if pair in shown.index]]
    shown = shown.rename(columns=dict(zip(names, map(label_of, names), strict=True))).reset_index()
    synthetic = bool(table["synthetic"].any())
    studies = ", ".join(dict.fromkeys(table["study"]))
    return Table(
        table,
        shown.rename(columns={"study": "Study", "inputs": "Inputs"}).rename_axis(columns=None),
        f"{'SYNTHETIC: ' if synthetic else ''}Inputs beside activation: {studies}",
        "Er minus the mean curve's, paired over what was left out, with the 95 % interval of the corrected resampled "
        f"t-test; below 0 is better. * below .05 before correction, ** after Holm's correction for all trials of a "
        f"study ({', '.join(f'{n} on {study}' for study, n in table.groupby('study', sort=False).size().items())}).",
        synthetic,
    )


def _signed(value: float) -> str:
    """A difference with three digits, as most are of a few hundredths."""
    return f"{value:+.3f}".replace("-", "−")


def _interval(row: pd.Series) -> str:
    return f"{_signed(row['difference'])} (95 % CI {_signed(row['ci_low'])} to {_signed(row['ci_high'])})"


def _cell(row: pd.Series) -> str:
    if row["reason"] or not np.isfinite(row["p_value"]):
        return str(row["reason"]) or "not tested"
    star = "**" if row["p_holm"] < _LEVEL else "*" if row["p_value"] < _LEVEL else ""
    return f"{_signed(row['difference'])} ({_signed(row['ci_low'])}, {_signed(row['ci_high'])}){star}"


def study(folder: Path | str) -> Path:
    """Try everything on the open recordings and on SYNTHETIC studies, and write what came out.

    Parameters
    ----------
    folder
        Where data are kept.
    """
    tables = []
    for data in (OPEN, ""):
        run = Run.begin(str(Path(folder) / (data or "synthetic")), data=data)
        for name in run.studies:
            cycles = run.segment(name)[0].assign_attrs(study=name)
            tables.append(outcomes(with_torques(cycles) if cycles.attrs["synthetic"] else cycles))
    return write(tables)


def write(tables: Sequence[pd.DataFrame], path: Path = STUDY) -> Path:
    """Write outcomes of several studies as one table."""
    table = pd.concat(tables, ignore_index=True).assign(commit=commit())[list(COLUMNS)]
    small = {name: [float(f"{value:.6g}") for value in table[name]] for name in ("p_value", "p_holm")}
    others = {name: table[name].round(6) for name in table.select_dtypes(float).columns if name not in small}
    write_csv(path, table.assign(**small, **others))
    return path


def main(folder: str) -> None:
    """``FOLDER``."""
    print(study(folder))


if __name__ == "__main__":
    script(main)
