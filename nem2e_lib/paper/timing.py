"""Timing, size and co-contraction in sentences, and the tables that show them: logic of 18_timing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from nem2e_lib.analysis import apart, mixed, normalising, timing
from nem2e_lib.analysis.mixed import MEAN_CURVE
from nem2e_lib.analysis.statistics import ALPHA, FEWEST
from nem2e_lib.analysis.timing import MEASURED, MEASURES
from nem2e_lib.figures.style import label_of, signed
from nem2e_lib.paper.findings import Findings
from nem2e_lib.paper.studies import outside
from nem2e_lib.rivals import RidgeAll, RidgeOwn, Rival, evaluate
from nem2e_lib.site.tables import p_text, rounded
from nem2e_lib.training.conditions import CONDITIONS
from nem2e_lib.training.units import caveat, unit_name, units_said

OPENSIM = "opensim"
_SAID = {"onset_off": "onset", "offset_off": "offset", "peak_off": "peak time"}


QUICK: tuple[Rival, ...] = (RidgeOwn(), RidgeAll())
"""Methods that are fitted anew by every run, for EMG normalised otherwise and for a speed that is left out."""


@dataclass(frozen=True)
class Timed:
    """A run's curves, timed; one channel an electrode, since its copies have the same EMG."""

    found: Findings

    @cached_property
    def trained(self) -> dict[str, dict[str, xr.Dataset]]:
        """Trained conditions by study and condition."""
        return {
            study: {name: timing.one_an_electrode(one) for name, one in conditions.items()}
            for study, conditions in self.found.trained.items()
        }

    @cached_property
    def first(self) -> dict[str, xr.Dataset]:
        """One condition of each study: its EMG and folds are those of all."""
        return {study: conditions["one_entire"] for study, conditions in self.trained.items()}

    @cached_property
    def cycles(self) -> dict[str, xr.Dataset]:
        """Segmented cycles of each study, on the channels that were trained."""
        return {
            study: self.found.cycles[study].sel(channel=one.channel.values).assign_attrs(study=study)
            for study, one in self.first.items()
        }

    @cached_property
    def methods(self) -> dict[str, dict[str, np.ndarray]]:
        """What is held against EMG, by study and method."""
        return {study: timing.estimates(conditions) for study, conditions in self.trained.items()}

    @cached_property
    def cycle_by_cycle(self) -> pd.DataFrame:
        """Rows of `timing.compared` of every study."""
        parts = [timing.compared(one, self.methods[study]) for study, one in self.first.items()]
        return pd.concat(parts, ignore_index=True)

    @cached_property
    def units(self) -> pd.DataFrame:
        """Rows of `timing.per_unit`."""
        return timing.per_unit(self.cycle_by_cycle)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """Muscle by muscle: rows of `timing.summary`."""
        return timing.summary(self.units)

    @cached_property
    def thinned(self) -> pd.DataFrame:
        """What thinning to the samples of training costs, muscle by muscle."""
        parts = [timing.per_unit(timing.thinning(one)) for one in self.cycles.values()]
        return timing.summary(pd.concat(parts, ignore_index=True))

    @cached_property
    def over(self) -> pd.DataFrame:
        """Rows of `timing.over_muscles`."""
        return timing.over_muscles(self.units)

    @cached_property
    def against(self) -> pd.DataFrame:
        """Each method against the mean curve, and against the simulation."""
        return pd.concat([timing.contrasts(self.over, other) for other in (MEAN_CURVE, OPENSIM)], ignore_index=True)

    @cached_property
    def pairs(self) -> dict[str, pd.DataFrame]:
        """Co-contraction of each study that has antagonists."""
        tables = {study: timing.cocontraction(one, self.methods[study]) for study, one in self.first.items()}
        return {study: timing.summary(timing.per_unit(table)) for study, table in tables.items() if len(table)}

    @cached_property
    def models(self) -> pd.DataFrame:
        """Contrasts of the mixed model of Er."""
        return mixed.mixed(self.found.errors)

    @cached_property
    def scaled(self) -> pd.DataFrame:
        """Er of the quick methods under each normalisation of EMG."""
        quick = {rival.name: partial(evaluate, rival=rival) for rival in QUICK}
        parts = [normalising.sensitivity(one, quick) for one in self.cycles.values()]
        return pd.concat(parts, ignore_index=True)

    @cached_property
    def apart(self) -> dict[str, pd.DataFrame]:
        """Losses of the quick methods by a speed left out beside a person, of each study where that can be."""
        able = {study: one for study, one in self.cycles.items() if not apart.cannot(one)}
        return {study: apart.losses(self._left_out(one)) for study, one in able.items()}

    @staticmethod
    def _left_out(cycles: xr.Dataset) -> pd.DataFrame:
        together = {rival.name: evaluate(apart.by_circumstance(cycles)[0], rival) for rival in QUICK}
        return apart.unit_errors(apart.methods(cycles, QUICK), together)

    def kept(self, table: str) -> dict[str, pd.DataFrame]:
        """Read what `outside` has kept, with trained conditions, of the open recordings; nothing in any other run."""
        rows = outside.read(table) if self.found.run.data else pd.DataFrame()
        return {
            study: rows[rows["study"].eq(study)] for study in self.cycles if len(rows) and study in set(rows["study"])
        }

    @property
    def cannot(self) -> Iterator[str]:
        """Sentences on what a study has no speeds or people for."""
        return filter(None, map(apart.cannot, self.cycles.values()))

    def synthetic(self, study: str) -> bool:
        """Whether a study is SYNTHETIC."""
        return self.found.synthetic(study)


