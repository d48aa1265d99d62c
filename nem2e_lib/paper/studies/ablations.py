"""The study of every open choice: ``make study-ablations`` writes docs/ablations.csv, on SYNTHETIC running.

With ``DATA=open`` it writes docs/ablations_people.csv: the choices of the network (`variants.MAIN`) on the open
recordings, SYNTHETIC walking after them. With ``LENGTH=long`` it writes docs/ablations_long.csv: a few of them
(`variants.AT_LENGTH`) on SYNTHETIC running at the published length of training. `Committed` reads such a table. `study`
makes it, `Rows` finding again what was trained before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from time import monotonic
from typing import Any

import pandas as pd
from tqdm import tqdm

from nem2e_lib.analysis.ablations import Bench, Variant, effects, variants
from nem2e_lib.analysis.ablations.variants import AT_LENGTH, MAIN, Cutting
from nem2e_lib.data.cycles.segment import data_hash
from nem2e_lib.data.study.load import load_study
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.style import CONDITION_LABELS, signed
from nem2e_lib.paper.run import OPEN, Run
from nem2e_lib.paper.studies.script import script
from nem2e_lib.project import ROOT
from nem2e_lib.site.provenance import commit
from nem2e_lib.site.saving import write_csv
from nem2e_lib.training.config import Configuration, profile
from nem2e_lib.training.engine import ENGINE_VERSION
from nem2e_lib.training.store import key_of
from nem2e_lib.training.units import units_said

STUDY, PEOPLE, LONG = (ROOT / "docs" / f"ablations{name}.csv" for name in ("", "_people", "_long"))
"""One row a variant and held-out unit, with what it was trained with."""
BENCH_VERSION = "2"
"""Of what a bench gives for the same variant: another value here makes every kept row be made anew."""
MOTION, BESIDE = "running", "walking"
"""The SYNTHETIC study of every choice, and the one that stands beside real people."""
OLD_UPDATES = 800
"""Updates that were asked for in tables that do not tell: whole epochs made a few more or less of them."""
DEMO, LENGTH = "demo", "long"
"""Profiles by which models are trained."""
MUSCLES = ("soleus", "bi", "tib", "rect")
"""Muscles of the study: one on each side of shank and thigh; each an electrode of its own."""


@dataclass(frozen=True)
class Committed:
    """A table of the study, read once: `STUDY`, `PEOPLE`, `LONG`, or one's own; whole, or of `only` one study."""

    path: Path = STUDY
    only: str = ""

    @cached_property
    def rows(self) -> pd.DataFrame:
        """One row a variant and held-out unit; a missing file raises `Nem2eError`."""
        if not self.path.exists():
            raise Nem2eError(f"{self.path}: there is no study of ablations; run `make study-ablations` first.")
        table = pd.read_csv(self.path, dtype={"value": str, "default": str, "label": str}, keep_default_na=True)
        return table[table["study"] == self.only].reset_index(drop=True) if self.only else table

    @cached_property
    def effects(self) -> pd.DataFrame:
        """One row a variant."""
        return effects(self.rows)

    @cached_property
    def missing(self) -> list[str]:
        """Variants that today's options have and a study of the table has not."""
        first = self.rows.iloc[0]
        base = profile(str(first["profile"])).with_options(units=int(first["base_units"]), seed=int(first["seed"]))
        if base.epochs is None:
            base = base.with_options(updates=int(first.get("asked_updates", OLD_UPDATES)))
        length = LENGTH if first["profile"] == LENGTH else ""
        wanted = _varied(base, some=self.path != STUDY, length=length)
        return [
            f"{study}: {CONDITION_LABELS[one.condition]}, {one.option} = {one.value}"
            for study, table in self.effects.groupby("study", sort=False)
            for have in [set(table[["condition", "option", "value"]].itertuples(index=False, name=None))]
            for one in wanted
            if (one.condition, one.option, str(one.value)) not in have
        ]

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
        first, rows = self.rows.iloc[0], self.rows
        code = ", ".join(dict.fromkeys(str(name)[:10] for name in rows["commit"]))
        how = {STUDY: "", PEOPLE: " DATA=open", LONG: " LENGTH=long"}.get(self.path, " STUDY=…")
        variant = "" if "variant_seeds" not in rows else f"variants: the first {rows['variant_seeds'].max()} of them; "
        return (
            f"{'; '.join(_told(study, table) for study, table in rows.groupby('study', sort=False))}; default: "
            f"{first['base_units']} units, {' and '.join(map(str, dict.fromkeys(rows['base_updates'])))} updates a "
            f"model, seed {first['seed']}; {first['seeds']} seeds as a yardstick; {variant}"
            f"code {code} (docs/{self.path.name}; make study-ablations{how} makes it anew)."
        )

    @property
    def studies(self) -> list[Committed]:
        """The table of each study: real people first."""
        return [Committed(self.path, str(name)) for name in dict.fromkeys(self.rows["study"])]

    def readings(self, options: Sequence[str]) -> str:
        """Say what each value of some options did to Er on the one study, in their order; empty for none."""
        table = self.effects[self.effects["measure"] == "Er"]
        parts = [
            f"{CONDITION_LABELS[row['condition']]}, {row['option']} = {row['value']}: "
            f"{signed(row['difference'])} ({signed(row['ci_low'])} to {signed(row['ci_high'])}), {row['verdict']}"
            for option in options
            for row in table[table["option"] == option].to_dict("records")
        ]
        kind = "SYNTHETIC " if self.synthetic else ""
        name = self.rows["study"].iloc[0].removesuffix("-synthetic")
        return f"{kind}{name}, change in Er (95 % CI): {'; '.join(parts)}." if parts else ""


