"""Which epoch's weights are used, and what that does to Er: ``make study-epochs`` writes docs/epoch_choice.csv.

The same training is read with the weights of its last epoch, with their mean over the last tenth, and with those of the
epoch that a further held-out unit chooses, on people and on SYNTHETIC data, for as long as the demo and as the paper
train.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from time import monotonic

import numpy as np
import pandas as pd
import xarray as xr

from nem2e_lib.analysis.leaderboard import per_unit
from nem2e_lib.analysis.metrics import errors
from nem2e_lib.analysis.statistics import ALPHA, FEWEST, holm, over_folds
from nem2e_lib.data.cycles.segment import segment
from nem2e_lib.data.study.load import load_study
from nem2e_lib.figures.style import CONDITION_LABELS, signed
from nem2e_lib.paper.run import OPEN, Run
from nem2e_lib.paper.studies.ablations import MUSCLES
from nem2e_lib.paper.studies.long import generator_of
from nem2e_lib.paper.studies.script import script
from nem2e_lib.project import ROOT
from nem2e_lib.site.provenance import commit
from nem2e_lib.site.saving import write_csv
from nem2e_lib.site.tables import Table, plain
from nem2e_lib.training.config import PROFILES
from nem2e_lib.training.train import Plan, plan

STUDY = ROOT / "docs" / "epoch_choice.csv"
"""One row a study, length of training, condition, rule and held-out unit, with what it was trained with."""
LENGTHS = ("demo", "long")
"""Profiles whose length of training is tried, the shorter first."""
DEFAULT, RULES = "last", ("average", "least")
FEW = {"running": MUSCLES}
"""Muscles of a study that has too many for all of them to be trained again and again: one electrode each."""
ORDER = ("one_entire", "all_entire", "one_quarter")
"""In which conditions are trained."""
DEAR = (("running", "long"),)
"""Left out: hours on a processor for each rule."""
FAMILY = ["study", "length"]
"""A study at one length of training: the comparisons over which p is adjusted."""


@dataclass(frozen=True)
class Trial:
    """A study, a length of training and a condition, to be trained with every rule."""

    study: str
    cycles: xr.Dataset
    length: str
    condition: str

    def plan(self, weights: str, store: Path) -> Plan:
        """Return the training with the weights of a rule."""
        options = PROFILES[self.length].with_options(weights=weights)
        channels = FEW.get(self.study)
        return plan(self.cycles, self.condition, options, channels=channels, store=store, profile=self.length)

    def rows(self, weights: str, store: Path) -> pd.DataFrame:
        """Train with a rule, lay it beside the last epoch's weights, and return a row a held-out unit."""
        here, base = (self.plan(rule, store).run(progress=False) for rule in (weights, DEFAULT))
        units, before = (per_unit(errors(one)).set_index("label") for one in (here, base))
        told = {
            "study": self.study,
            "length": self.length,
            "condition": self.condition,
            "weights": weights,
            "default": DEFAULT,
            "unit": units["unit"],
            "here": units["er"],
            "base": before["er"],
            "kept_epoch": kept_epoch(here, weights),
            "epochs": here.sizes["epoch"],
            "updates": here.attrs["updates"],
            "units": PROFILES[self.length].units,
            "electrodes": units["n_electrodes"],
            "diverged": here.diverged.sum(["seed", "channel"]).to_series(),
            "synthetic": bool(here.attrs["synthetic"]),
            "generator": generator_of(here),
            "commit": commit(),
        }
        return pd.DataFrame(told, index=units.index).reset_index()


def kept_epoch(results: xr.Dataset, weights: str) -> pd.Series:
    """Return the median epoch whose weights a held-out unit's models keep; NaN where they are of no one epoch."""
    if "kept_epoch" in results:
        return results.kept_epoch.median(["seed", "channel"]).to_series()
    epoch = results.sizes["epoch"] if weights == DEFAULT else np.nan
    return pd.Series(float(epoch), index=results.fold.to_index())


def trials(folder: Path) -> Iterator[Trial]:
    """Yield what is trained, people before SYNTHETIC studies and short trainings before long ones."""
    found = {}
    for data in (OPEN, ""):
        run = Run.begin(str(folder / (data or "synthetic")), LENGTHS[0], data=data)
        found.update({name: segment(load_study(path))[0] for name, path in run.studies.items()})
    for length, condition, (name, cycles) in product(LENGTHS, ORDER, found.items()):
        if (name, length) not in DEAR:
            yield Trial(name, cycles, length, condition)


def study(folder: Path | str, *, minutes: float = math.inf) -> Path | None:
    """Train every trial with every rule and write `STUDY`, after each.

    Parameters
    ----------
    folder
        Where data and models are kept; a second call trains only what is missing.
    minutes
        Begin no training after so many and leave the rest to the next call; then None is returned.
    """
    until, store, parts = monotonic() + 60 * minutes, Path(folder) / "models", []
    for trial, weights in product(trials(Path(folder)), RULES):
        if monotonic() > until:
            return None
        print(f"{trial.study}, {trial.length}, {trial.condition}, weights={weights}", flush=True)
        parts.append(trial.rows(weights, store))
        write_csv(STUDY, pd.concat(parts, ignore_index=True))
    return STUDY


# --- what it found ---


def rows(path: Path = STUDY) -> pd.DataFrame:
    """Return the committed study."""
    return pd.read_csv(path, dtype={"label": str})