def who(summary: pd.DataFrame) -> list[str]:
    """Say what intervals are over, a sentence a study; one person's are over what was left out of that person."""
    told = []
    for study, rows in summary.groupby("study", sort=False):
        unit, number = str(rows["unit"].iloc[0]), int(rows["of_units"].max())
        data = "SYNTHETIC data; " if rows["synthetic"].iloc[0] else ""
        people = unit == "subject"
        rest = "" if people else f" of one person: they say nothing of other people, and {number} are few"
        said = f"{study}: {data}intervals are over {units_said(number, unit, 'held-out')}{rest}."
        told.append(" ".join(filter(None, [said, caveat([unit])])))
    return told


def values(summary: pd.DataFrame) -> pd.DataFrame:
    """Lay out what each method says of each muscle of a study, a row a muscle and method: mean and interval in text."""
    shown = ["onset", "offset", "peak", "height", "onset_error", "offset_error", "peak_error", "height_error"]
    shown += ["correlation", "rmse"]
    rows = summary[summary["measure"].isin(shown)]
    texts = rows.assign(text=[_text(row) for row in rows.to_dict("records")])
    wide = texts.pivot_table(index=["muscle", "method"], columns="measure", values="text", aggfunc="first", sort=False)
    return wide.reindex(columns=[name for name in shown if name in wide]).fillna("–").reset_index()


def _text(row: Mapping[Any, Any]) -> str:
    digits = 0 if MEASURES[str(row["measure"])].kind == "time" else 2
    mean, low, high = (float(row[name]) for name in ("mean", "ci_low", "ci_high"))
    span = f" ({rounded(low, digits)} to {rounded(high, digits)})" if np.isfinite(low) else ""
    few = f" in {row['cycles']} of {row['of_cycles']}" if row["cycles"] != row["of_cycles"] else ""
    return f"{rounded(mean, digits)}{span}{few}" if np.isfinite(mean) else "–"


def bursts_told(counted: pd.DataFrame, cycles: pd.DataFrame) -> list[str]:
    """Say in how many curves each method has no burst, a sentence a study.

    Parameters
    ----------
    counted
        Rows of `timing.without_burst`.
    cycles
        Rows of `timing.compared`, of which they are.
    """
    told = []
    for study, rows in cycles.groupby("study", sort=False):
        of = rows.groupby("method", sort=False).size()
        here = counted[counted["study"].eq(study)].groupby("method", sort=False)["cycles"].sum()
        parts = [f"{_name(method)} {here[method]} of {of[method]}" for method in of.index if method in here.index]
        said = f"no burst in {', '.join(parts)} curves" if parts else "every curve, measured and estimated, has a burst"
        told.append(f"{study}: {said}.")
    return told


def incomplete_told(units: pd.DataFrame) -> list[str]:
    """Say of how many muscles and units the times are not compared, since some method has no burst there."""
    told = []
    rows = units[units["measure"].eq("onset_off") & units["method"].ne(MEASURED)]
    for study, some in rows.groupby("study", sort=False):
        lost = some["value"].isna().groupby([some["muscle"], some["label"]]).any()
        if lost.any():
            worst = label_of(some[some["value"].isna()].groupby("method")["label"].count().idxmax())
            told.append(
                f"{study}: in {int(lost.sum())} of {len(lost)} muscles of held-out "
                f"{unit_name(str(some['unit'].iloc[0]), 2)} some method has no burst, most often {worst}; there no "
                "method's times enter the means."
            )
    return told


