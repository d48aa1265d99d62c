"""Is it learning or remembering: what 13_controls calls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr

from nem2e_lib.analysis import control_tests
from nem2e_lib.analysis.controls import ASKED, WORDS, Shifts, Trained, controls, every_change, not_offered, shifts
from nem2e_lib.analysis.following import MEASURES, following
from nem2e_lib.analysis.leaderboard import DECIMALS
from nem2e_lib.analysis.statistics import one_sample
from nem2e_lib.figures import controls as figures
from nem2e_lib.figures.controls import shift_errors, shift_maps
from nem2e_lib.paper.findings import Findings
from nem2e_lib.paper.shared_tables import LEARNING
from nem2e_lib.site import tables
from nem2e_lib.site.saving import Saved, save_drawn, save_table
from nem2e_lib.site.tables import Table
from nem2e_lib.training.results import load_models

PAGE = "13_controls"


@dataclass(frozen=True)
class Controls:
    """A run's models, asked again with changed inputs: first seed, one channel an electrode."""

    found: Findings

    @cached_property
    def trained(self) -> dict[tuple[str, str], Trained]:
        """Trained conditions that can be asked, by study and condition."""
        return {(study, condition): self._one(study, condition) for study in self.found.trained for condition in ASKED}

    def _one(self, study: str, condition: str) -> Trained:
        whole = self.found.trained[study][condition].isel(seed=[0])
        firsts = np.sort(np.unique(whole.electrode.values, return_index=True)[1])
        results = whole.isel(channel=firsts)
        work, store = self.found.grid(study, condition), self.found.run.of(study, "models")
        models = {name: load_models(store, work, name) for name in map(str, results.channel.values)}
        cycles = self.found.cycles[study].sel(channel=results.channel.values)
        return Trained(cycles, results, models, tuple(map(str, work.examples.tokens)))

    @cached_property
    def errors(self) -> pd.DataFrame:
        """Rows of `controls.controls` of every study and condition."""
        parts = [controls(one, every_change(one)) for one in self.trained.values()]
        return pd.concat(parts, ignore_index=True)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """Rows of `control_tests.control_summary`."""
        return control_tests.control_summary(self.errors)

    @cached_property
    def shifts(self) -> dict[tuple[str, str], Shifts]:
        """What a shift of the input does to the first cycle of each trial, by study and condition."""
        return {key: shifts(one.one_cycle_a_trial()) for key, one in self.trained.items()}

    @cached_property
    def following(self) -> pd.DataFrame:
        """Rows of `following.following`: every condition, the training-mean curve and OpenSim itself."""
        return pd.concat(
            [table for rows in self.found.trained.values() for table in _followed(rows)], ignore_index=True
        )

    @cached_property
    def followed(self) -> pd.DataFrame:
        """Rows of `control_tests.following_summary`."""
        return control_tests.following_summary(self.following)

    @cached_property
    def verdicts(self) -> pd.DataFrame:
        """Rows of `control_tests.verdicts`."""
        return control_tests.verdicts(self.summary, self.followed)

    @property
    def cannot(self) -> list[str]:
        """Sentences on what a study is too small for."""
        one_each = {study: self.trained[study, ASKED[0]] for study in self.found.trained}
        said = [sentence for one in one_each.values() for sentence in not_offered(one)]
        single = [study for study, one in one_each.items() if one.results.attrs["unit"] == "speed"]
        return said + [
            f"{study}: there is one subject, so the held-out unit is a speed, and whether it carries over to other "
            "people cannot be tested."
            for study in single
        ]

    @property
    def synthetic(self) -> bool:
        """Whether any study is synthetic."""
        return self.found.any_synthetic


def _followed(conditions: dict[str, xr.Dataset]) -> list[pd.DataFrame]:
    first = next(iter(conditions.values()))
    return [
        following(first, first.mean_curve, "mean_curve"),
        following(first, first.simulated, "opensim"),
        *(following(one) for one in conditions.values()),
    ]


def changed(asked: Controls) -> list[Saved]:
    """Er under every control: figure, tests, and every muscle and held-out unit."""
    drawn = figures.control_errors(asked.summary, control_tests.per_unit(asked.errors), synthetic=asked.synthetic)
    meaning = " ".join(f"{name}: {words}." for name, words in WORDS.items())
    shown = asked.summary[
        [
            "study",
            "condition",
            "control",
            "er_mean",
            "ci_low",
            "ci_high",
            "rise",
            "rise_ci_low",
            "rise_ci_high",
            "rise_t",
            "rise_p_holm",
            "above_mean_curve",
            "above_mean_curve_ci_low",
            "above_mean_curve_ci_high",
            "above_mean_curve_p_holm",
            "n",
            "reason",
        ]
    ]
    table = tables.plain(
        shown,
        "Er under changed inputs",
        "rise: over the unchanged input; above mean curve: over the training-mean curve; both paired over held-out "
        f"units, Holm over the rows of a study and condition. {meaning}",
        synthetic=asked.synthetic,
    )
    site = asked.found.run.site
    return [
        save_drawn(drawn, "controls_figure", site, page=PAGE),
        save_table(_with(table, asked.summary), "controls_summary", site, page=PAGE),
        save_table(_per_muscle(asked), "controls_errors", site, page=PAGE),
    ]


def _with(table: Table, data: pd.DataFrame) -> Table:
    return replace(table, data=data)