def _told(study: Any, rows: pd.DataFrame) -> str:
    kind = "SYNTHETIC" if rows["synthetic"].any() else "measured"
    by = f", simulated by: {rows['simulated_by'].iloc[0]}" if "simulated_by" in rows else ""
    units = units_said(rows["label"].nunique(), rows["unit"].iloc[0], "held-out")
    return f"Study {study} ({kind}{by}), {units}, {rows['electrodes'].max()} electrodes"


@dataclass(frozen=True)
class Rows:
    """Rows of a bench's variants, found again by the hash of everything that made them.

    Attributes
    ----------
    bench
        Where variants are trained.
    folder
        Of rows that were made before, one file a variant.
    profile
        Of the default, before units and updates were chosen.
    """

    bench: Bench
    folder: Path
    profile: str = DEMO

    @cached_property
    def _ingredients(self) -> dict[str, Any]:
        cycles = Cutting().pieces(self.bench.study)[0].cycles
        return {
            "data": data_hash(cycles),
            "base": self.bench.base.to_json(),
            "channels": self.bench.channels,
            "seeds": self.bench.seeds,
            "variant_seeds": self.bench.variant_seeds,
            "engine": ENGINE_VERSION,
            "code": BENCH_VERSION,
        }

    def path(self, task: Variant | str) -> Path:
        """Return the file of a variant, or of the seeds of a condition."""
        told = task if isinstance(task, str) else asdict(task)
        return self.folder / f"{key_of(task=told, **self._ingredients)[:24]}.csv"

    def has(self, task: Variant | str) -> bool:
        """Whether a task's rows were made before."""
        return self.path(task).exists()

    def of(self, task: Variant | str) -> pd.DataFrame:
        """Return a task's rows with their provenance: those made before, else made now."""
        path = self.path(task)
        if not self.has(task):
            bench = self.bench
            made = bench.seed_rows(task) if isinstance(task, str) else bench.rows(task)
            seeds = {"seed": bench.base.seed, "seeds": bench.seeds, "variant_seeds": bench.variant_seeds}
            asked: dict[str, Any] = {"profile": self.profile, "asked_updates": bench.base.updates}
            write_csv(path, made.assign(**seeds, **asked, commit=commit()))
        return pd.read_csv(path, dtype=dict.fromkeys(("value", "default", "label"), str))


Work = list[tuple[Rows, "Variant | str"]]
"""What is to be made: a variant, or the seeds of a condition, each on its bench."""