def _name(method: str) -> str:
    return "measured EMG" if method == MEASURED else label_of(method)


def thinned(summary: pd.DataFrame) -> pd.DataFrame:
    """Lay out what thinning costs, a row a study and muscle."""
    shown = ["onset_error", "offset_error", "peak_error", "height_error", "onset_off", "offset_off", "peak_off"]
    rows = summary[summary["measure"].isin([*shown, "missed", "extra"])]
    return rows.pivot_table(index=["study", "muscle"], columns="measure", values="mean", sort=False).reset_index()


def thinning_told(summary: pd.DataFrame) -> list[str]:
    """Say what the number of samples alone does to timing, a sentence a study."""
    told = []
    for study, rows in summary.groupby("study", sort=False):
        means = rows.groupby("measure", sort=False)["mean"]
        sizes = ", ".join(f"{name} by {means.mean()[key]:.1f} %" for key, name in _SAID.items())
        worst = {name: float(means.max()[key]) for key, name in _SAID.items()}
        height = float(means.mean()["height_error"])
        told.append(
            f"{study}: thinning moves measured EMG's {sizes} of the cycle on average (at most "
            f"{max(worst.values()):.1f} % in one muscle), its greatest value by {signed(height)}, and hides "
            f"{float(means.mean()['missed']):.2f} bursts a cycle."
        )
    return told


def off_told(means: pd.DataFrame, against: pd.DataFrame) -> list[str]:
    """Say how far off each method is, and what is surely better or worse than the mean curve and than OpenSim.

    Parameters
    ----------
    means
        Rows of `timing.summary` of `timing.over_muscles`.
    against
        Rows of `timing.contrasts` with the mean curve, and with OpenSim.

    Returns
    -------
    list of str
        A paragraph a study.
    """
    told = []
    for study, rows in means.groupby("study", sort=False):
        wide = rows.pivot_table(index="method", columns="measure", values="mean", sort=False)
        there = [name for name in (OPENSIM, MEAN_CURVE, *CONDITIONS) if name in wide.index]
        parts = [
            f"{name} is off by "
            + ", ".join(f"{float(wide[key][method]):.1f} % ({label_of(method)})" for method in there if key in wide)
            for key, name in _SAID.items()
            if key in wide
        ]
        here = against[against["study"].eq(study)]
        sure = [_sure(here[here["against"].eq(other)], other) for other in (MEAN_CURVE, OPENSIM)]
        told.append(" ".join([f"{study}: {'; '.join(parts)} of the cycle.", *sure]))
    return told


def _sure(rows: pd.DataFrame, other: str) -> str:
    """Say in which measures the networks surely differ from another method, and in how many not."""
    some = rows[rows["method"].isin(CONDITIONS) & np.isfinite(rows["p_holm"])]
    if some.empty:
        return f"No difference from {_plain(other)} can be tested."
    if (most := int(some["n"].max())) < FEWEST:
        return f"From {most} held-out units no difference from {_plain(other)} is shown: it takes {FEWEST}."
    sure, parts = some[(some["p_holm"] < ALPHA) & (some["n"] >= FEWEST)], []
    for method, own in sure.groupby("method", sort=False):
        said = [
            f"{_measure(str(row['measure']))} {signed(row['difference'])} ({signed(row['ci_low'])} to "
            f"{signed(row['ci_high'])}, {_verdict(row)})"
            for row in own.to_dict("records")
        ]
        parts.append(f"{label_of(method)}: {', '.join(said)}")
    rest = (
        f"{len(some) - len(sure)} of {len(some)} differences between networks and {_plain(other)} are not sure after "
        "Holm's correction"
    )
    return f"Against {_plain(other)}, {'; '.join(parts)}; {rest}." if parts else f"{rest[0].upper()}{rest[1:]}."


def _plain(method: str) -> str:
    return "the mean curve" if method == MEAN_CURVE else label_of(method)


def _verdict(row: Mapping[Any, Any]) -> str:
    more = MEASURES[str(row["measure"])].kind == "z"
    return "better" if (row["difference"] > 0) == more else "worse"


