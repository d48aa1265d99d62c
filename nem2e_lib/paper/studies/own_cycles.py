"""What a few own cycles of a person buy: ``make study-own-cycles`` writes docs/own_cycles.csv.

Methods that had not seen a person are adapted to them by 0, 1, 2, … own cycles, as ``nem2e adapt`` does, and judged on
the person's other cycles; beside them stands the mean of the own cycles alone. What the adaptation takes from left-out
people it takes from those whom the method was fitted to. On people and on SYNTHETIC data; `read` and `summary` tell
what was found.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.analysis.statistics import over_folds
from nem2e_lib.data.cycles.segment import circumstances, recorded
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.own_cycles import PROTOCOLS, own_cycles
from nem2e_lib.figures.style import Drawn, label_of, signed
from nem2e_lib.paper.run import OPEN, Run
from nem2e_lib.paper.studies.script import script
from nem2e_lib.project import ROOT
from nem2e_lib.refiner.adapting import Priors, Seen, balanced, fit, paying, priors, rmse
from nem2e_lib.rivals import evaluate, rival, simulated_cycles
from nem2e_lib.site.provenance import commit
from nem2e_lib.site.saving import write_csv
from nem2e_lib.training.conditions import own_muscle
from nem2e_lib.training.folds import leave_one_out
from nem2e_lib.training.units import units_said

STUDY = ROOT / "docs" / "own_cycles.csv"
"""One row a study, protocol, method, number of own cycles and held-out unit."""
METHODS = ("mean_curve", "ridge_all", "pls")
BASE = "mean_curve"
OWN = "own_cycles"
"""The mean of the own cycles alone, which knows no other people."""
SAME, OTHER = "same", "other"
"""Own cycles are of the circumstances (speed, condition) that are judged, or of others."""
MOST = 10
"""Own cycles at most, as `nem2e adapt` takes."""
DRAWS = 4
"""Orders in which own cycles are drawn for each cycle that is judged."""
FEW = {"running": ("soleus", "bi", "tib", "rect")}
"""Muscles of a SYNTHETIC study that has many: the others are made alike."""
DECIMALS = 12
FOUR = 4
"""Speeds of one person from which two can be left out together."""
SUMMARY = [
    *("study", "synthetic", "unit", "protocol", "method", "own_cycles"),
    *("n", "er", "change", "ci_low", "ci_high", "p_value"),
]
"""Columns of `summary`."""

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Person:
    """A muscle of a held-out unit, by a method that had seen none of it.

    Attributes
    ----------
    label, channel
        The unit and the muscle.
    seen
        Its cycles.
    simulated
        Simulated activation of the muscle, shape (cycles, samples).
    own, judged
        Which of the cycles may be own cycles, and which are judged, shape (cycles,); may be the same.
    left_out
        Held-out cycles of the units that the method was fitted to.
    stages
        Of the adaptation, chosen on these.
    """

    label: str
    channel: str
    seen: Seen
    simulated: Array
    own: Mask
    judged: Mask
    left_out: Seen
    stages: tuple[str, ...]

    def pools(self, protocol: str) -> dict[int, NDArray[np.intp]]:
        """Return which cycles may be adapted to for each that is judged; those without any are not judged."""
        told = self.seen.circumstance
        found = {}
        for cycle in np.flatnonzero(self.judged).tolist():
            alike = (told == told[cycle]) == (protocol == SAME)
            found[cycle] = np.flatnonzero(self.own & alike & (np.arange(len(told)) != cycle))
        return {cycle: pool for cycle, pool in found.items() if len(pool)}


def curves(cycles: xr.Dataset, method: str) -> pd.DataFrame:
    """Return the error of a method over the number of own cycles, by both protocols.

    Parameters
    ----------
    cycles
        Segmented cycles, of several people, or of one at several speeds.
    method
        Name of a rival.

    Returns
    -------
    pandas.DataFrame
        Columns protocol, method (`OWN` too), own_cycles, label, er, stages (of the adaptation), unit: a row a held-out
        unit. Er is Eq. 2 of Teramae et al. (2025), the mean over muscles; numbers of own cycles are those that every
        unit of the protocol allows. One person's other speeds are tried where there are four: two are left out
        together, and how speeds differ is learned from the rest.

    Raises
    ------
    Nem2eError
        If no unit has a cycle beside the one that is judged.
    """
    folds = leave_one_out(cycles)
    unit, same = folds.unit, list(_people(cycles, method, SAME))
    people = {SAME: same, OTHER: same if unit == "subject" else []}
    if unit == "speed" and len(folds.labels) >= FOUR:
        people[OTHER] = list(_people(cycles, method, OTHER))
    parts = [part for told, group in people.items() if len(part := _curve(group, told, method))]
    if not parts:
        raise Nem2eError(
            f"study {cycles.attrs['study']}: nobody has two cycles, so none is left to judge what the other says; "
            "add trials to trials.csv."
        )
    return pd.concat(parts, ignore_index=True).assign(unit=unit)


def _curve(people: list[Person], protocol: str, method: str) -> pd.DataFrame:
    sizes = [len(pool) for one in people for pool in one.pools(protocol).values()]
    if not sizes:
        return pd.DataFrame()
    rows = [row for one in people for row in _rows(one, protocol, min(MOST, *sizes), method)]
    # pairs of speeds that are judged at one count as one unit
    keys = ["method", "own_cycles", "label"]
    means = pd.DataFrame(rows).groupby(keys, sort=False).agg(er=("er", "mean"), stages=("stages", _distinct))
    return means.reset_index().assign(protocol=protocol)


def _distinct(stages: pd.Series[str]) -> str:
    return ", ".join(sorted(set(stages)))


def _rows(one: Person, protocol: str, most: int, method: str) -> list[dict[str, object]]:
    """Er of a muscle of a unit for every number of own cycles: adapted, and by the own cycles alone."""
    pools, seen = one.pools(protocol), one.seen
    if not pools:
        return []
    known, told = priors(one.left_out, one.stages), seen.circumstance[list(pools)]
    base = float(balanced(rmse(one.simulated, seen.measured)[list(pools)], told))
    rows: list[dict[str, object]] = []
    for count in range(most + 1):
        errors = [_judged(seen, cycle, pool, count, known, protocol == SAME) for cycle, pool in pools.items()]
        for name, values in zip((method, OWN), np.transpose(errors), strict=True):
            if count or name != OWN:
                er = round(float(balanced(values, told)) / base - 1.0, DECIMALS)
                stages = "+".join(one.stages) if name != OWN else ""
                rows.append({"method": name, "own_cycles": count, "label": one.label, "er": er, "stages": stages})
    return rows


def _judged(
    seen: Seen, cycle: int, pool: NDArray[np.intp], count: int, known: Priors, same: bool
) -> tuple[float, float]:
    """RMSE of a cycle after adapting by so many others, and of their mean; the mean over orders in which they come."""
    generator = np.random.default_rng([cycle, len(pool)])
    new, errors = seen.take(np.array([cycle])), []
    for _ in range(DRAWS if 0 < count < len(pool) else 1):
        own = seen.take(generator.permutation(pool)[:count])
        adapted = fit(own, known, same).apply(new.predicted, new.duration_s)
        mean = own.measured.mean(axis=0) if count else np.full(new.measured.shape[1], np.nan)
        errors.append([rmse(adapted, new.measured)[0], rmse(mean, new.measured)[0]])
    adapted_error, own_error = np.mean(errors, axis=0)
    return float(adapted_error), float(own_error)


def _people(cycles: xr.Dataset, method: str, protocol: str) -> Iterator[Person]:
    """Yield every unit left out, muscle by muscle; of one person at other speeds, every two speeds left out."""
    folds = leave_one_out(cycles)
    every = range(len(folds.labels))
    if folds.unit == "subject" or protocol == SAME:
        refined = _evaluated(cycles, method)
        pairs = [(fold, fold) for fold in every]
        parts = {(fold, fold): (refined, _left_out(cycles, method, folds.of_cycle != fold)) for fold in every}
    else:
        pairs = list(permutations(every, 2))
        parts = {}
        for one, other in combinations(every, 2):
            shown = ~np.isin(folds.of_cycle, (one, other))
            parts[one, other] = _fitted(cycles, method, shown), _left_out(cycles, method, shown)
            parts[other, one] = parts[one, other]
    simulated = own_muscle(cycles).transpose("cycle", "sample", "channel").values
    units = np.asarray(folds.labels)[folds.of_cycle]
    for own, judged in pairs:
        refined, left_out = parts[own, judged]
        stages = paying(left_out)
        held = np.isin(folds.of_cycle, (own, judged))
        for channel, name in enumerate(cycles.channel.values.tolist()):
            there = np.flatnonzero(held & recorded(cycles.emg)[channel])
            of = folds.of_cycle[there]
            seen = _seen(cycles, refined, units, channel, there)
            curves = simulated[there, :, channel]
            yield Person(folds.labels[judged], name, seen, curves, of == own, of == judged, left_out[channel], stages)


def _evaluated(cycles: xr.Dataset, method: str) -> Array:
    """Held-out curves of all cycles, shape (cycles, samples, channels)."""
    found: Array = evaluate(cycles, rival(method)).refined.transpose("seed", "cycle", "sample", "channel").values[0]
    return found


def _fitted(cycles: xr.Dataset, method: str, shown: Mask) -> Array:
    """Curves of the cycles that are not shown, NaN elsewhere; shape as in `_evaluated`."""
    simulated, measured = simulated_cycles(cycles), cycles.emg.transpose("cycle", "sample", "channel").values
    refined = np.full(measured.shape, np.nan)
    refined[~shown] = rival(method).fit(simulated.take(shown), measured[shown]).predict(simulated.take(~shown))
    return refined


def _left_out(cycles: xr.Dataset, method: str, shown: Mask) -> list[Seen]:
    """Held-out cycles within those that a method is fitted to, one of each channel."""
    inner = cycles.isel(cycle=shown)
    folds, refined = leave_one_out(inner), _evaluated(inner, method)
    units = np.asarray(folds.labels)[folds.of_cycle]
    return [
        _seen(inner, refined, units, channel, np.flatnonzero(there))
        for channel, there in enumerate(recorded(inner.emg))
    ]


def _seen(cycles: xr.Dataset, refined: Array, units: NDArray[np.str_], channel: int, there: NDArray[np.intp]) -> Seen:
    measured = cycles.emg.transpose("cycle", "sample", "channel").values
    lasts, told = (cycles.end_s - cycles.start_s).values, circumstances(cycles)
    return Seen(refined[there, :, channel], measured[there, :, channel], lasts[there], units[there], told[there])


def read(path: Path | str = "") -> pd.DataFrame:
    """Read the table: see `STUDY`.

    Raises
    ------
    Nem2eError
        If it is missing.
    """
    path = Path(path or STUDY)
    if not path.exists():
        raise Nem2eError(f"{path}: there is no such table; make study-own-cycles writes it.")
    return pd.read_csv(path, dtype={"label": str}, keep_default_na=False)


def of(studies: Iterable[str]) -> pd.DataFrame:
    """Return the rows of the committed table that are of some studies, by name; without rows where it has none."""
    rows = read()
    return rows[rows["study"].isin(list(studies))]


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Return mean Er of each study, protocol, method and number of own cycles, and what the cycles change.

    Parameters
    ----------
    rows
        As `read` gives them.

    Returns
    -------
    pandas.DataFrame
        Columns study, synthetic, unit, protocol, method, own_cycles, n, er, and the change from the method without own
        cycles (`OWN`: from the mean curve without), paired by unit: change, ci_low, ci_high (t-based 95 % CI over
        units; `statistics.over_folds`, since folds share training data), p_value.
    """
    parts: list[dict[str, object]] = []
    for (study, protocol), here in rows.groupby(["study", "protocol"], sort=False):
        wide = here.pivot_table(index="label", columns=["method", "own_cycles"], values="er", sort=False)
        first = here.iloc[0]
        for method, count in wide.columns.to_frame().itertuples(index=False, name=None):
            base = (BASE if method == OWN else method, 0)
            test = over_folds((wide[method, count] - wide[base]).round(DECIMALS))
            parts.append(
                {
                    "study": study,
                    "synthetic": bool(first["synthetic"]),
                    "unit": first["unit"],
                    "protocol": protocol,
                    "method": method,
                    "own_cycles": int(count),
                    "n": len(wide),
                    "er": float(wide[method, count].mean()),
                    "change": test.mean,
                    "ci_low": test.ci_low,
                    "ci_high": test.ci_high,
                    "p_value": test.p_value,
                }
            )
    table = pd.DataFrame(parts, columns=SUMMARY)
    return table.sort_values(["study", "protocol", "method", "own_cycles"], ignore_index=True)


