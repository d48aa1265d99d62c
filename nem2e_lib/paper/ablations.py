"""Ablations: what 15_ablations shows of the committed study of every open choice (see `report.ablations_study`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pandas as pd

from nem2e_lib.analysis.ablations import Reading, effects, said, unfinished, variants
from nem2e_lib.analysis.ablations.bench import beside
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures import ablations as figures
from nem2e_lib.figures.style import CONDITION_LABELS, signed
from nem2e_lib.paper.findings import Findings
from nem2e_lib.paper.shared_tables import ABLATIONS
from nem2e_lib.project import ROOT
from nem2e_lib.site import tables
from nem2e_lib.site.saving import Saved, save_drawn, save_table
from nem2e_lib.training.conditions import CONDITIONS
from nem2e_lib.training.config import Configuration, profile
from nem2e_lib.training.results import configuration_of

PAGE = "15_ablations"
STUDY = ROOT / "docs" / "ablations.csv"
"""One row a variant and held-out unit, with what it was trained with: written by ``make study-ablations``."""
SHOWN = [
    "condition",
    "option",
    "default",
    "value",
    "measure",
    "here",
    "difference",
    "ci_low",
    "ci_high",
    "p_holm",
    "verdict",
    "entropy",
    "diverged",
    "models",
]
"""Columns shown; the CSV beside the table has all."""


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
            f"Study {first['study']} ({kind}), {self.rows['label'].nunique()} held-out {first['unit']}s, "
            f"{self.rows['electrodes'].max()} electrodes; default: {first['base_units']} units, "
            f"{first['base_updates']} updates a model, seed {first['seed']}; {first['seeds']} seeds as a yardstick; "
            f"code {code} (docs/{self.path.name}; make study-ablations makes it anew)."
        )


def forest(found: Findings, study: Committed) -> Saved:
    """Every variant's change in Er as a forest plot."""
    drawn = figures.forest(study.effects, note=study.provenance, synthetic=study.synthetic)
    return save_drawn(drawn, "ablations_forest", found.run.site, page=PAGE)


def curves(found: Findings, study: Committed) -> Saved:
    """Er over the options that are numbers."""
    note = f"{study.provenance} {unfinished(study.effects)}".strip()
    drawn = figures.levels(study.effects, note=note, synthetic=study.synthetic)
    return save_drawn(drawn, "ablations_levels", found.run.site, page=PAGE)


def table(found: Findings, study: Committed) -> Saved:
    """Every variant as a table, with entropy of attention and diverged models."""
    lacking = f" Not run: {'; '.join(study.missing)}." if study.missing else ""
    shown = tables.plain(
        study.effects[SHOWN],
        "What every open choice does to Er",
        f"{study.provenance} Difference: Er of the variant minus Er of the default, paired over held-out units, with "
        f"its 95 % CI; Holm over the variants of a condition. {said(study.effects)} "
        f"{unfinished(study.effects)}{lacking}",
        synthetic=study.synthetic,
    )
    return ABLATIONS.save(replace(shown, data=study.effects), found.run.site)


def readings(found: Findings) -> Saved:
    """The choices after training, on this run's own trained conditions: definitions of Er and R², ensembles."""
    rows = pd.concat([_read_again(found, study, condition) for study in found.trained for condition in CONDITIONS])
    kept = [
        "study",
        "condition",
        "option",
        "value",
        "measure",
        "default",
        "here",
        "base",
        "difference",
        "ci_low",
        "ci_high",
        "p_value",
        "n",
        "unit",
        "reason",
    ]
    shown = tables.plain(
        effects(rows)[kept],
        "Choices after training, on this run's models",
        "Difference: the measure (Er or R²) read so, minus the same read as everywhere else on these pages; mean over "
        "electrodes, paired over held-out units. Averaging seeds needs more than one: make paper SEEDS=3.",
        synthetic=found.any_synthetic,
    )
    return save_table(shown, "ablations_readings", found.run.site, page=PAGE)


def _read_again(found: Findings, study: str, condition: str) -> pd.DataFrame:
    results = found.trained[study][condition].assign_attrs(study=study)
    base = Configuration(**configuration_of(results))
    parts = [
        beside([results], Reading(), [results], Reading(**{one.option: one.value}), one, base)
        for one in variants(base)
        if one.needs == "reanalyse" and one.condition == condition and (one.option != "ensemble" or _several(found))
    ]
    return pd.concat(parts, ignore_index=True)


def _several(found: Findings) -> bool:
    return min(int(r.sizes["seed"]) for rows in found.trained.values() for r in rows.values()) > 1
