"""What training on less, or on something else, costs: trained by ``make study-learning``, kept in docs/learning.csv.

`read`, `where` and `cannot` tell what a table holds. `study` makes it, level by level: `curves`, `speeds`, `motions`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import pandas as pd
import xarray as xr

from nem2e_lib.analysis import learning
from nem2e_lib.analysis.apart import by_circumstance
from nem2e_lib.data.cycles.segment import data_hash
from nem2e_lib.error import Nem2eError
from nem2e_lib.paper.run import Run
from nem2e_lib.paper.studies.script import script
from nem2e_lib.project import ROOT
from nem2e_lib.site.provenance import commit
from nem2e_lib.site.saving import write_csv
from nem2e_lib.training import folds as subsets
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.engine import ENGINE_VERSION
from nem2e_lib.training.folds import Folds, leave_one_out
from nem2e_lib.training.train import train_condition
from nem2e_lib.training.units import unit_name, units_said

STUDY = ROOT / "docs" / "learning.csv"
"""Er per level and held-out unit, with what the models were trained with: written by ``make study-learning``."""
COMMON = ("soleus", "bi", "sem", "tib", "rect")
"""Muscles of both motions, on which one is carried over to the other."""
FEW = ("soleus", "tib", "rect")
"""Muscles of the learning curves and of the speeds: across the ankle from behind and before, and across the hip."""
DRAWS = 2
"""Random choices of training units or cycles at each level but the whole; one for All-Entire, which trains longer."""

NEEDED = [
    *learning.KEYS,
    "reference",
    "trained_on",
    "order",
    "draw",
    "label",
    "unit",
    "er",
    "er_mean_curve",
    "n_training",
    "muscles",
    "synthetic",
    "units",
    "updates",
    "seed",
    "commit",
]
"""Columns of the table that readers need."""


def read(path: Path | str = "") -> pd.DataFrame:
    """Read a table of the study, Er per level and held-out unit: one's own, or the committed one.

    Raises
    ------
    Nem2eError
        If the file is missing or lacks a column.
    """
    path = Path(path or STUDY)
    if not path.exists():
        raise Nem2eError(f"{path}: there is no such table; make study-learning STUDY=folder writes one.")
    rows = pd.read_csv(path, dtype={"level": str, "reference": str, "label": str})
    lost = [name for name in NEEDED if name not in rows]
    if lost:
        raise Nem2eError(f"{path}: has no column {lost[0]!r}, expected a table of make study-learning; make it anew.")
    return rows


def where(rows: pd.DataFrame) -> str:
    """Return what the models were trained with, in a sentence."""
    first, muscles = rows.iloc[0], "; motions: ".join(dict.fromkeys(map(str, rows["muscles"])))
    code = " and ".join(str(name)[:10] for name in dict.fromkeys(rows["commit"]))
    data = "SYNTHETIC data" if first["synthetic"] else "this study"
    return (
        f"A study of its own, on {data}: {first['units']} units, {first['updates']} updates a model, seed "
        f"{first['seed']}, muscles {muscles}; code {code}."
    )


def cannot(rows: pd.DataFrame) -> list[str]:
    """Return sentences on experiments that a table lacks, by study."""
    said = {
        learning.SPEEDS: "leaving a speed out beside the subject needs two subjects and two speeds",
        learning.MOTIONS: "going from one motion to another needs studies of two motions",
    }
    have = rows.groupby("study")["experiment"].unique()
    return [
        f"{study}: {name} cannot be tested, because {why}."
        for study in have.index
        for name, why in said.items()
        if name not in have[study]
    ]


@dataclass(frozen=True)
class Level:
    """One point of an experiment: what its folds train on.

    Attributes
    ----------
    experiment, level, reference
        Names in the table; the reference is the level that this one is compared with.
    order
        Place on the horizontal axis.
    trained_on
        In words.
    draw
        Random choice of the training cycles.
    """

    experiment: str
    level: str
    reference: str
    order: float
    trained_on: str
    draw: int
    condition: str
    cycles: xr.Dataset
    folds: Folds

    @property
    def name(self) -> str:
        """File of its result."""
        made_of = f"{data_hash(self.cycles)[:8]}{ENGINE_VERSION}"
        parts = (self.experiment, str(self.cycles.attrs["study"]), self.condition, self.level, str(self.draw), made_of)
        return "-".join("".join(c if c.isalnum() else "_" for c in part) for part in parts)


def curves(cycles: xr.Dataset, condition: str, draws: int = DRAWS) -> Iterator[Level]:
    """Yield the levels of two learning curves: all cycles of some units, and as many cycles taken from all units."""
    folds = leave_one_out(cycles)
    units = len(folds.labels) - 1
    for count in growing(units):
        for draw in range(1 if count == units else draws):
            chosen = subsets.some_units(cycles, count, draw)
            said = f"all cycles of {units_said(count, folds.unit)}"
            yield Level(learning.SUBJECTS, str(count), str(units), count, said, draw, condition, cycles, chosen)
    fewest = min(int(folds.shown(fold).sum()) for fold in range(len(folds.labels)))
    counts = sorted({max(1, round(fewest * count / units)) for count in growing(units)})
    for count in counts:
        whole = count == fewest
        for draw in range(1 if whole else draws):
            chosen = subsets.some_units(cycles, units) if whole else subsets.some_cycles(cycles, count, draw)
            yield Level(
                learning.CYCLES,
                str(count),
                str(fewest),
                count,
                f"{count} cycles of all {unit_name(folds.unit, 2)}",
                draw,
                condition,
                cycles,
                chosen,
            )


def growing(most: int) -> list[int]:
    """Return 1, 3, 9, … as far as they are well below `most`, and `most`."""
    return [*(3**i for i in range(most) if 1.5 * 3**i < most), most]


def speeds(cycles: xr.Dataset, condition: str) -> Iterator[Level]:
    """Yield one level a speed that is left out of training, or where there is one, a condition; of one subject none."""
    cycles, _ = by_circumstance(cycles)
    names = [name for name, _ in learning.of_speeds(cycles.assign_coords(fold=[0], fold_of_cycle=cycles.cycle * 0))]
    if leave_one_out(cycles).unit != "subject" or len(names) < 2:
        return
    for order, name in enumerate(names):
        yield Level(
            learning.SPEEDS,
            f"without {name}",
            f"with {name}",
            order,
            f"other subjects, all speeds but {name}",
            0,
            condition,
            cycles,
            subsets.without_speed(cycles, name),
        )
    whole = subsets.some_units(cycles, len(leave_one_out(cycles).labels) - 1)
    said = "other subjects, all speeds"
    yield Level(learning.SPEEDS, "all", "all", math.nan, said, 0, condition, cycles, whole)


def motions(studies: dict[str, xr.Dataset]) -> Iterator[Level]:
    """Yield training on the same motion, on the other one, and on both; nothing for fewer than two motions."""
    if len(studies) < 2:
        return
    cycles = subsets.joined(studies)
    words = {
        "same": "other subjects of the same motion",
        "other": "the other motion alone",
        "both": "the other motion and other subjects of the same",
    }
    for target, one in studies.items():
        if leave_one_out(one).unit == "subject":
            for order, (name, said) in enumerate(words.items()):
                yield Level(
                    learning.MOTIONS,
                    name,
                    "same",
                    order,
                    said,
                    0,
                    "one_entire",
                    cycles.assign_attrs(study=target),
                    subsets.across(cycles, target, name),
                )


def measured(level: Level, configuration: Configuration, store: Path) -> pd.DataFrame:
    """Train a level and return its Er per held-out unit; per speed where the experiment asks for it."""
    results = train_condition(
        level.cycles, level.condition, configuration, folds=level.folds, store=store, progress=False
    )
    facts = {
        "experiment": level.experiment,
        "study": results.attrs["study"],
        "condition": level.condition,
        "level": level.level,
        "reference": level.reference,
        "order": level.order,
        "trained_on": level.trained_on,
        "draw": level.draw,
        "muscles": " ".join(map(str, level.cycles.channel.values)),
        "n_training": int(
            sum(level.folds.shown(f).sum() for f in range(len(level.folds.labels))) / len(level.folds.labels)
        ),
    }
    if level.experiment == learning.SPEEDS:
        return _by_speed(results, facts)
    return learning.unit_errors(results).assign(**facts)


def _by_speed(results: xr.Dataset, facts: dict[str, Any]) -> pd.DataFrame:
    """Keep Er at the speed that was left out; at every speed where none was."""
    parts = []
    for order, (speed, one) in enumerate(learning.of_speeds(results)):
        table = learning.unit_errors(one).assign(**facts)
        if facts["level"] == "all":
            name = f"with {speed}"
            parts.append(table.assign(level=name, reference=name, order=order))
        elif facts["level"] == f"without {speed}":
            parts.append(table)
    return pd.concat(parts, ignore_index=True)


def levels(run: Run) -> Iterator[Level]:
    """Yield every level of a run's studies: the curves on `FEW` of the channels, motions on `COMMON` ones."""
    studies = {name: run.segment(name)[0].assign_attrs(study=name) for name in run.studies}
    few = [_having(cycles, FEW) for cycles in studies.values()]
    for cycles in few:
        yield from curves(cycles, "one_entire")
        yield from speeds(cycles, "one_entire")
    yield from motions({name: _having(cycles, COMMON) for name, cycles in studies.items()})
    for cycles in few:
        yield from (one for one in curves(cycles, "all_entire", draws=1) if one.experiment == learning.SUBJECTS)


