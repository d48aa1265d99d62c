"""Attention tested, not only shown: a run's own maps, and the study where the truth is known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from nem2e_lib.analysis import attention_tests
from nem2e_lib.analysis import attention_verdicts as verdicts
from nem2e_lib.analysis.attention import UNIFORM, entropy_share, over_muscles
from nem2e_lib.analysis.attention_verdicts import NOTHING, speaks_against
from nem2e_lib.analysis.attribution import Attribution, attribute
from nem2e_lib.figures import attention_tests as figures
from nem2e_lib.figures.style import Drawn
from nem2e_lib.paper.findings import Findings
from nem2e_lib.paper.shared_tables import ATTENTION
from nem2e_lib.paper.studies.attention import FOLDER
from nem2e_lib.site import tables
from nem2e_lib.site.saving import Saved, save_drawn, save_table
from nem2e_lib.training.grid import Grid
from nem2e_lib.training.results import load_networks

# --- A run's own attention maps, beside what its models depend on: what 14_attention_tests computes ---

FOLDS, CYCLES = 4, 2
"""Folds, and held-out cycles of each, that outputs are attributed on: of the first seed's models."""
PAIRS = {
    ("attention", "gradient"): "attention_gradient",
    ("attention", "integrated"): "attention_integrated",
    ("attention", "occlusion"): "attention_occlusion",
    ("integrated", "occlusion"): "integrated_occlusion",
}
"""Measures whose ranks are compared, and the id of the pair."""
BETWEEN = "between_folds"
"""Id of attention beside itself in another fold."""


@dataclass(frozen=True)
class Attending:
    """A run's attention.

    Attributes
    ----------
    found
        The run's findings.
    muscle
        Channel whose models' outputs are attributed; the first one where a study lacks it.
    """

    found: Findings
    muscle: str = "tib"

    @cached_property
    def entropies(self) -> pd.DataFrame:
        """Entropy and steadiness of every channel's map: one row a study, condition and channel.

        Columns entropy, entropy_low and entropy_high (of single cycles), tokens, folds_spearman and folds_jaccard (mean
        over pairs of folds; the second for maps of muscles alone), chance_jaccard, synthetic.
        """
        rows = [
            {
                "study": study,
                "condition": condition,
                "muscle": str(name),
                **_steady(results.sel(channel=name)),
                "synthetic": self.found.synthetic(study),
            }
            for study, conditions in self.found.trained.items()
            for condition, results in conditions.items()
            for name in results.channel.values
        ]
        return pd.DataFrame(rows)

    @cached_property
    def agreement(self) -> pd.DataFrame:
        """Rank correlation of attention with input gradient, integrated gradients and occlusion, mean over folds.

        Columns study, condition, muscle, pair, spearman, gap (of the integrated gradients), folds, synthetic.
        """
        rows = [
            row
            for study, conditions in self.found.trained.items()
            for condition, results in conditions.items()
            if condition != "one_quarter"
            for row in self._agreement(study, condition, results)
        ]
        return pd.DataFrame(rows)

    def _agreement(self, study: str, condition: str, results: xr.Dataset) -> list[dict[str, Any]]:
        muscle = self.muscle if self.muscle in results.channel.values else str(results.channel.values[0])
        about = {"study": study, "condition": condition, "muscle": muscle}
        sound = ~results.diverged.isel(seed=0).sel(channel=muscle).values
        folds = np.flatnonzero(sound)[:FOLDS]
        work = self.found.grid(study, condition)
        networks = load_networks(self.found.run.of(study, "models"), work, muscle)
        tables, gaps = [], []
        for fold in folds:
            found = _attributed(work, muscle, int(fold), networks[work.folds.labels[fold]])
            own = results.sel(channel=muscle).isel(seed=0, cycle=(results.fold_of_cycle == fold).values)
            weights = own.attention.mean("cycle").transpose("output", "token").sel(token=work.examples.tokens).values
            maps = {"attention": weights} | {name: part for name, part in found._asdict().items() if name != "gap"}
            tables.append(attention_tests.agreement(maps).set_index(["a", "b"])["spearman"])
            gaps.append(found.gap)
        known = {**about, "folds": len(folds), "synthetic": self.found.synthetic(study)}
        steady = self.entropies.set_index(["study", "condition", "muscle"])["folds_spearman"]
        between = {**known, "pair": BETWEEN, "spearman": steady.xs(tuple(about.values())), "gap": np.nan}
        if not tables:
            return [between]
        mean = pd.concat(tables, axis=1).mean(axis=1)
        known["gap"] = max(gaps)
        return [*({**known, "pair": name, "spearman": mean[pair]} for pair, name in PAIRS.items()), between]

    @cached_property
    def verdicts(self) -> pd.DataFrame:
        """What speaks against reading each condition's map.

        Columns study, condition, muscle, what was measured, verdict (in words), spoken_against (something does).
        """
        against = []
        occluded = self.agreement[self.agreement["pair"] == PAIRS["attention", "occlusion"]]
        keys = ["study", "condition", "muscle"]
        both = self.entropies.merge(
            occluded[[*keys, "spearman"]].rename(columns={"spearman": "occlusion_spearman"}), on=keys
        )
        for row in both.to_dict("records"):
            against.append(speaks_against({str(name): value for name, value in row.items()}))
        words = ["; ".join(found) or NOTHING for found in against]
        return both.assign(verdict=words, spoken_against=[bool(found) for found in against])