def _measure(name: str) -> str:
    names = {"height_off": "height", "rmse": "RMSE", "correlation": "Fisher's z of the correlation", **_SAID}
    return names.get(name, f"{name} bursts")


def together_told(pairs: Mapping[str, pd.DataFrame]) -> list[str]:
    """Say how much antagonists overlap in EMG and in each method, and which is nearest, a sentence a study."""
    told = []
    for study, rows in pairs.items():
        means = rows[rows["measure"].eq("overlap")].groupby("method", sort=False)["mean"].mean()
        others = means.drop(MEASURED)
        nearest = str((others - means[MEASURED]).abs().idxmin())
        listed = ", ".join(f"{label_of(name)} {value:.2f}" for name, value in others.items())
        names = list(dict.fromkeys(rows["muscle"]))
        told.append(
            f"{study}: over {len(names)} pair{'s' * (len(names) != 1)} of antagonists ({', '.join(names)}) the common "
            f"area is {means[MEASURED]:.2f} in EMG; {listed}. By these means {label_of(nearest)} is nearest to EMG."
        )
    return told


def mixed_told(table: pd.DataFrame) -> list[str]:
    """Say the contrasts of the mixed model for other people, and whether its fit warned, a sentence a study."""
    told = []
    for study, whole in table.groupby("study", sort=False):
        rows = whole[whole["scope"].eq("these muscles")]
        if (reason := str(rows["reason"].iloc[0])) != "":
            told.append(f"{study}: no model can be fitted. {reason}")
            continue
        few = int(rows["n_units"].max()) < FEWEST
        parts = [
            f"{label_of(row['a'])} − {label_of(row['b'])} {signed(row['difference'])} ({signed(row['ci_low'])} to "
            f"{signed(row['ci_high'])}{'' if few else ', p ' + p_text(row['p_value'])})"
            for row in rows.to_dict("records")
        ]
        unit = str(rows["unit"].iloc[0])
        scope = "other people" if unit == "subject" else f"other {unit_name(unit, 2)} of this one person"
        warned = "" if whole["warned"].eq("").all() else " The fit warned; the table says of what."
        bad = "" if whole["converged"].all() else " A fit did not converge: its rows are not to be relied on."
        lacks = f" No p from fewer than {FEWEST} of them." if few else ""
        told.append(f"{study}, for {scope} and these muscles: {'; '.join(parts)}.{lacks}{warned}{bad}")
    return told


def orders_told(table: pd.DataFrame) -> list[str]:
    """Say how far Er and the order of the methods depend on what EMG is divided by, a sentence a study."""
    told = []
    for study, rows in table.groupby("study", sort=False):
        given, least = rows[rows["scale"].eq("as given")].iloc[0], rows["spearman"].min()
        moved = rows[rows["best"].ne(given["best"])]
        best = (
            f"{label_of(given['best'])} is first under every one"
            if moved.empty
            else f"{label_of(given['best'])} is first as given, but "
            + ", ".join(f"{label_of(row['best'])} under {row['scale']}" for row in moved.to_dict("records"))
        )
        low, high = rows["er_from"].min(), rows["er_from"].max()
        told.append(
            f"{study}: the lowest Er runs from {signed(low)} to {signed(high)} over {len(rows)} normalisations; {best};"
            f" the order of {given['n_methods']} methods agrees with that as given at a rank correlation of "
            f"{least:.2f} or more."
        )
    return told


def losses(rows: pd.DataFrame) -> pd.DataFrame:
    """Test the rows that `outside` has kept, as `apart.losses`."""
    return apart.losses(rows)


def losses_told(losses: Mapping[str, pd.DataFrame]) -> list[str]:
    """Say what a speed costs that is left out beside a person, a sentence a study."""
    told = []
    for study, rows in losses.items():
        parts = [
            f"{label_of(row['method'])} {signed(row['er_person'])} → {signed(row['er_apart'])} (rise "
            f"{signed(row['rise'])}, {signed(row['ci_low'])} to {signed(row['ci_high'])})"
            for row in rows.to_dict("records")
        ]
        told.append(f"{study}: {'; '.join(parts)}.")
    return told


def resolutions(studies: Mapping[str, xr.Dataset]) -> list[str]:
    """Say how finely refined activity of each study can be timed."""
    return [f"{study}: {timing.resolution(results)}" for study, results in studies.items()]