def _having(cycles: xr.Dataset, channels: tuple[str, ...]) -> xr.Dataset:
    """Return a study on those of the channels that it has; whole where it has none."""
    have = [channel for channel in channels if channel in cycles.channel.values]
    return cycles.sel(channel=have) if have else cycles


def study(
    folder: Path | str, *, units: int = 16, updates: int = 600, seed: int = 0, own: str = "", minutes: float = math.inf
) -> Path | None:
    """Train every level and write the table: `STUDY`, or ``learning.csv`` in the folder for one's own study.

    Parameters
    ----------
    folder
        Where data and finished levels are kept; a second call trains only what is missing.
    units, updates, seed
        Of each model.
    own
        Folder of one's own study; empty for the two synthetic ones.
    minutes
        Stop after so many and leave the rest to the next call; then None is returned.
    """
    run = Run.begin(str(folder), "demo", seed, own)
    configuration = run.configuration.with_options(units=units, updates=updates)
    facts: dict[str, Any] = {"profile": run.profile, "units": units, "updates": updates, "seed": seed}
    until, parts = monotonic() + 60 * minutes, []
    for level in levels(run):
        path = Path(folder) / f"{units}-{updates}-seed{seed}" / f"{level.name}.csv"
        if not path.exists():
            if monotonic() > until:
                return None
            write_csv(path, measured(level, configuration, Path(folder) / "models").assign(**facts, commit=commit()))
            print(path.stem, flush=True)
        parts.append(pd.read_csv(path, dtype={"level": str, "reference": str}))
    where = Path(folder) / "learning.csv" if own else STUDY
    write_csv(where, pd.concat(parts, ignore_index=True))
    return where


def main(folder: str, units: str = "16", updates: str = "600", own: str = "", minutes: str = "inf") -> None:
    """``FOLDER [UNITS [UPDATES [STUDY [MINUTES]]]]``."""
    done = study(folder, units=int(units), updates=int(updates), own=own, minutes=float(minutes))
    print(done or "Not finished: call it again to go on.")


if __name__ == "__main__":
    script(main)