def found(table: pd.DataFrame) -> list[str]:
    """Return what one own cycle and the most that were tried change, a sentence a study and protocol.

    Parameters
    ----------
    table
        As `summary` gives it.
    """
    lines = []
    for (name, protocol), here in table.groupby(["study", "protocol"], sort=False):
        most, first = int(here["own_cycles"].max()), here.iloc[0]
        parts = []
        for method in METHODS:
            one = {int(row["own_cycles"]): row for row in here[here["method"] == method].to_dict("records")}
            changes = ", ".join(f"with {k} by {_change(one[k])}" for k in sorted({1, most}))
            parts.append(f"{label_of(method)}, Er {signed(one[0]['er'])} without own cycles, changes {changes}")
        alone = here[here["method"] == OWN].set_index("own_cycles")["er"]
        own = " and ".join(f"{signed(alone[k])} of {k}" for k in sorted({1, most}))
        called = "SYNTHETIC " if first["synthetic"] else ""
        units = units_said(int(first["n"]), str(first["unit"]))
        where = f"{called}{name}, {PROTOCOLS[str(protocol)]} ({units})"
        lines.append(f"{where}: {'; '.join(parts)}. The mean of the own cycles alone has {own}.")
    return lines


def _change(row: Mapping[Hashable, float]) -> str:
    shown = "better" if row["ci_high"] < 0 else "worse" if row["ci_low"] > 0 else "not shown to differ"
    return f"{signed(row['change'])} ({signed(row['ci_low'])} to {signed(row['ci_high'])}, {shown})"