def _steady(results: xr.Dataset) -> dict[str, Any]:
    weights = results.attention.mean("seed").transpose("cycle", "output", "token")
    per_cycle = entropy_share(results.attention.transpose("cycle", "seed", "output", "token").values).mean(axis=(1, 2))
    by_fold = {
        str(label): weights[(results.fold_of_cycle == fold).values].mean("cycle")
        for fold, label in enumerate(results.fold.values)
    }
    table, tokens, muscles = attention_tests.steadiness(by_fold), results.sizes["token"], over_muscles(results)
    return {
        "entropy": float(per_cycle.mean()),
        "entropy_low": float(per_cycle.min()),
        "entropy_high": float(per_cycle.max()),
        "tokens": tokens,
        "folds_spearman": float(table["spearman"].mean()),
        "folds_jaccard": float(table["jaccard"].mean()) if muscles else np.nan,
        "chance_jaccard": attention_tests.expected_jaccard(attention_tests.TOP, tokens) if muscles else np.nan,
    }


def _attributed(work: Grid, muscle: str, fold: int, network: Any) -> Attribution:
    inputs = work.examples.inputs[work.examples.set_of_channel[work.channel_names.index(muscle)]]
    return attribute(network, inputs[work.held(fold, 0)][:CYCLES], inputs[work.shown(fold, 0)].mean(axis=0))


# --- Attention tested, not only shown: what 14_attention_tests calls ---

PAGE = "14_attention_tests"
NAMES = ("encoders", "seeds", "agreement", "order", "planted", "truth", "delay")


@dataclass(frozen=True)
class KnownTruth:
    """The committed study of attention where the truth is known, on SYNTHETIC data.

    Attributes
    ----------
    found
        The run beside which it is shown; figures and tables stand beside SYNTHETIC runs alone.
    """

    found: Findings

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables of the study by name; empty where it was not made."""
        paths = {name: FOLDER / f"attention_{name}.csv" for name in NAMES}
        complete = all(path.exists() for path in paths.values())
        return {name: pd.read_csv(path) for name, path in paths.items()} if complete else {}

    @property
    def shown(self) -> bool:
        """Whether there is a study, and it may stand beside this run."""
        return bool(self.tables) and self.found.run.is_synthetic

    @cached_property
    def readings(self) -> pd.DataFrame:
        """Rows of `attention_verdicts.readings`."""
        return verdicts.readings(self.tables)

    @cached_property
    def encoders(self) -> pd.DataFrame:
        """Rows of `attention_verdicts.encoder_summary`."""
        return verdicts.encoder_summary(self.tables["encoders"])

    @property
    def verdict(self) -> str:
        """What attention maps may be read as, and whether a default should change, a sentence or two a line."""
        if not self.tables:
            return "There is no study of attention where the truth is known; make study-attention makes it."
        lag = verdicts.slopes(self.tables["delay"])
        advice = verdicts.recommendation(self.encoders, self.readings)
        return f"{verdicts.verdict(self.readings, lag)}\n{advice}\n{self.where(*NAMES)}"

    def where(self, *names: str) -> str:
        """What the models of some tables were trained with; tables that differ in it are told apart."""
        words = [self._where(name) for name in names]
        shared = {said: [n for n, w in zip(names, words, strict=True) if w == said] for said in dict.fromkeys(words)}
        told = shared if len(shared) == 1 else [f"{', '.join(of)}: {said}" for said, of in shared.items()]
        return f"{'; '.join(told)} (docs/attention_*.csv; make study-attention makes them anew)."

    def _where(self, name: str) -> str:
        first = self.tables[name].iloc[0]
        return (
            f"SYNTHETIC {first['study']}, {first['subjects']} subjects, one held out, {first['units']} units, "
            f"{first['updates']} updates a model, code {str(first['commit'])[:10]}"
        )


def own(attending: Attending) -> list[Saved]:
    """This run's maps: entropy and steadiness of every one, and agreement with what the models depend on."""
    synthetic = attending.found.any_synthetic
    site = attending.found.run.site
    entropy = tables.plain(
        attending.entropies,
        "Entropy of every attention map, and its steadiness between folds",
        "Entropy as a share of its maximum, mean over held-out cycles and outputs, with the lowest and highest "
        "of a cycle. Between folds: Spearman's correlation of the maps and, where tokens are muscles, Jaccard overlap "
        "of the top tens at 0, 50 and 100 %; folds share most of their training cycles.",
        synthetic=synthetic,
    )
    said = tables.plain(
        attending.verdicts.drop(columns="spoken_against"),
        "What speaks against reading this run's maps",
        f"A map is spoken against when its entropy is above {UNIFORM:.0%} of its maximum, or its rank "
        f"correlation between folds or with occlusion is below {verdicts.AGREES}.",
        synthetic=synthetic,
    )
    drawn = figures.agreement(attending.agreement, synthetic=synthetic)
    return [
        ATTENTION.save(replace(said, data=attending.verdicts), site),
        save_drawn(drawn, "attention_agreement", site, page=PAGE),
        save_table(entropy, "attention_entropy", site, page=PAGE),
    ]


