"""The figures and tables of the last four notebooks: drawn from a run's findings, saved into its site, shown."""

from __future__ import annotations

import pandas as pd

from nem2e_lib import figures
from nem2e_lib.analysis.attention import over_muscles
from nem2e_lib.analysis.claims import evaluate, summarise
from nem2e_lib.analysis.shortcut import RISES, UNDEFINED, shortcut_summary, swapped_verdict
from nem2e_lib.analysis.statistics import OneSample, ranking
from nem2e_lib.figures import schematics
from nem2e_lib.paper import what_holds
from nem2e_lib.paper.findings import Findings
from nem2e_lib.paper.shared_tables import SWAPPED
from nem2e_lib.paper.studies.ablations import Committed
from nem2e_lib.paper.studies.claims import verdicts
from nem2e_lib.site import tables
from nem2e_lib.site.claims import write_claims
from nem2e_lib.site.provenance import provenance
from nem2e_lib.site.results import write_results
from nem2e_lib.site.saving import Saved, save_drawn, save_table
from nem2e_lib.site.tables import Table
from nem2e_lib.training.config import Configuration, open_points
from nem2e_lib.training.results import configuration_of

STATISTICS, ATTENTION, SHORTCUT, CLAIMS = "04_statistics", "05_attention", "06_shortcut", "07_claims"
RIVALS, REFINER, AUDIT, OWN = "08_rivals", "09_refine", "10_audit", "11_own_data"
CONTROLS, ATTENTION_TESTS = "13_controls", "14_attention_tests"
ABLATIONS = "15_ablations"
LETTERS = {"figure_3": {"walking": "a", "running": "b"}, "figure_4": {"running": "abc", "walking": "d"}}
SHOWN = {"walking": "one_entire", "running": "all_entire"}
"""Condition that Figure 3 shows of each motion; a study of another motion shows both."""


def method(found: Findings) -> list[Saved]:
    """Figures 1 and 2: framework and network."""
    drawn = {"figure_1": schematics.framework(), "figure_2": schematics.network()}
    return [save_drawn(d, name, found.run.site, page=STATISTICS) for name, d in drawn.items()]


def datasets(found: Findings) -> Saved:
    """Table 1."""
    table = tables.datasets({s: c.assign_attrs(study=s) for s, c in found.cycles.items()})
    return save_table(table, "table_1", found.run.site, page=STATISTICS)


def results(found: Findings) -> list[Saved]:
    """Table 2 (walking) and Table 3 (running), or the table of the user's study."""
    numbers = {"walking": 2, "running": 3}
    saved = []
    for study, motion in found.motions.items():
        number = numbers.get(motion) if found.run.is_synthetic else None
        table = tables.results_table(
            found.summary,
            study=study,
            number=number,
            synthetic=found.synthetic(study),
            published=found.published(study),
        )
        name = f"table_{number}" if number else f"table_results_{study}"
        saved.append(save_table(table, name, found.run.site, page=STATISTICS))
    return saved


def curves(found: Findings) -> list[Saved]:
    """Figure 3: simulated, refined and measured activity of a representative subject."""
    saved = []
    for study, motion in found.motions.items():
        letter = LETTERS["figure_3"].get(motion, "") if found.run.is_synthetic else ""
        conditions = [SHOWN[motion]] if letter else ["one_entire", "all_entire"]
        for condition in conditions:
            drawn = figures.refined_curves(found.trained[study][condition], found.errors, letter=letter)
            name = f"figure_3{letter}" if letter else f"figure_3_{study}_{condition}"
            saved.append(save_drawn(drawn, name, found.run.site, page=STATISTICS))
    return saved


def boxes(found: Findings) -> list[Saved]:
    """Figure 4: Er of every muscle and condition."""
    saved = []
    for study, motion in sorted(found.motions.items(), key=lambda pair: pair[1]):
        letters = LETTERS["figure_4"].get(motion, "abc") if found.run.is_synthetic else "abc"
        drawn = figures.error_boxes(
            found.errors, found.tukey, study=study, letters=letters, synthetic=found.synthetic(study)
        )
        saved.append(save_drawn(drawn, f"figure_4_{study}", found.run.site, page=STATISTICS))
    return saved


def losses(found: Findings) -> Saved:
    """Figure 5: training and validation loss."""
    order = sorted(found.trained, key=lambda study: found.motions[study])
    drawn = figures.loss_curves({study: found.trained[study] for study in order})
    return save_drawn(drawn, "figure_5", found.run.site, page=STATISTICS)


def ranks(found: Findings) -> list[Saved]:
    """Mean Er of the conditions and of the training-mean curve, and how many muscles each is better in."""
    synthetic = found.any_synthetic
    counts = tables.plain(
        found.comparisons(),
        "Which method has the lower Er in how many muscles",
        "Paired over held-out units; below_p05 counts muscles with p < .05 in a paired t-test, not corrected.",
        synthetic=synthetic,
    )
    ranked = tables.plain(
        ranking(found.errors),
        "Mean Er of every method",
        "Lower is better; the training-mean EMG curve sees no input.",
        synthetic=synthetic,
    )
    return [
        save_drawn(figures.ranking(found.errors, synthetic=synthetic), "ranking", found.run.site, page=STATISTICS),
        save_table(ranked, "ranking_table", found.run.site, page=STATISTICS),
        save_table(counts, "comparisons", found.run.site, page=STATISTICS),
    ]


def spread(found: Findings) -> Saved:
    """How much Er differs between seeds, beside how much it differs between held-out units."""
    table = tables.plain(
        found.spread(),
        "Spread of Er between seeds and between held-out units",
        "Standard deviations, mean over muscles. '–': one seed has no spread; make paper SEEDS=3 trains more.",
        synthetic=found.any_synthetic,
    )
    return save_table(table, "spread", found.run.site, page=STATISTICS)