def drawn(studies: Iterable[str]) -> Iterator[Drawn]:
    """Yield the figure of those of the studies that the committed table has; nothing where it has none of them."""
    if len(rows := of(studies)):
        table = summary(rows)
        yield own_cycles(table, told=" ".join(found(table)))


def study(folder: Path | str) -> Path:
    """Make every curve and write the table; what is finished in the folder is not made again.

    Parameters
    ----------
    folder
        Where recordings and finished parts are kept.
    """
    parts = []
    for data in (OPEN, ""):
        run = Run.begin(str(Path(folder) / (data or "synthetic")), data=data)
        for name in run.studies:
            cycles = run.segment(name)[0].assign_attrs(study=name)
            for method in METHODS:
                path = run.of(name, f"own-cycles-{method}.csv")
                if not path.exists():
                    write_csv(path, told(cycles, method))
                    print(name, method, flush=True)
                parts.append(read(path))
    write_csv(STUDY, joined(parts))
    return STUDY


def joined(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return one table of several methods; what own cycles alone give is the same beside each of them."""
    keys = ["study", "protocol", "method", "own_cycles", "label"]
    return pd.concat(parts, ignore_index=True).drop_duplicates(keys, ignore_index=True)


def told(cycles: xr.Dataset, method: str) -> pd.DataFrame:
    """Return the curves of a method with what they are of: the rows of `STUDY`."""
    few = _few(cycles)
    facts = {"study": cycles.attrs["study"], "synthetic": bool(cycles.attrs["synthetic"])}
    muscles = " ".join(map(str, few.channel.values))
    return curves(few, method).assign(**facts, muscles=muscles, commit=commit())


def _few(cycles: xr.Dataset) -> xr.Dataset:
    """A SYNTHETIC study on the muscles of `FEW` that it has; whole where it has none of them."""
    few = FEW.get(str(cycles.attrs["motion"]), ()) if cycles.attrs["synthetic"] else ()
    have = [name for name in few if name in cycles.channel.values]
    return cycles.sel(channel=have) if have else cycles


def main(folder: str) -> None:
    """``FOLDER``."""
    print(study(folder))


if __name__ == "__main__":
    script(main)