def order(tested: KnownTruth) -> list[Saved]:
    """Does the top ten follow the muscle or its place?"""
    if not tested.shown:
        return []
    summary = verdicts.order_summary(tested.tables["order"])
    drawn = figures.order_overlap(tested.tables["order"], summary)
    caption = (
        "Mean Jaccard overlap over pairs of orders and phases. Chance: mean of two random tens, from the "
        "hypergeometric distribution and by drawing them (with their 95th percentile). neighbours: pairs of adjacent "
        f"places in a top ten. {tested.where('order')}"
    )
    return _saved(tested, drawn, "attention_order_figure") + _table(
        tested, summary, "Overlap of top tens between orders of the muscles", caption, "attention_order"
    )


def lag(tested: KnownTruth) -> list[Saved]:
    """Lag against the true delay."""
    if not tested.shown:
        return []
    drawn = figures.lag_against_delay(tested.tables["delay"])
    caption = (
        "Slope of each model's lag over the true delay, mean and 95 % CI over models; no_peak: share of lags whose "
        "strongest diagonal is the outermost, left out of the fit. Read as the delay: at most "
        f"{verdicts.LOST:.0%} of lags without a peak, a slope between "
        f"{verdicts.SLOPE[0]} and {verdicts.SLOPE[1]} whose interval lies above 0, and at no delay a lag of at most "
        f"{verdicts.OFFSET_MS:.0f} ms; with a greater one only its changes. {tested.where('delay')}"
    )
    return _saved(tested, drawn, "attention_lag_figure") + _table(
        tested, verdicts.slopes(tested.tables["delay"]), "How lags move with the true delay", caption, "attention_lag"
    )


def truth(tested: KnownTruth) -> list[Saved]:
    """Precision of the top ten where the informative muscles are known."""
    if not tested.shown:
        return []
    usual = tested.tables["truth"][tested.tables["truth"]["score"] == verdicts.USUAL["score"]]
    both = pd.concat([tested.tables["planted"], usual], ignore_index=True)
    chance = verdicts.chance_precision(int(both["tokens"].iloc[0]))
    drawn = figures.precision(both, chance)
    keys = ["truth", "spatial", "score", "decoder_state", "measure"]
    table = both.groupby(keys, sort=False)[["precision", "chance", "er", "er_mean_curve"]].mean().reset_index()
    return _saved(tested, drawn, "attention_truth_figure") + _table(
        tested,
        table.assign(chance_95=chance),
        "Precision of the ten heaviest muscles",
        f"Mean over muscles. chance_95: of ten random muscles. Where the input gradient is at chance too, the network "
        f"has not learned to use planted muscles. {tested.where('planted', 'truth')}",
        "attention_truth",
    )


def encoders(tested: KnownTruth) -> list[Saved]:
    """Held-out error, entropy and every test, by encoder and score."""
    if not tested.shown:
        return []
    drawn = figures.error_and_entropy(tested.encoders)
    caption = (
        "difference: Er minus the default's (muscle_lstm, general, encoder), paired over held-out subjects, with its "
        f"95 % CI; equal: the interval does not lie above 0. {tested.where('encoders', 'planted')}"
    )
    read = (
        f"Readable: entropy of at most {UNIFORM}, a top ten that follows the muscle, rank correlations between seeds "
        f"and with occlusion of at least {verdicts.AGREES}, planted muscles found beyond chance, which counts where "
        "the input gradient finds them: elsewhere the network has not learned to use them. What was not measured for a "
        f"setting is blank. {tested.where('encoders', 'planted')}"
    )
    return (
        _saved(tested, drawn, "attention_encoders_figure")
        + _table(tested, tested.encoders, "Encoders and scores: held-out Er", caption, "attention_encoders")
        + _table(tested, tested.readings, "Which map of muscles may be read?", read, "attention_readings")
    )


def _saved(tested: KnownTruth, drawn: Drawn, name: str) -> list[Saved]:
    return [save_drawn(drawn, name, tested.found.run.site, page=PAGE)]


def _table(tested: KnownTruth, data: pd.DataFrame, title: str, caption: str, name: str) -> list[Saved]:
    table = tables.plain(data, title, caption, synthetic=True)
    return [save_table(table, name, tested.found.run.site, page=PAGE)]
