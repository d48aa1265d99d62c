"""Both SYNTHETIC generators beside recordings: their signals (`signals`) and the order of methods on them (`orders`).

Made by ``make study-generators``: docs/likeness.csv holds statistics of the signals, on which generator 2 is
calibrated; docs/generators.csv how alike the methods' Er and their order are, on which nothing is calibrated.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import kendalltau, spearmanr

from nem2e_lib.analysis.leaderboard import per_unit
from nem2e_lib.analysis.likeness import likeness
from nem2e_lib.analysis.metrics import errors
from nem2e_lib.analysis.statistics import one_sample
from nem2e_lib.data.cycles.segment import data_hash, segment
from nem2e_lib.data.study.load import load_study
from nem2e_lib.data.synthetic import synthetic_cycles
from nem2e_lib.data.synthetic.knobs import GENERATORS
from nem2e_lib.paper.studies.script import script
from nem2e_lib.project import ROOT
from nem2e_lib.rivals import KernelRidge, Network, evaluate, every
from nem2e_lib.simulate.people import open_study
from nem2e_lib.site.provenance import commit
from nem2e_lib.site.saving import write_csv

LIKENESS = ROOT / "docs" / "likeness.csv"
"""Statistics of the signals of recordings and of both generators, with what they are of."""
ORDERS = ROOT / "docs" / "generators.csv"
"""Er of every quick method on recordings and on both generators' studies, one row a study, data seed and method."""
RECORDED = {"walking": "children", "running": "runner"}
"""The recorded study that each motion's SYNTHETIC study is held against."""
SEEDS = 5
"""Data seeds of the SYNTHETIC studies, from 0."""
ALONE = "one person"
"""Design of a study that leaves one speed out, as the runner's does: one SYNTHETIC person, all speeds."""
PEOPLE = "people"


def recorded(folder: Path) -> dict[str, xr.Dataset]:
    """Open both recorded studies below a folder and segment them, by the motion that each stands for."""
    for name in RECORDED.values():
        open_study(name, folder / name, work=folder / "work" / name)
    return {motion: segment(load_study(folder / name))[0] for motion, name in RECORDED.items()}


def signals(real: dict[str, xr.Dataset], seeds: int = SEEDS) -> pd.DataFrame:
    """Return the statistics of recorded and SYNTHETIC studies, one row a study, data seed and statistic.

    Returns
    -------
    pandas.DataFrame
        The columns of `likeness`, with motion, generator and data_seed (empty for recordings), simulated_by, citation,
        citation (of recordings), data_hash and the commit of
        the code.
    """
    parts = [_told(cycles, motion) for motion, cycles in real.items()]
    for motion in real:
        for generator in GENERATORS:
            for seed in range(seeds):
                made = synthetic_cycles(motion, seed=seed, generator=generator)
                parts.append(_told(made, motion, generator, seed))
    return pd.concat(parts, ignore_index=True).assign(commit=commit())


def _told(cycles: xr.Dataset, motion: str, generator: int | None = None, seed: int | None = None) -> pd.DataFrame:
    facts = {"simulated_by": str(cycles.attrs["simulated_by"])}
    facts |= {"citation": str(cycles.attrs["citation"])} if generator is None else {"citation": ""}
    table = likeness(cycles).assign(**facts, data_hash=data_hash(cycles))
    table.insert(1, "motion", motion)
    table.insert(2, "generator", pd.Series([generator] * len(table), dtype="Int64"))
    table.insert(3, "data_seed", pd.Series([seed] * len(table), dtype="Int64"))
    return table


def orders(real: dict[str, xr.Dataset], seeds: int = SEEDS, kept: Path | None = None) -> pd.DataFrame:
    """Evaluate every quick method on recorded and SYNTHETIC studies.

    The SYNTHETIC walkers are left out one by one, as the children are; of the runners only the first is taken, whose
    speeds are left out one by one, as the recorded runner's are.

    Parameters
    ----------
    real
        Recorded studies by motion.
    seeds
        Data seeds of the SYNTHETIC ones.
    kept
        Folder in which the predictions of each study and method are kept; what is there is not made again.

    Returns
    -------
    pandas.DataFrame
        Columns study, motion, design, generator, data_seed (both empty for recordings), method, er (mean over
        held-out units of the mean over electrodes), n_units, unit, synthetic, commit.
    """
    parts = [_ranked(cycles, motion, _design(cycles), None, None, kept) for motion, cycles in real.items()]
    for motion, people in (("walking", None), ("running", 1)):
        for generator in GENERATORS:
            for seed in range(seeds):
                made = synthetic_cycles(motion, seed=seed, generator=generator, subjects=people)
                parts.append(_ranked(made, motion, _design(made), generator, seed, kept))
    return pd.concat(parts, ignore_index=True).assign(commit=commit())


