"""The study of every open choice, on SYNTHETIC running: ``make study-ablations`` writes docs/ablations.csv.

`Committed` reads it. `study` makes it, `Rows` finding again what was trained before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from time import monotonic
from typing import Any

import pandas as pd
from tqdm import tqdm

from nem2e_lib.analysis.ablations import Bench, Variant, effects, variants
from nem2e_lib.analysis.ablations.variants import Cutting
from nem2e_lib.data.cycles.segment import data_hash
from nem2e_lib.data.study.load import load_study
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.style import CONDITION_LABELS, signed
from nem2e_lib.paper.run import Run
from nem2e_lib.paper.studies.script import script
from nem2e_lib.project import ROOT
from nem2e_lib.site.provenance import commit
from nem2e_lib.site.saving import write_csv
from nem2e_lib.training.config import profile
from nem2e_lib.training.engine import ENGINE_VERSION
from nem2e_lib.training.store import key_of
from nem2e_lib.training.units import units_said

STUDY = ROOT / "docs" / "ablations.csv"
"""One row a variant and held-out unit, with what it was trained with."""
BENCH_VERSION = "4c14f5b461682bfad099535adbdfe525afd44c5caa90b6305e7c28d1647014e6"
"""Of what a bench gives for the same variant: another value here makes every kept row be made anew."""
MOTION, PROFILE = "running", "demo"
MUSCLES = ("soleus", "bi", "tib", "rect")
"""Muscles of the study: one on each side of shank and thigh; each an electrode of its own."""


@dataclass(frozen=True)
class Committed:
    """The committed study, read once."""

    path: Path = STUDY

    @cached_property
    def rows(self) -> pd.DataFrame:
        """One row a variant and held-out unit; a missing file raises `Nem2eError`."""
        if not self.path.exists():
            raise Nem2eError(f"{self.path}: there is no study of ablations; run `make study-ablations` first.")
        return pd.read_csv(self.path, dtype={"value": str, "default": str, "label": str}, keep_default_na=True)

    @cached_property
    def effects(self) -> pd.DataFrame:
        """One row a variant."""
        return effects(self.rows)

    @cached_property
    def missing(self) -> list[str]:
        """Variants that today's options have and the study has not."""
        first = self.rows.iloc[0]
        base = profile(str(first["profile"])).with_options(units=int(first["base_units"]), seed=int(first["seed"]))
        have = set(self.effects[["condition", "option", "value"]].itertuples(index=False, name=None))
        lacking = [one for one in variants(base) if (one.condition, one.option, str(one.value)) not in have]
        return [f"{CONDITION_LABELS[one.condition]}, {one.option} = {one.value}" for one in lacking]

    @property
    def not_run(self) -> str:
        """Say which variants are missing; empty where none is."""
        return f"Not run: {'; '.join(self.missing)}." if self.missing else ""

    def effect_of(self, point: Mapping[str, str]) -> str:
        """Say what varying an open point (`refine.config.open_points`) did to Er; empty where it was not varied."""
        rows = self.effects[(self.effects["option"] == point["id"]) & (self.effects["measure"] == "Er")]
        if rows.empty:
            return ""
        largest = rows.sort_values("difference", key=abs, ascending=False).to_dict("records")[0]
        kind = "SYNTHETIC " if self.synthetic else ""
        return (
            f"{kind}{largest['study'].removesuffix('-synthetic')}, {CONDITION_LABELS[largest['condition']]}: "
            f"{largest['value']} changes Er by {signed(largest['difference'])} ({signed(largest['ci_low'])} to "
            f"{signed(largest['ci_high'])}): {largest['verdict']}"
        )

    @property
    def synthetic(self) -> bool:
        """Whether the study is synthetic."""
        return bool(self.rows["synthetic"].any())

    @property
    def provenance(self) -> str:
        """Where the numbers come from, in a sentence."""
        first = self.rows.iloc[0]
        kind = "SYNTHETIC" if self.synthetic else "measured"
        code = ", ".join(dict.fromkeys(str(name)[:10] for name in self.rows["commit"]))
        return (
            f"Study {first['study']} ({kind}), "
            f"{units_said(self.rows['label'].nunique(), first['unit'], 'held-out')}, "
            f"{self.rows['electrodes'].max()} electrodes; default: {first['base_units']} units, "
            f"{first['base_updates']} updates a model, seed {first['seed']}; {first['seeds']} seeds as a yardstick; "
            f"code {code} (docs/{self.path.name}; make study-ablations makes it anew)."
        )