def _per_muscle(asked: Controls) -> Table:
    by = ["study", "condition", "muscle"]
    rises = asked.errors.assign(row=asked.errors[by].agg("|".join, axis=1))
    wide = rises.pivot_table(index="row", columns="control", values="rise", sort=False, dropna=False)
    wide = rises.drop_duplicates("row")[["row", *by]].merge(wide, on="row").drop(columns="row")
    table = tables.plain(
        wide,
        "Rise of Er over the unchanged input, by muscle",
        "Mean over held-out units, one channel an electrode; the CSV has every unit.",
        synthetic=asked.synthetic,
    )
    return _with(table, asked.errors)


def moved(asked: Controls) -> list[Saved]:
    """Inputs moved in the cycle: error over the shift, where the output goes, and the slopes."""
    errors, slopes = shift_table(asked), slope_table(asked)
    maps = {
        key: (one.shift, one.lag, np.nanmean(one.correlation, axis=1), np.nanmean(one.moved, axis=1))
        for key, one in asked.shifts.items()
    }
    table = tables.plain(
        slopes,
        "How far the output moves with its input",
        "share: slope of the output's lag on the shift of the input: 1 moves along, 0 stays.",
        synthetic=asked.synthetic,
    )
    site = asked.found.run.site
    return [
        save_drawn(shift_errors(errors, synthetic=asked.synthetic), "controls_shift", site, page=PAGE),
        save_drawn(shift_maps(maps, slopes, synthetic=asked.synthetic), "controls_shift_map", site, page=PAGE),
        save_table(table, "controls_shift_slope", site, page=PAGE),
    ]


def shift_table(asked: Controls) -> pd.DataFrame:
    """Return Er over the shift, mean over electrodes, with its 95 % CI over held-out units."""
    rows = []
    for (study, condition), one in asked.shifts.items():
        trained = asked.trained[study, condition].one_cycle_a_trial()
        defined = trained.base[trained.base["er"].notna()]
        plain = control_tests.over_electrodes(defined, ["label"], ["er", "er_mean_curve"])[
            ["er", "er_mean_curve"]
        ].mean()
        for shift, er in zip(one.shift, _units_of(trained, one), strict=True):
            test = one_sample(er.round(DECIMALS))
            rows.append(
                {
                    "study": study,
                    "condition": condition,
                    "shift_pct": shift,
                    "er_mean": test.mean,
                    "ci_low": test.ci_low,
                    "ci_high": test.ci_high,
                    "er_mean_curve": plain["er_mean_curve"],
                    "er_unchanged": plain["er"],
                    "n": test.n,
                    "unit": str(trained.results.attrs["unit"]),
                    "reason": test.reason,
                }
            )
    return pd.DataFrame(rows)


def _units_of(trained: Trained, one: Shifts) -> np.ndarray:
    """Er of each shift and held-out unit, mean over electrodes, shape (shifts, folds)."""
    usable = ~np.isnan(one.er).any(axis=(0, 2))
    electrode = pd.Series(trained.results.electrode.values[usable].astype(str))
    weight = (1.0 / electrode.map(electrode.value_counts()) / electrode.nunique()).to_numpy(float)
    return np.einsum("scf,c->sf", one.er[:, usable], weight)


def slope_table(asked: Controls) -> pd.DataFrame:
    """Return the slope of the output's lag on the shift with its 95 % CI over held-out units."""
    rows = []
    for (study, condition), one in asked.shifts.items():
        test = one_sample(one.share.round(DECIMALS))
        unit = str(asked.trained[study, condition].results.attrs["unit"])
        rows.append(
            {
                "study": study,
                "condition": condition,
                "share": test.mean,
                "ci_low": test.ci_low,
                "ci_high": test.ci_high,
                "p_value": test.p_value,
                "n": test.n,
                "unit": unit,
                "reason": test.reason.replace("Er is", "It is"),
            }
        )
    return pd.DataFrame(rows)


def followed(asked: Controls) -> list[Saved]:
    """How far outputs follow the EMG: figure and table."""
    meaning = " ".join(f"{name}: {words}." for name, words in MEASURES.items())
    table = tables.plain(
        asked.followed,
        "How far outputs follow",
        f"Mean over electrodes with its 95 % CI over held-out units. {meaning}",
        synthetic=asked.synthetic,
    )
    site = asked.found.run.site
    return [
        save_drawn(figures.following(asked.followed, synthetic=asked.synthetic), "controls_following", site, page=PAGE),
        save_table(table, "controls_following_table", site, page=PAGE),
        save_table(_units_table(asked), "controls_following_units", site, page=PAGE),
    ]


def _units_table(asked: Controls) -> Table:
    by = ["study", "method", "muscle"]
    mean = asked.following.groupby(by, sort=False)[list(MEASURES)].mean().reset_index()
    table = tables.plain(
        mean,
        "How far outputs follow, by muscle",
        "Mean over held-out units; the CSV has every unit.",
        synthetic=asked.synthetic,
    )
    return _with(table, asked.following)


def verdict(asked: Controls) -> Saved:
    """Learning or remembering: a verdict and its sentence for each study and condition."""
    shown = asked.verdicts[
        ["study", "condition", "verdict", "er_unchanged", "er_mean_curve", "without_input", "sentence"]
    ]
    table = tables.plain(
        shown,
        "Learning or remembering?",
        "without input: Er with the average of the training cycles' inputs. Asked are the models of one muscle an "
        "electrode and of the first seed, so Er differs a little from the leaderboard's."
        + "".join(f" {sentence}" for sentence in asked.cannot),
        synthetic=asked.synthetic,
    )
    return LEARNING.save(_with(table, asked.verdicts), asked.found.run.site)