def temporal(found: Findings) -> list[Saved]:
    """Figure 6: two examples of temporal attention, with the input gradient beside them."""
    return [
        save_drawn(figures.temporal_attention(t["one_entire"]), f"figure_6_{study}", found.run.site, page=ATTENTION)
        for study, t in found.trained.items()
    ]


def spatial(found: Findings, muscle: str = "tib") -> list[Saved]:
    """Figure 7: spatial attention of a muscle, and the most attended muscles on a skeleton.

    Where All-Entire has no map of muscles (`spatial=time_tokens`), its temporal attention is shown.
    """
    saved = []
    for study, conditions in found.trained.items():
        trained = conditions["all_entire"]
        chosen = muscle if muscle in trained.channel.values else str(trained.channel.values[0])
        if over_muscles(trained):
            drawn = figures.spatial_attention(trained, muscle=chosen)
        else:
            drawn = figures.temporal_attention(trained)
        saved.append(save_drawn(drawn, f"figure_7_{study}", found.run.site, page=ATTENTION))
    return saved


def entropies(found: Findings) -> Saved:
    """Entropy of attention, and its lag beside that of the input gradient."""
    synthetic = found.any_synthetic
    table = tables.plain(
        found.entropies(),
        "What attention and input gradient say",
        "Entropy as a share of its maximum, mean over all models and outputs. Lags are positive where the input lies "
        "later in the cycle than the output; those of attention mean little where it is nearly uniform.",
        synthetic=synthetic,
    )
    return save_table(table, "entropy", found.run.site, page=ATTENTION)


def shortcut(found: Findings, trials: pd.DataFrame, study: str) -> list[Saved]:
    """Claim C11: Er on inputs changed in frequency and phase."""
    what = f"{study}, {trials['muscle'].iloc[0]}, One-Entire"
    synthetic = found.synthetic(study)
    summary = tables.plain(
        shortcut_summary(trials),
        f"Er on changed inputs: {what}",
        "One-sample t-test of Er against 0 over the inputs.",
        synthetic=synthetic,
    )
    return [
        save_drawn(figures.shortcut(trials, what=what, synthetic=synthetic), "shortcut", found.run.site, page=SHORTCUT),
        save_table(summary, "shortcut_table", found.run.site, page=SHORTCUT),
    ]


def swapped(found: Findings, study: str) -> tuple[Saved, str]:
    """Er with the own and with other muscles' input, and what that says."""
    table, test = found.swapped(study)
    shown = tables.plain(
        table.groupby("muscle", sort=False)[["er_own", "er_swapped", "difference"]].mean().reset_index(),
        f"{study}: Er when a model is fed with another muscle's activation",
        _swap_sentence(test),
        synthetic=found.synthetic(study),
    )
    site = found.run.site
    saved = save_table(shown, f"swapped_{study}", site, page=SHORTCUT)
    SWAPPED.of(study).save(_swap_test(study, test, synthetic=found.synthetic(study)), site)
    return saved, _swap_sentence(test)


def _swap_test(study: str, test: OneSample, *, synthetic: bool) -> Table:
    numbers = {"rise": test.mean, "ci_low": test.ci_low, "ci_high": test.ci_high, "p_value": test.p_value, "n": test.n}
    return tables.plain(
        pd.DataFrame([{"study": study, **numbers, "verdict": swapped_verdict(test), "reason": test.reason}]),
        f"{study}: does Er rise with another muscle's activation?",
        "One-sample t-test over the muscles, each averaged over its held-out units.",
        synthetic=synthetic,
    )


def _swap_sentence(test: OneSample) -> str:
    verdict = swapped_verdict(test)
    if verdict == UNDEFINED:
        return f"Whether the models use their input cannot be told: {test.reason}"
    words = "the models use their input" if verdict == RISES else "it is not shown that the models use their input"
    return (
        f"Er rises by {test.mean:.2f} (95 % CI {test.ci_low:.2f} to {test.ci_high:.2f}, n = {test.n} muscles) with "
        f"another muscle's input: {words}."
    )


def claims(found: Findings) -> pd.DataFrame:
    """Check the claims; write claims.html and results.json; return the table of claims."""
    table = evaluate(found.evidence())
    steady, seeds = verdicts(found)
    below = what_holds.tables_below(found, steady, seeds)
    write_claims(table, found.run.site, runs=found.runs, steady=steady, below=below)
    write_results(
        found.summary,
        table,
        found.run.site,
        runs=found.runs,
        commit=provenance().commit,
        more=what_holds.tables_of(found.run.site),
    )
    what_holds.write(found, table, steady, seeds)
    return table


def checked(found: Findings, table: pd.DataFrame) -> Table:
    """Return the claims as a table to read: verdict, what the paper reports, what this run gives, and why."""
    synthetic = found.any_synthetic
    return tables.plain(
        table[["id", "dataset", "claim", "reported", "value", "verdict", "why"]],
        "The claims on this run's data",
        verdict(table),
        synthetic=synthetic,
    )


def verdict(table: pd.DataFrame) -> str:
    """Say how many claims hold."""
    counts = summarise(table)
    return ", ".join(f"{word}: {count}" for word, count in counts.items())


def choices(found: Findings) -> Saved:
    """The table "What the paper leaves open", with this run's values."""
    trained = next(iter(found.trained.values()))["one_entire"]
    study = Committed()
    points = open_points(Configuration(**configuration_of(trained)))
    rows = [{**point, "effect": study.effect_of(point)} for point in points]
    return save_table(tables.open_points(rows), "open_points", found.run.site, page=CLAIMS)
