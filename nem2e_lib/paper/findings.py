"""What a run has found: its tables, figures and claims, drawn, saved and shown by the last four notebooks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pandas as pd
import xarray as xr

from nem2e_lib.analysis import attention, published, statistics
from nem2e_lib.analysis.claims import Evidence
from nem2e_lib.analysis.metrics import errors, spread, undefined
from nem2e_lib.analysis.shortcut import Model, shortcut, shortcut_summary, swapped_input, swapped_summary
from nem2e_lib.analysis.statistics import OneSample
from nem2e_lib.data.cycles.segment import data_hash
from nem2e_lib.paper.run import Run
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.grid import Grid, grid
from nem2e_lib.training.results import configuration_of, load_models


@dataclass(frozen=True)
class Findings:
    """Everything computed from a run's trained conditions; studies go by the short names of the run."""

    run: Run

    @cached_property
    def cycles(self) -> dict[str, xr.Dataset]:
        """Segmented cycles by study."""
        return {study: self.run.cycles(study) for study in self.run.studies}

    @cached_property
    def trained(self) -> dict[str, dict[str, xr.Dataset]]:
        """Trained conditions by study and condition."""
        found = self.run.all_results()
        return {s: {c: r.assign_attrs(study=s) for c, r in conditions.items()} for s, conditions in found.items()}

    @cached_property
    def errors(self) -> pd.DataFrame:
        """Errors of every study, condition, muscle and held-out unit."""
        return pd.concat([errors(r) for rows in self.trained.values() for r in rows.values()], ignore_index=True)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """Statistics of every study, muscle and condition."""
        return statistics.summary(self.errors)

    @cached_property
    def tukey(self) -> pd.DataFrame:
        """Tukey's comparison of the conditions of every muscle."""
        return statistics.tukey(self.errors)

    @property
    def undefined(self) -> list[str]:
        """Sentences on muscles whose Er is undefined; empty where all are defined."""
        one = self.errors[self.errors["condition"] == self.errors["condition"].iloc[0]]
        return undefined(one)

    @property
    def motions(self) -> dict[str, str]:
        """Motion of each study."""
        return {study: str(cycles.attrs["motion"]) for study, cycles in self.cycles.items()}

    def synthetic(self, study: str) -> bool:
        """Tell whether a study is synthetic."""
        return bool(self.cycles[study].attrs["synthetic"])

    @property
    def any_synthetic(self) -> bool:
        """Whether any study is synthetic: then what shows them together says so."""
        return any(self.synthetic(study) for study in self.cycles)

    @property
    def runs(self) -> dict[str, dict[str, object]]:
        """What results.json and the index say of each study: synthetic, profile, data_hash."""
        return {
            study: {"synthetic": self.synthetic(study), "profile": self.run.profile, "data_hash": data_hash(cycles)}
            for study, cycles in self.cycles.items()
        }

    def comparisons(self) -> pd.DataFrame:
        """Count, for each pair of methods, the muscles in which the first is below the second (paired over units)."""
        table = statistics.comparisons(self.errors)
        lower = (table["difference"] < 0).groupby([table["study"], table["a"], table["b"]], sort=False)
        sure = ((table["difference"] < 0) & (table["p_value"] < statistics.ALPHA)).groupby(
            [table["study"], table["a"], table["b"]], sort=False
        )
        counts = pd.DataFrame({"muscles": lower.size(), "below": lower.sum(), "below_p05": sure.sum()})
        return counts.reset_index()

    def spread(self) -> pd.DataFrame:
        """Return the sd of Er between seeds and between held-out units, mean over muscles, per study and condition."""
        table = pd.concat([spread(r) for rows in self.trained.values() for r in rows.values()], ignore_index=True)
        keys = ["study", "condition", "unit", "seeds"]
        return table.groupby(keys, sort=False)[["between_seeds", "between_units"]].mean().reset_index()

    def published(self, study: str) -> pd.DataFrame | None:
        """Return the paper's numbers for a study's motion under the study's name; None for other motions."""
        table = published.results()
        rows = table[table["dataset"] == self.motions[study]]
        return None if rows.empty else rows.assign(dataset=study)

    def entropies(self) -> pd.DataFrame:
        """Return entropy of attention, its verdict, and the lags of attention and input gradient, per condition."""
        return pd.DataFrame([_said(r) for conditions in self.trained.values() for r in conditions.values()])

    def grid(self, study: str, condition: str = "one_entire") -> Grid:
        """Return the grid of a study's models of a condition, One-Entire's by default."""
        results, cycles = self.trained[study][condition], self.cycles[study]
        configuration = Configuration(**configuration_of(results))
        chosen = cycles.sel(channel=results.channel.values)
        return grid(chosen, condition, configuration, data_hash(cycles), seeds=results.sizes["seed"])

    def models(self, study: str, channel: str) -> dict[str, Model]:
        """Return a channel's trained One-Entire models by held-out label."""
        return load_models(self.run.of(study, "models"), self.grid(study), channel)

    def walking(self) -> str:
        """Return the study that claim C11 is about: the walking one, else the first."""
        return next((study for study, motion in self.motions.items() if motion == "walking"), next(iter(self.motions)))

    def shortcut(self, study: str, channel: str = "", *, low: float = 0.5, high: float = 2.0) -> pd.DataFrame:
        """Run claim C11's test for a channel (default soleus, else the first)."""
        results = self.trained[study]["one_entire"]
        have = [str(name) for name in results.channel.values]
        chosen = channel or ("soleus" if "soleus" in have else have[0])
        cycles = self.cycles[study].sel(channel=have)
        return shortcut(
            cycles, results, self.models(study, chosen), chosen, low=low, high=high, seed=self.run.seed
        ).assign(muscle=chosen)

    def swapped(self, study: str) -> tuple[pd.DataFrame, OneSample]:
        """Feed each muscle's models with other muscles' activation; table, and the test of Er's rise over muscles."""
        results = self.trained[study]["one_entire"]
        names = [str(name) for name in results.channel.values]
        models = {name: self.models(study, name) for name in names}
        table = swapped_input(self.cycles[study].sel(channel=names), results, models)
        return table.assign(study=study), swapped_summary(table)

    def evidence(self) -> Evidence:
        """Gather what the claims need; the shortcut test only where there is a walking study."""
        study = self.walking()
        trials = self.shortcut(study) if self.motions[study] == "walking" else None
        results = {(s, c): r for s, conditions in self.trained.items() for c, r in conditions.items()}
        return Evidence(
            self.errors,
            self.summary,
            self.tukey,
            results,
            self.motions,
            None if trials is None else shortcut_summary(trials),
            {study: self.synthetic(study) for study in self.cycles},
        )


def _said(results: xr.Dataset) -> dict[str, object]:
    share = float(attention.entropy_share(results.attention.values).mean())
    row: dict[str, object] = {
        "study": results.attrs["study"],
        "condition": results.attrs["condition"],
        "entropy_share": share,
        "verdict": attention.uniformity(share),
    }
    if results.sizes["token"] == results.sizes["output"] and not attention.over_muscles(results):
        interval = attention.sample_interval_ms(results)
        gradient = attention.gradient_lag(results)
        weights = results.attention.mean(["seed", "channel", "cycle"]).values
        row |= {
            "gradient_lag_samples": gradient.samples,
            "gradient_lag_ms": gradient.milliseconds(interval),
            "lag_verdict": _lag_verdict(gradient),
            "attention_lag_ms": attention.centre_lag(weights) * interval,
            "sample_interval_ms": interval,
        }
    return row


def _lag_verdict(lag: attention.Lag) -> str:
    if lag.at_edge:
        return f"no peak within {abs(lag.samples)} samples: the input gradient shows no lag"
    return f"the output depends most on the input {lag.samples:+d} samples away"
