"""A study on which variants are trained and laid beside the default, unit by unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from nem2e_lib.analysis.ablations.variants import KINDS, Cutting, Piece, Reading, Variant, defaults, variants
from nem2e_lib.analysis.attention import entropy_share
from nem2e_lib.analysis.leaderboard import per_unit
from nem2e_lib.analysis.metrics import errors
from nem2e_lib.data.study.study import Study
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.results import configuration_of
from nem2e_lib.training.train import plan

ER, R2 = "Er", "R2"


@dataclass(frozen=True)
class Bench:
    """Where variants are trained: finished models are found again by the hash of data, options and engine.

    Attributes
    ----------
    study
        The study; every subject (or speed) is held out once.
    base
        The default configuration.
    channels
        EMG channels that are trained.
    store
        Folder of finished models.
    seeds
        Seeds of the default, as a yardstick.
    variant_seeds
        Seeds of a variant, the first ones of the default, with which it is compared; at most `seeds`.
    """

    study: Study
    base: Configuration
    channels: tuple[str, ...]
    store: Path
    seeds: int = 3
    variant_seeds: int = 1
    _trained: dict[str, list[xr.Dataset]] = field(default_factory=dict, repr=False, compare=False)

    def default(self, condition: str) -> list[xr.Dataset]:
        """Return the default's results with all seeds; trained once."""
        if condition not in self._trained:
            self._trained[condition] = self._train(condition, self.base, Cutting(), self.channels, self.seeds)
        return self._trained[condition]

    def rows(self, variant: Variant) -> pd.DataFrame:
        """Train a variant, or read the default's results otherwise, and lay it beside the default.

        Returns
        -------
        pandas.DataFrame
            One row a held-out unit: study, condition, option, value, default, needs, measure (`Er` or `R2`), unit,
            label, here and base (the measure of the variant and of the default, mean over electrodes), entropy and
            base_entropy (of attention, as a share of its maximum), diverged, models, electrodes, units, updates,
            synthetic, simulated_by (for SYNTHETIC data: the generator).
        """
        chosen = self.channels[: variant.muscles]
        base = [one.sel(channel=list(chosen)) for one in self.default(variant.condition)]
        first = [one.isel(seed=range(self.variant_seeds)) for one in base]
        option = {variant.option: variant.value}
        if variant.needs == "reanalyse":
            return beside(base, Reading(), base, Reading(**option), variant, self.base)
        configuration = self.base.with_options(**option) if variant.needs == "retrain" else self.base
        cutting = Cutting(**option) if variant.needs == "recut" else Cutting()
        return beside(
            first,
            Reading(),
            self._train(variant.condition, configuration, cutting, chosen, self.variant_seeds),
            Reading(),
            variant,
            self.base,
        )

    def seed_rows(self, condition: str) -> pd.DataFrame:
        """Lay every further seed of the default beside the first: what chance alone does."""
        base = self.default(condition)
        parts = [
            beside(
                [one.isel(seed=[0]) for one in base],
                Reading(),
                [one.isel(seed=[k]) for one in base],
                Reading(),
                Variant(condition, "seed", self.base.seed + k, "retrain"),
                self.base,
            )
            for k in range(1, self.seeds)
        ]
        return pd.concat(parts, ignore_index=True)

    def _train(
        self, condition: str, configuration: Configuration, cutting: Cutting, channels: Sequence[str], seeds: int = 1
    ) -> list[xr.Dataset]:
        return [self._trained_on(p, condition, configuration, channels, seeds) for p in cutting.pieces(self.study)]

    def _trained_on(
        self, piece: Piece, condition: str, configuration: Configuration, channels: Sequence[str], seeds: int
    ) -> xr.Dataset:
        planned = plan(
            piece.cycles,
            condition,
            configuration,
            seeds=seeds,
            channels=channels,
            folds=piece.folds,
            store=self.store,
            profile="ablations",
        )
        return planned.run(progress=False)


def beside(
    base: list[xr.Dataset],
    base_reading: Reading,
    here: list[xr.Dataset],
    reading: Reading,
    variant: Variant,
    configuration: Configuration,
) -> pd.DataFrame:
    """Lay results beside the default's, one row a held-out unit; see `Bench.rows`."""
    measure = R2 if variant.option == "r2" else ER
    ours, theirs = read(here, reading, measure), read(base, base_reading, measure)
    told = {"base": theirs["value"], "base_entropy": theirs["entropy"]}
    table = ours.rename(columns={"value": "here"}).join(pd.DataFrame(told), validate="1:1").reset_index()
    default = {**defaults(KINDS[variant.needs], configuration)}[variant.option]
    first = {
        "study": here[0].attrs["study"],
        "condition": variant.condition,
        "option": variant.option,
        "value": str(variant.value),
        "default": str(default),
        "needs": variant.needs,
        "measure": measure,
    }
    units = configuration.with_options(**_own(variant)).units
    whole = table.assign(
        **first,
        units=units,
        updates=int(here[0].attrs["updates"]),
        synthetic=bool(here[0].attrs["synthetic"]),
        simulated_by=here[0].attrs["simulated_by"],
    )
    return whole[[*first, *(name for name in whole if name not in first)]]


def readings(results: xr.Dataset) -> pd.DataFrame:
    """Read a trained condition by every choice after training, beside how it is read elsewhere; see `Bench.rows`.

    Averaging seeds is left out where there is one.
    """
    base = Configuration(**configuration_of(results))
    parts = [
        beside([results], Reading(), [results], Reading(**{one.option: one.value}), one, base)
        for one in variants(base)
        if one.needs == "reanalyse"
        and one.condition == results.attrs["condition"]
        and (one.option != "ensemble" or results.sizes["seed"] > 1)
    ]
    return pd.concat(parts, ignore_index=True)


def _own(variant: Variant) -> dict[str, Any]:
    return {variant.option: variant.value} if variant.needs == "retrain" else {}


def read(results: list[xr.Dataset], reading: Reading, measure: str) -> pd.DataFrame:
    """Return one row a held-out unit, by label: value of the measure, entropy, diverged, models, electrodes, unit."""
    table = pd.concat([errors(one, er=reading.er, ensemble=reading.ensemble) for one in results], ignore_index=True)
    if measure == R2:
        table = table.assign(er=table[f"r2_{reading.r2}"])
    units = per_unit(table).set_index("label")
    joint = configuration_of(results[0]).get("targets") == "all"  # one network, marked for each of its muscles
    counts = table.groupby("label")["diverged"].agg("max" if joint else "sum")
    models = results[0].sizes["seed"] * (1 if joint else results[0].sizes["channel"])
    columns = {
        "unit": units["unit"],
        "value": units["er"],
        "entropy": pd.concat([_entropy(one) for one in results]),
        "diverged": counts,
        "models": models,
        "electrodes": units["n_electrodes"],
    }
    return pd.DataFrame(columns).rename_axis("label")


def _entropy(results: xr.Dataset) -> pd.Series:
    """Return the entropy share of attention by held-out unit, mean over seeds, channels, cycles and outputs."""
    share = np.nanmean(entropy_share(results.attention.values), axis=(0, 1, 3))
    fold = results.fold_of_cycle.values
    return pd.Series({str(label): float(share[fold == k].mean()) for k, label in enumerate(results.fold.values)})