def effects(found: pd.DataFrame) -> pd.DataFrame:
    """Return the change in Er by each rule, paired over held-out units.

    Parameters
    ----------
    found
        Of `rows`.

    Returns
    -------
    DataFrame
        study, length, condition, weights, epochs, kept_epoch (median over units), here, base (mean Er with these
        weights and with the last), difference (negative: these are better), ci_low, ci_high (95 %) and p_value
        (corrected for the training data that folds share: `statistics.over_folds`), p_holm (over the comparisons of a
        study at one length), n, unit, electrodes, diverged, synthetic.
    """
    keys = [*FAMILY, "condition", "weights"]
    table = pd.DataFrame([_effect(group, keys) for _, group in found.groupby(keys, sort=False)])
    table["p_holm"] = table.groupby(FAMILY, sort=False)["p_value"].transform(holm)
    order = ["n", "unit", "electrodes", "diverged", "synthetic"]
    return table[[*(name for name in table if name not in order), *order]]


def _effect(group: pd.DataFrame, keys: list[str]) -> dict[str, object]:
    test = over_folds((group["here"] - group["base"]).round(12))
    return {
        **{name: group[name].iloc[0] for name in [*keys, "epochs"]},
        "kept_epoch": group["kept_epoch"].median(),
        **{name: group[name].mean() for name in ("here", "base")},
        "difference": test.mean,
        **{name: getattr(test, name) for name in ("ci_low", "ci_high", "p_value")},
        "n": test.n,
        "unit": group["unit"].iloc[0],
        "electrodes": int(group["electrodes"].max()),
        "diverged": int(group["diverged"].sum()),
        "synthetic": bool(group["synthetic"].iloc[0]),
    }


def said(table: pd.DataFrame) -> str:
    """Say which rule surely changes Er, and by how much at most, rule by rule; `table` is that of `effects`."""
    sentences = []
    for weights, group in table.groupby("weights", sort=False):
        sure = group[(group["p_holm"] < ALPHA) & (group["n"] >= FEWEST)]
        better, worse = int((sure["difference"] < 0).sum()), int((sure["difference"] > 0).sum())
        sentences.append(
            f"Against the last epoch's weights, {weights} lowers Er surely in {better} of {len(group)} comparisons and "
            f"raises it in {worse} (Holm, p < .05, of {FEWEST} units or more); on the mean it changes Er by "
            f"{signed(group['difference'].mean())}, at most by {_largest(group)}."
        )
    return " ".join(sentences)


def not_run(found: pd.DataFrame) -> str:
    """Say which lengths and conditions have not been trained, or not for every study; empty where none is missing."""
    keys = [*FAMILY, "condition", "weights"]
    have = set(found[keys].itertuples(index=False, name=None))
    wanted = [
        (length, condition)
        for length, condition, name, weights in product(LENGTHS, ORDER, found["study"].unique(), RULES)
        if (name, length) not in DEAR and (name, length, condition, weights) not in have
    ]
    told = [f"{CONDITION_LABELS[condition]} for as long as {length}" for length, condition in dict.fromkeys(wanted)]
    return f"Not run, or not on every study: {'; '.join(told)}." if told else ""


def shown(found: pd.DataFrame | None = None, *, people: bool = False) -> Table:
    """Return the table of the committed study and what it says, for a page.

    Parameters
    ----------
    found
        Of `rows`, the default.
    people
        Leave out what is SYNTHETIC, for a page on people.
    """
    found = rows() if found is None else found
    found = found[~found["synthetic"]] if people else found
    table, code = effects(found), ", ".join(dict.fromkeys(str(one)[:10] for one in found["commit"]))
    which = ", ".join(dict.fromkeys(f"{name} (SYNTHETIC)" if fake else str(name) for name, fake in _studies(found)))
    return plain(
        table,
        "Which epoch's weights are used, and what that does to Er",
        f"{said(table)} Studies: {which}. Difference: Er with these weights minus Er with the last epoch's, of the "
        "same training, paired over held-out units, with its 95 % CI, corrected for training data that folds share. "
        "Average: mean of the weights over the last tenth of the epochs. Least: the epoch of least loss on a further "
        "unit, held out of those trained on. "
        f"{not_run(found)} Code {code} (docs/{STUDY.name}; make study-epochs makes it anew).",
        synthetic=bool(table["synthetic"].any()),
    )


def effect_of(point: Mapping[str, str]) -> str:
    """Say what the open point `weights` (`training.config.open_points`) did to Er; empty for any other."""
    if point["id"] != "weights" or not STUDY.exists():
        return ""
    return f"at most {_largest(effects(rows()))}"


def _largest(table: pd.DataFrame) -> str:
    row = table.sort_values("difference", key=abs, ascending=False).iloc[0]
    kind = "SYNTHETIC " if row["synthetic"] else ""
    return (
        f"{signed(row['difference'])} ({signed(row['ci_low'])} to {signed(row['ci_high'])}; {kind}{row['study']}, "
        f"{CONDITION_LABELS[str(row['condition'])]}, {row['epochs']} epochs, {row['weights']})"
    )


def _studies(found: pd.DataFrame) -> Iterator[tuple[str, bool]]:
    yield from found[["study", "synthetic"]].drop_duplicates().itertuples(index=False, name=None)


def main(folder: str, minutes: str = "inf") -> None:
    """``FOLDER [MINUTES]``."""
    print(study(folder, minutes=float(minutes)) or "Not finished: call it again to go on.")


if __name__ == "__main__":
    script(main)
