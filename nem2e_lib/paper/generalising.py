"""Learning curves and generalising, from the table that ``make study-learning`` wrote: shown by 13_controls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pandas as pd

from nem2e_lib.analysis.learning import CYCLES, KEYS, MOTIONS, SPEEDS, SUBJECTS, learning_summary
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.learning import generalising, learning_curves
from nem2e_lib.paper.controls import PAGE
from nem2e_lib.paper.findings import Findings
from nem2e_lib.paper.studies.learning import STUDY
from nem2e_lib.site import tables
from nem2e_lib.site.saving import Saved, save_drawn, save_table

NEEDED = [
    *KEYS,
    "reference",
    "trained_on",
    "order",
    "draw",
    "label",
    "unit",
    "er",
    "er_mean_curve",
    "n_training",
    "muscles",
    "synthetic",
    "units",
    "updates",
    "seed",
    "commit",
]


@dataclass(frozen=True)
class Learning:
    """A table of the learning study.

    Attributes
    ----------
    found
        The run beside which it is shown.
    path
        The table; empty for the committed one, which is on SYNTHETIC data and shown beside SYNTHETIC runs alone.
    """

    found: Findings
    path: str = ""

    @cached_property
    def rows(self) -> pd.DataFrame | None:
        """Er per level and held-out unit; None where there is nothing to show.

        Raises
        ------
        Nem2eError
            If the file that was named is missing or lacks a column.
        """
        if not self.path:
            return read(STUDY) if self.found.run.is_synthetic and STUDY.exists() else None
        return read(Path(self.path))

    @cached_property
    def summary(self) -> pd.DataFrame:
        """Rows of `learning.learning_summary`; empty where there is nothing to show."""
        return pd.DataFrame() if self.rows is None else learning_summary(self.rows)

    @property
    def where(self) -> str:
        """What the models were trained with, in a sentence."""
        if self.rows is None:
            return (
                "No learning curve is shown: the committed one is on SYNTHETIC data and says nothing about this study. "
                "make study-learning STUDY=folder trains one; name its learning.csv in the parameters."
            )
        first, muscles = self.rows.iloc[0], "; motions: ".join(dict.fromkeys(map(str, self.rows["muscles"])))
        code = " and ".join(str(name)[:10] for name in dict.fromkeys(self.rows["commit"]))
        data = "SYNTHETIC data" if first["synthetic"] else "this study"
        return (
            f"A study of its own, on {data}: {first['units']} units, {first['updates']} updates a model, seed "
            f"{first['seed']}, muscles {muscles}; code {code}."
        )

    @property
    def synthetic(self) -> bool:
        """Whether the table is on SYNTHETIC data."""
        return self.rows is not None and bool(self.rows["synthetic"].any())

    @property
    def cannot(self) -> list[str]:
        """Sentences on experiments that the table lacks, by study."""
        if self.rows is None:
            return []
        said = {
            SPEEDS: "leaving a speed out beside the subject needs two subjects and two speeds",
            MOTIONS: "going from one motion to another needs studies of two motions",
        }
        have = self.rows.groupby("study")["experiment"].unique()
        return [
            f"{study}: {name} cannot be tested, because {why}."
            for study in have.index
            for name, why in said.items()
            if name not in have[study]
        ]


def read(path: Path) -> pd.DataFrame:
    """Read a table of the learning study; a missing file or column raises `Nem2eError`."""
    if not path.exists():
        raise Nem2eError(f"{path}: there is no such table; make study-learning STUDY=folder writes one.")
    rows = pd.read_csv(path, dtype={"level": str, "reference": str, "label": str})
    lost = [name for name in NEEDED if name not in rows]
    if lost:
        raise Nem2eError(f"{path}: has no column {lost[0]!r}, expected a table of make study-learning; make it anew.")
    return rows


def exhibits(learned: Learning) -> list[Saved]:
    """Learning curves, generalising and their tests; nothing where there is no table."""
    summary, site, synthetic = learned.summary, learned.found.run.site, learned.synthetic
    if summary.empty:
        return []
    where = " ".join([learned.where, *learned.cannot])
    saved = [
        save_drawn(draw(summary, where=where, synthetic=synthetic), name, site, page=PAGE)
        for name, draw, experiments in (
            ("controls_learning", learning_curves, (SUBJECTS, CYCLES)),
            ("controls_generalising", generalising, (SPEEDS, MOTIONS)),
        )
        if summary["experiment"].isin(experiments).any()
    ]
    shown = summary[
        [
            "experiment",
            "study",
            "condition",
            "level",
            "trained_on",
            "er_mean",
            "ci_low",
            "ci_high",
            "er_mean_curve",
            "against_curve",
            "against_ci_low",
            "against_ci_high",
            "cost",
            "cost_ci_low",
            "cost_ci_high",
            "cost_p_holm",
            "n",
        ]
    ]
    table = tables.plain(
        shown,
        "Training on less, or on something else",
        f"{where} against curve: Er minus that of the mean curve of the same training cycles; cost: Er minus that of "
        "the reference (all units or cycles, the speed in training, the same motion); both paired over held-out units, "
        "Holm over the levels of an experiment. Costs of generalising compare the same held-out cycles.",
        synthetic=synthetic,
    )
    return [*saved, save_table(replace(table, data=summary), "controls_learning_summary", site, page=PAGE)]
