"""What a run has found, computed once for every notebook and page that builds on it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pandas as pd
import xarray as xr

from nem2e_lib.analysis import statistics
from nem2e_lib.analysis.claims import Evidence
from nem2e_lib.analysis.metrics import errors
from nem2e_lib.analysis.shortcut import Model, shortcut, shortcut_summary
from nem2e_lib.data.cycles.segment import data_hash
from nem2e_lib.paper.run import Run
from nem2e_lib.paper.shown import channel_of, study_of
from nem2e_lib.training.results import grid_of, load_models


@dataclass(frozen=True)
class Findings:
    """A run's cycles and trained conditions, and what follows from them; studies go by the short names of the run."""

    run: Run

    @cached_property
    def cycles(self) -> dict[str, xr.Dataset]:
        """Segmented cycles by study."""
        return {study: self.run.cycles(study) for study in self.run.studies}

    @cached_property
    def trained(self) -> dict[str, dict[str, xr.Dataset]]:
        """Trained conditions by study and condition."""
        return self.run.all_results()

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
    def motions(self) -> dict[str, str]:
        """Motion of each study."""
        return {study: str(cycles.attrs["motion"]) for study, cycles in self.cycles.items()}

    @property
    def units(self) -> dict[str, str]:
        """What evaluation left out, by study."""
        return dict(zip(self.summary["study"], self.summary["unit"], strict=True))

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

    def models(self, study: str, channel: str) -> dict[str, Model]:
        """Return a channel's trained One-Entire models by held-out label."""
        work = grid_of(self.trained[study]["one_entire"], self.cycles[study])
        return load_models(self.run.of(study, "models"), work, channel)

    @cached_property
    def evidence(self) -> Evidence:
        """What the claims need; the shortcut test only where there is a walking study."""
        return Evidence(
            self.errors,
            self.summary,
            self.tukey,
            {(study, name): r for study, conditions in self.trained.items() for name, r in conditions.items()},
            self.motions,
            self._shortcut(),
            {study: self.synthetic(study) for study in self.cycles},
        )

    def _shortcut(self) -> pd.DataFrame | None:
        """Make claim C11's test as 06_shortcut does by default."""
        study = study_of(self.motions, "walking")
        if self.motions[study] != "walking":
            return None
        results = self.trained[study]["one_entire"]
        channel, cycles = channel_of(results), self.cycles[study].sel(channel=results.channel.values)
        tested = shortcut_summary(shortcut(cycles, results, self.models(study, channel), channel, seed=self.run.seed))
        return tested.assign(channel=channel)
