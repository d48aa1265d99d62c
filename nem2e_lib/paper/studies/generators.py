"""Both SYNTHETIC generators beside recordings: their signals (`signals`) and the order of methods on them (`orders`).

Made by ``make study-generators``: docs/likeness.csv holds statistics of the signals, on which generator 2 is
calibrated; docs/generators.csv how alike the methods' Er and their order are, on which nothing is calibrated.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import xarray as xr

from nem2e_lib.analysis.likeness import likeness
from nem2e_lib.data.cycles.segment import data_hash, segment
from nem2e_lib.data.study.load import load_study
from nem2e_lib.data.synthetic import synthetic_cycles
from nem2e_lib.data.synthetic.knobs import GENERATORS
from nem2e_lib.paper.studies.script import script
from nem2e_lib.project import ROOT
from nem2e_lib.simulate.people import open_study
from nem2e_lib.site.provenance import commit
from nem2e_lib.site.saving import write_csv

LIKENESS = ROOT / "docs" / "likeness.csv"
"""Statistics of the signals of recordings and of both generators, with what they are of."""
RECORDED = {"walking": "children", "running": "runner"}
"""The recorded study that each motion's SYNTHETIC study is held against."""
SEEDS = 8
"""Data seeds of the SYNTHETIC studies, from 0."""


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


def main(folder: str, seeds: str = str(SEEDS)) -> None:
    """``FOLDER [SEEDS]``."""
    write_csv(LIKENESS, signals(recorded(Path(folder)), int(seeds)))
    print(LIKENESS)


if __name__ == "__main__":
    script(main)
