"""Rivals of a run: evaluated once, kept beside its trained conditions, ranked with them and shown by 08_rivals."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pandas as pd
import xarray as xr

from nem2e_lib.analysis import leaderboard
from nem2e_lib.analysis.metrics import errors
from nem2e_lib.data.cycles.segment import data_hash
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures import leaderboard as figures
from nem2e_lib.figures.style import label_of
from nem2e_lib.paper.findings import Findings
from nem2e_lib.paper.shared_tables import DUELS, LEADERBOARD
from nem2e_lib.project import ROOT
from nem2e_lib.rivals import Rival, evaluate, every
from nem2e_lib.rivals.evaluate import RIVALS_VERSION, settings
from nem2e_lib.site import tables
from nem2e_lib.site.saving import Saved, save_drawn, save_table
from nem2e_lib.training.results import load_results, save_results

PAGE = "08_rivals"
TRIED = ROOT / "docs" / "tried.csv"


@dataclass(frozen=True)
class Rivalry:
    """A run's rivals and trained conditions, study by study.

    Attributes
    ----------
    found
        The run's findings.
    rivals
        Which rivals to evaluate; those kept from an earlier call with the same data and settings are read.
    """

    found: Findings
    rivals: tuple[Rival, ...]

    @classmethod
    def of(cls, found: Findings, names: Iterable[str] = ()) -> Rivalry:
        """Return the rivalry of these rivals by name; all of them where none is named."""
        chosen = set(names)
        return cls(found, tuple(one for one in every() if not chosen or one.name in chosen))

    @cached_property
    def results(self) -> dict[str, list[xr.Dataset]]:
        """Evaluated rivals by study, under the run's short names; on the channels of the trained conditions."""
        return {study: [self._one(study, one) for one in self.rivals] for study in self.found.cycles}

    def _one(self, study: str, rival: Rival) -> xr.Dataset:
        trained = next(iter(self.found.trained[study].values()))
        cycles = self.found.cycles[study].sel(channel=trained.channel.values)
        path = self.found.run.of(study, f"rivals/{rival.name}.nc")
        return kept(path, cycles, rival).assign_attrs(study=study)

    @cached_property
    def all(self) -> list[xr.Dataset]:
        """Rivals and trained conditions of every study."""
        trained = [one for conditions in self.found.trained.values() for one in conditions.values()]
        return [*trained, *(one for rows in self.results.values() for one in rows)]

    @cached_property
    def errors(self) -> pd.DataFrame:
        """Rows of `metrics.errors` of every method."""
        return pd.concat([errors(one) for one in self.all], ignore_index=True)

    @cached_property
    def standings(self) -> pd.DataFrame:
        """The ranking, best first within a study."""
        return leaderboard.standings(self.errors, leaderboard.costs(self.all))

    @cached_property
    def duels(self) -> pd.DataFrame:
        """Every pair of methods, compared."""
        return leaderboard.duels(self.errors)

    @property
    def synthetic(self) -> bool:
        """Whether any study is synthetic."""
        return self.found.any_synthetic


def kept(path: Path, cycles: xr.Dataset, rival: Rival) -> xr.Dataset:
    """Evaluate a rival, or read what was kept of the same data, method and settings."""
    fresh_for = {
        "data_hash": data_hash(cycles),
        "condition": rival.name,
        "settings": settings(rival),
        "code": RIVALS_VERSION,
    }
    if path.exists():
        stored = load_results(path)
        if all(stored.attrs.get(name) == value for name, value in fresh_for.items()):
            return stored
    result = evaluate(cycles, rival)
    save_results(result, path)
    return result


def board(rivalry: Rivalry) -> list[Saved]:
    """The leaderboard as a figure and as a table."""
    units = leaderboard.per_unit(rivalry.errors)
    drawn = figures.leaderboard(rivalry.standings, units, synthetic=rivalry.synthetic)
    table = tables.plain(
        rivalry.standings.drop(columns="reason"),
        "Leaderboard",
        "Er: mean over electrodes, then over held-out units, with its 95 % CI. Wins and losses: paired t-tests over "
        "units, Holm-corrected over all pairs of a study, p < .05. Parameters: of one fold, all channels. Seconds: all "
        "folds, on the machine that made this page.",
        synthetic=rivalry.synthetic,
    )
    site = rivalry.found.run.site
    return [save_drawn(drawn, "leaderboard", site, page=PAGE), LEADERBOARD.save(table, site)]