def _design(cycles: xr.Dataset) -> str:
    return ALONE if len(np.unique(cycles.subject)) == 1 else PEOPLE


def _ranked(
    cycles: xr.Dataset, motion: str, design: str, generator: int | None, seed: int | None, kept: Path | None
) -> pd.DataFrame:
    rows = []
    for rival in every():
        if isinstance(rival, Network | KernelRidge):  # minutes each
            continue
        name = f"{cycles.attrs['study']}-{design.replace(' ', '-')}-{seed}-{rival.name}.nc"
        units = per_unit(errors(evaluate(cycles, rival, None if kept is None else kept / name)))
        rows.append({"method": rival.name, "er": units["er"].mean(), "n_units": len(units), "unit": units["unit"][0]})
    table = pd.DataFrame(rows).assign(synthetic=bool(cycles.attrs["synthetic"]))
    own = pd.DataFrame({"study": [str(cycles.attrs["study"])] * len(table), "motion": motion, "design": design})
    for column, value in (("generator", generator), ("data_seed", seed)):
        own[column] = pd.Series([value] * len(table), dtype="Int64")
    return pd.concat([own, table], axis=1)


def concordance(rows: pd.DataFrame) -> pd.DataFrame:
    """Tell how alike the methods' Er is on each SYNTHETIC study and on the recorded one of its motion.

    Parameters
    ----------
    rows
        As `orders` returns them.

    Returns
    -------
    pandas.DataFrame
        One row a SYNTHETIC study and data seed: motion, design, generator, data_seed, kendall and spearman (rank
        correlations over methods; 1 is the same order), distance (root mean square of the differences in Er).
    """
    real = {str(motion): one for motion, one in rows[rows["generator"].isna()].groupby("motion")}
    found = []
    for keys, one in rows[rows["generator"].notna()].groupby(["motion", "design", "generator", "data_seed"]):
        expected = real[str(keys[0])].set_index("method")["er"]
        own = one.set_index("method")["er"].reindex(expected.index)
        facts = dict(zip(("motion", "design", "generator", "data_seed"), keys, strict=True))
        facts |= {"kendall": kendalltau(own, expected).statistic, "spearman": spearmanr(own, expected).statistic}
        found.append(facts | {"distance": float(np.sqrt(((own - expected) ** 2).mean()))})
    return pd.DataFrame(found)


def over_seeds(found: pd.DataFrame) -> pd.DataFrame:
    """Return mean and 95 % interval over data seeds of what `concordance` found, and of generator 2 less generator 1.

    Returns
    -------
    pandas.DataFrame
        Columns motion, design, measure, generator ("1", "2", "2 - 1", paired by data seed), n, mean, ci_low, ci_high,
        p_value.
    """
    rows = []
    for (motion, design), group in found.groupby(["motion", "design"]):
        for measure in ("kendall", "spearman", "distance"):
            wide = group.pivot_table(index="data_seed", columns="generator", values=measure).astype(float)
            values = {"1": wide[1], "2": wide[2], "2 - 1": wide[2] - wide[1]}
            for name, each in values.items():
                test = one_sample(each.dropna().to_numpy())
                facts = {"n": test.n, "mean": test.mean, "ci_low": test.ci_low, "ci_high": test.ci_high}
                rows.append(
                    {"motion": motion, "design": design, "measure": measure, "generator": name, **facts}
                    | {"p_value": test.p_value if name == "2 - 1" else np.nan}
                )
    return pd.DataFrame(rows)


def main(folder: str, seeds: str = str(SEEDS)) -> None:
    """``FOLDER [SEEDS]``."""
    place = Path(folder)
    real = recorded(place)
    write_csv(LIKENESS, signals(real, int(seeds)))
    (place / "kept").mkdir(parents=True, exist_ok=True)
    rows = orders(real, int(seeds), place / "kept")
    write_csv(ORDERS, rows)
    print(over_seeds(concordance(rows)).round(3).to_string(index=False))


if __name__ == "__main__":
    script(main)