@dataclass(frozen=True)
class Rows:
    """Rows of a bench's variants, found again by the hash of everything that made them.

    Attributes
    ----------
    bench
        Where variants are trained.
    folder
        Of rows that were made before, one file a variant.
    """

    bench: Bench
    folder: Path

    @cached_property
    def _ingredients(self) -> dict[str, Any]:
        cycles = Cutting().pieces(self.bench.study)[0].cycles
        return {
            "data": data_hash(cycles),
            "base": self.bench.base.to_json(),
            "channels": self.bench.channels,
            "seeds": self.bench.seeds,
            "engine": ENGINE_VERSION,
            "code": BENCH_VERSION,
        }

    def path(self, task: Variant | str) -> Path:
        """Return the file of a variant, or of the seeds of a condition."""
        told = task if isinstance(task, str) else asdict(task)
        return self.folder / f"{key_of(task=told, **self._ingredients)[:24]}.csv"

    def of(self, task: Variant | str) -> pd.DataFrame:
        """Return a task's rows with their provenance: those made before, else made now."""
        path = self.path(task)
        if not path.exists():
            bench = self.bench
            made = bench.seed_rows(task) if isinstance(task, str) else bench.rows(task)
            write_csv(path, made.assign(seed=bench.base.seed, seeds=bench.seeds, profile=PROFILE, commit=commit()))
        return pd.read_csv(path, dtype=dict.fromkeys(("value", "default", "label"), str))


def study(
    folder: Path | str, *, units: int = 32, updates: int = 800, seeds: int = 3, minutes: float = math.inf
) -> Path | None:
    """Train every variant that is missing on the synthetic running study, and write `STUDY`.

    Parameters
    ----------
    folder
        Where data, models and rows are kept; a second call makes only what is missing.
    units, updates
        Of the default.
    seeds
        Seeds of the default, as a yardstick.
    minutes
        Stop after so many and leave the rest to the next call; then None is returned, and the page names what has not
        been run.
    """
    run = Run.begin(str(folder), PROFILE)
    base = run.configuration.with_options(units=units, updates=updates)
    bench = Bench(load_study(run.studies[MOTION]), base, MUSCLES, run.of(MOTION, "models"), seeds)
    chosen = variants(base)
    tasks: list[Variant | str] = [*dict.fromkeys(one.condition for one in chosen), *chosen]
    until = monotonic() + 60 * minutes
    return record(Rows(bench, Path(folder) / "rows"), tasks, STUDY, lambda: monotonic() < until)


def record(rows: Rows, tasks: list[Variant | str], path: Path, go_on: Callable[[], bool]) -> Path | None:
    """Make the rows of tasks, the dearest last, and write all that there are, after each."""
    missing = [task for task in sorted(tasks, key=_dear) if not rows.path(task).exists()]
    for task in (bar := tqdm(missing, unit="variant")):
        if not go_on():
            return None
        bar.set_postfix_str(task if isinstance(task, str) else f"{task.condition}, {task.option} = {task.value}")
        rows.of(task)
        _write(rows, tasks, path)
    _write(rows, tasks, path)
    return path


def _write(rows: Rows, tasks: list[Variant | str], path: Path) -> None:
    """Write what there is of the tasks, in their order."""
    found = pd.concat([rows.of(task) for task in tasks if rows.path(task).exists()], ignore_index=True)
    own = {"base_units": rows.bench.base.units, "base_updates": int(found["updates"].mode()[0])}
    write_csv(path, found.assign(**own))


def _dear(task: Variant | str) -> tuple[bool, bool, float]:
    if isinstance(task, str):
        return False, False, 0.0
    longer = float(task.value) if task.option in ("updates", "samples", "units") else 0.0
    return task.muscles is not None, task.needs != "reanalyse", longer


def main(folder: str, units: str = "32", updates: str = "800", seeds: str = "3", minutes: str = "inf") -> None:
    """``FOLDER [UNITS [UPDATES [SEEDS [MINUTES]]]]``."""
    done = study(folder, units=int(units), updates=int(updates), seeds=int(seeds), minutes=float(minutes))
    print(done or "Not finished: call it again to go on.")


if __name__ == "__main__":
    script(main)