def duels(rivalry: Rivalry) -> list[Saved]:
    """Who beats whom, as a figure and as a table."""
    drawn = figures.duels(rivalry.duels, rivalry.standings, synthetic=rivalry.synthetic)
    table = tables.plain(
        rivalry.duels,
        "Every pair of methods",
        "Difference: Er of a minus Er of b, paired over held-out units.",
        synthetic=rivalry.synthetic,
    )
    site = rivalry.found.run.site
    return [save_drawn(drawn, "duels", site, page=PAGE), DUELS.save(table, site)]


def against(rivalry: Rivalry, method: str = "lag_attention") -> Saved:
    """One method against ridge regression, the mean curve and every trained condition: difference with its CI."""
    own = rivalry.duels
    own = own[(own["a"] == method) | (own["b"] == method)]
    flipped = own["b"] == method
    rows = own.assign(
        rival=own["a"].where(flipped, own["b"]),
        difference=own["difference"].where(~flipped, -own["difference"]),
        low=own["ci_low"].where(~flipped, -own["ci_high"]),
        high=own["ci_high"].where(~flipped, -own["ci_low"]),
    )
    shown = rows[["study", "rival", "difference", "low", "high", "p_holm", "n"]]
    label = label_of(method)
    below = int((rows["high"] < 0).sum())
    caption = f"Er of {label} minus Er of the rival, 95 % CI over units: below 0 in {below} of {len(rows)} rows."
    table = tables.plain(shown, f"{label} against every rival", caption, synthetic=rivalry.synthetic)
    return save_table(table, f"against_{method}", rivalry.found.run.site, page=PAGE)


def learned_lags(rivalry: Rivalry) -> Saved:
    """What lag attention has learned in each fold: lags in ms (positive: the simulation is late), widths, shares."""
    rows = []
    for study, results in rivalry.results.items():
        for one in results:
            if one.attrs["condition"] == "lag_attention":
                chosen = json.loads(one.attrs["chosen"])
                rows += [{"study": study, "held_out": label, **found} for label, found in chosen.items()]
    table = tables.plain(
        pd.DataFrame(rows),
        "What lag attention has learned",
        "Positive lags: the output is taken from later samples, so the simulation is late by them.",
        synthetic=rivalry.synthetic,
    )
    return save_table(table, "learned_lags", rivalry.found.run.site, page=PAGE)


def tried(rivalry: Rivalry) -> list[Saved]:
    """Every variant that was tried on the way to lag attention, as a figure and as a table."""
    rows = pd.read_csv(TRIED, dtype={"study": str})
    drawn = figures.tried(rows, target=ridge_of(rows))
    table = tables.plain(
        rows.drop(columns="method"),
        "What was tried",
        "Each variant with the data it was tried on; studies of seed 1 are SYNTHETIC.",
        synthetic=True,
    )
    site = rivalry.found.run.site
    return [
        save_drawn(drawn, "tried", site, page=PAGE),
        save_table(replace(table, data=rows), "tried_table", site, page=PAGE),
    ]


def ridge_of(tried: pd.DataFrame) -> dict[str, float]:
    """Return the Er of ridge regression on all muscles in each study of what was tried: the bar to be cleared.

    Raises
    ------
    Nem2eError
        If a study has none, or several.
    """
    rows = tried[tried["method"] == "ridge_all"]
    count = rows["study"].value_counts()
    odd = [study for study in dict.fromkeys(tried["study"]) if count.get(study, 0) != 1]
    if odd:
        raise Nem2eError(
            f"{TRIED}: study {odd[0]} has {count.get(odd[0], 0)} rows whose method is ridge_all, expected one: its Er "
            "is what every variant is measured against."
        )
    return dict(zip(rows["study"], rows["er_mean"].astype(float), strict=True))
