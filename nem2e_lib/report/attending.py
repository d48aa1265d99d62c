"""A run's own attention maps, beside what its models depend on: what 14_attention_tests computes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from nem2e_lib.analysis import attention_tests
from nem2e_lib.analysis.attention import entropy_share, over_muscles
from nem2e_lib.analysis.attention_verdicts import NOTHING, speaks_against
from nem2e_lib.analysis.attribution import Attribution, attribute
from nem2e_lib.refine.grid import Grid
from nem2e_lib.refine.results import load_networks
from nem2e_lib.report.findings import Findings

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