def study(
    folder: Path | str,
    *,
    units: int = 64,
    updates: int = 2000,
    seeds: int = 3,
    variant_seeds: int = 1,
    minutes: float = math.inf,
    own: str = "",
    data: str = "",
    length: str = "",
) -> Path | None:
    """Train every variant that is missing, and write the table.

    Parameters
    ----------
    folder
        Where data, models and rows are kept; a second call makes only what is missing.
    units, updates
        Of the default.
    seeds, variant_seeds
        Seeds of the default, as a yardstick, and of each variant.
    minutes
        Stop after so many and leave the rest to the next call; then None is returned, and the page names what has not
        been run.
    own, data
        Folder of one's own study, whose table is written into `folder`; or ``open`` for the open recordings and
        SYNTHETIC walking after them. Both vary `variants.MAIN` alone.
    length
        ``long`` for the published length of training, at which `variants.AT_LENGTH` alone is varied; `updates` is not
        read then.

    Raises
    ------
    Nem2eError
        If there are no such data or length, both are asked for at once, or as `Run.begin`.
    """
    for name, value, known in (("data", data, OPEN), ("length", length, LENGTH)):
        if value not in ("", known):
            raise Nem2eError(f"study of ablations: {name} is {value!r}, expected {known!r} or nothing; change it.")
    if data and length:
        raise Nem2eError(
            "study of ablations: the published length is on SYNTHETIC running or a study of your own, but open data "
            "are asked for; give either."
        )
    folder, named = Path(folder), length or DEMO
    base = profile(named).with_options(units=units)
    base = base if length else base.with_options(updates=updates)
    chosen = _varied(base, some=bool(own or data or length), length=length)
    tasks: list[Variant | str] = [*dict.fromkeys(one.condition for one in chosen), *chosen]
    until = monotonic() + 60 * minutes
    benches = _benches(folder, base, own, data, seeds, min(seeds, variant_seeds))
    kept = [Rows(bench, folder / "rows", named) for bench in benches]
    work = [(rows, task) for rows in kept for task in tasks]
    where = folder / "ablations.csv" if own else PEOPLE if data else LONG if length else STUDY
    return record(work, where, lambda: monotonic() < until)


def _varied(base: Configuration, *, some: bool, length: str) -> list[Variant]:
    """Return every variant, or `some`: those of what the network is, at the published length a few of them."""
    options = AT_LENGTH if length else MAIN
    named = [one for one in variants(base) if not some or one.option in options]
    return sorted(named, key=lambda one: options.index(one.option)) if some else named


def _benches(folder: Path, base: Configuration, own: str, data: str, seeds: int, variant_seeds: int) -> Iterator[Bench]:
    """Yield where variants are trained: real people first."""
    if own or data:
        people = Run.begin(str(folder), DEMO, study=own, data=data)
        for name, place in people.studies.items():
            loaded = load_study(place)
            yield Bench(loaded, base, tuple(loaded.channels), people.of(name, "models"), seeds, variant_seeds)
    if not own:
        run = Run.begin(str(folder / "synthetic" if data else folder), DEMO)
        name = BESIDE if data else MOTION
        loaded = load_study(run.studies[name])
        muscles = tuple(loaded.channels) if data else MUSCLES
        yield Bench(loaded, base, muscles, run.of(name, "models"), seeds, variant_seeds)


def record(work: Work, path: Path, go_on: Callable[[], bool]) -> Path | None:
    """Make the rows of tasks, study after study, the dearest last, and write all that there are, after each."""
    turn = list(dict.fromkeys(id(rows.bench) for rows, _ in work))
    ordered = sorted(work, key=lambda pair: (turn.index(id(pair[0].bench)), _dear(pair[1])))
    missing = [(rows, task) for rows, task in ordered if not rows.has(task)]
    for rows, task in (bar := tqdm(missing, unit="variant")):
        if not go_on():
            return None
        bar.set_postfix_str(task if isinstance(task, str) else f"{task.condition}, {task.option} = {task.value}")
        rows.of(task)
        _write(work, path)
    _write(work, path)
    return path


def _write(work: Work, path: Path) -> None:
    """Write what there is of the tasks, in their order."""
    found = pd.concat([rows.of(task) for rows, task in work if rows.has(task)], ignore_index=True)
    units = {rows.bench.base.units for rows, _ in work}.pop()
    updates = found.groupby("study", sort=False)["updates"].transform(lambda some: some.mode()[0])
    write_csv(path, found.assign(base_units=units, base_updates=updates))


def _dear(task: Variant | str) -> tuple[bool, bool, float]:
    if isinstance(task, str):
        return False, False, 0.0
    longer = float(task.value) if task.option in ("updates", "samples", "units") else 0.0
    return task.muscles is not None, task.needs != "reanalyse", longer


def main(
    folder: str,
    units: str = "64",
    updates: str = "2000",
    seeds: str = "3",
    minutes: str = "inf",
    own: str = "",
    data: str = "",
    length: str = "",
    variant_seeds: str = "1",
) -> None:
    """``FOLDER [UNITS [UPDATES [SEEDS [MINUTES [STUDY [DATA [LENGTH [VARIANT_SEEDS]]]]]]]]``."""
    done = study(
        folder,
        units=int(units),
        updates=int(updates),
        seeds=int(seeds),
        variant_seeds=int(variant_seeds),
        minutes=float(minutes),
        own=own,
        data=data,
        length=length,
    )
    print(done or "Not finished: call it again to go on.")


if __name__ == "__main__":
    script(main)
