"""Ids in what is saved, labels in what is shown: no verdict hangs on what a method is called, nor on rounding."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from nem2e_lib.analysis import contrasts, published
from nem2e_lib.analysis.attention_interventions import INTERVENTIONS
from nem2e_lib.analysis.attention_nulls import BETWEEN, MEASURES, OTHER_MUSCLES, RANDOM
from nem2e_lib.analysis.contrasts import CANNOT, NOT_SHOWN, OTHERWISE, SHOWN, judged, of_family, planned
from nem2e_lib.analysis.control_tests import NEEDS, REPLAYS
from nem2e_lib.analysis.controls import ASKED
from nem2e_lib.analysis.leaderboard import per_unit
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures import attention_tests as attention_figures
from nem2e_lib.figures import style
from nem2e_lib.figures.attention_tests import TEST_NAMES
from nem2e_lib.paper.answers import Answer, Site, answers
from nem2e_lib.paper.findings import Findings
from nem2e_lib.paper.shared_tables import CONTRASTS, NEEDED, SharedTable
from nem2e_lib.paper.studies import tried
from nem2e_lib.rivals import every
from nem2e_lib.site import tables
from nem2e_lib.site.saving import save, write_csv
from nem2e_lib.training.conditions import CONDITIONS
from tests.support.cells import run_cell, run_sections

RIVALS = (
    "identity",
    "mean_curve",
    "ridge_all",
    "delayed_ridge",
    "lstm",
    "transformer",
    "convolution",
    "delayed_kernel_ridge",
)
RUNNING = (-0.1, -0.4, -0.6, 0.0, -0.3, -0.5, -0.45, -0.7, -0.47, -0.2, -0.8)
WALKING = (0.1, -0.1, -0.2, 0.0, -0.6, 0.3, 0.4, -0.2, 0.35, 0.5, 0.4)
LEVELS = {
    "running": dict(zip((*CONDITIONS, *RIVALS), RUNNING, strict=True)),
    "walking": dict(zip((*CONDITIONS, *RIVALS), WALKING, strict=True)),
}
"""Mean Er of each method: who beats whom differs between the studies."""
OWN = "Kernel ridge with a learned delay against every rival"
"""The section of 08_rivals on this project's own method."""
METHODS = {
    "duels_table": ("a", "b", "winner"),
    "duels": ("a", "b", "winner"),
    "leaderboard_table": ("method",),
    "leaderboard": ("method",),
    "against_delayed_kernel_ridge": ("rival",),
    "review_improvement": ("condition",),
    "attention_verdicts": ("condition",),
    "attention_agreement": ("condition",),
    "controls_verdicts": ("condition",),
    "contrasts_methods": ("method", "rival"),
    "contrasts_input": ("method", "rival"),
    "ranking": ("method",),
    "ranking_table": ("method",),
    "comparisons": ("a", "b"),
    "shortcut": ("method",),
    "shortcut_table": ("method",),
}
"""Saved tables, and their columns that tell a method."""


def errors() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    rows = [
        {"study": study, "condition": method, "muscle": muscle, "electrode": muscle, "label": f"s{unit}", "er": level}
        for study, levels in LEVELS.items()
        for method, level in levels.items()
        for muscle in ("tib", "soleus")
        for unit in range(6)
    ]
    table = pd.DataFrame(rows)
    table["er"] += np.where(table["condition"] == "identity", 0.0, rng.normal(0, 0.02, len(table)))
    curve = table["study"].map({study: levels["mean_curve"] for study, levels in LEVELS.items()})
    return table.assign(
        unit="subject", synthetic=True, er_mean_curve=curve, r2_pearson=0.5, r2_sse=0.4, diverged=0, reason=""
    )


def findings(site: Path) -> Findings:
    """A run's findings without a run: what needs trained models is made up."""
    run: Any = SimpleNamespace(site=site, is_synthetic=True, show=lambda shown, name: save(shown, name, site))
    found = Findings(run)
    table = errors()
    found.__dict__["cycles"] = {s: xr.Dataset(attrs={"motion": s, "synthetic": 1}) for s in LEVELS}
    found.__dict__["errors"] = table[table["condition"].isin(CONDITIONS)]
    found.__dict__["trained"] = {}
    return found


def rivals(found: Findings, *sections: str) -> None:
    """Run sections of 08_rivals on made-up errors."""
    table = errors()
    pairs = table[["study", "condition"]].drop_duplicates().to_dict("records")
    methods = [SimpleNamespace(attrs={**pair, "parameters": 1, "seconds": 1.0}) for pair in pairs]
    given = {"errors": table, "methods": methods, "evaluated": [], "told_units": per_unit(table), "synthetic": True}
    run_sections("08_rivals", *sections, run=found.run, **given)


def attending(found: Findings) -> None:
    """Run what 14_attention_tests says of a run's own maps on made-up measures."""
    about = pd.DataFrame([{"study": s, "condition": c, "synthetic": True} for s in LEVELS for c in ASKED])
    worth = [pd.DataFrame(about).assign(intervention=name, n=8, unit="subject", p_value=0.01) for name in INTERVENTIONS]
    means = pd.concat(worth, ignore_index=True)
    sure = (means["study"] == "running") & (means["condition"] == "one_entire")
    means["change"] = np.where(sure, 0.2, 0.01)
    means = means.assign(ci_low=means["change"] - 0.01, ci_high=means["change"] + 0.01)
    nulls = [about.assign(test="occlusion", value=0.5, null=name, p_value=0.001) for name in (OTHER_MUSCLES, RANDOM)]
    known = {"run": found.run, "synthetic": True, "dependent": ""}
    run_sections(
        "14_attention_tests",
        "Do the maps say where the network looks?",
        means=means,
        nulls=pd.concat(nulls),
        entropies=about.assign(muscle="tib", entropy=0.99),
        **known,
    )
    agreement = [about.assign(muscle="tib", test=name, spearman=0.8) for name in (*MEASURES, BETWEEN)]
    drawn = attention_figures.agreement(pd.concat(agreement, ignore_index=True), synthetic=True)
    found.run.show(drawn, "attention_agreement")


def verdicts_of_controls() -> pd.DataFrame:
    rows = [(s, c, NEEDS if s == "running" else REPLAYS, "So.") for s in LEVELS for c in ASKED]
    return pd.DataFrame(rows, columns=["study", "condition", "verdict", "sentence"]).assign(
        er_unchanged=-0.4, er_mean_curve=-0.3, without_input=0.2
    )


def fed() -> pd.DataFrame:
    """Er with the own and with the average input: needed in running, not in walking."""
    rng = np.random.default_rng(4)
    rows = [
        {"study": study, "method": name, "unit": "subject", "label": f"s{i}", "er": level + 0.02 * rng.normal()}
        for study, rise in (("running", 0.3), ("walking", 0.0))
        for condition in ASKED
        for name, level in ((condition, -0.4), (f"{condition}_average", -0.4 + rise))
        for i in range(6)
    ]
    return pd.DataFrame(rows)


def asked(found: Findings) -> None:
    """Run the verdict of 13_controls on made-up ones."""
    made_up = SimpleNamespace(verdicts=lambda summary, follows, needed: verdicts_of_controls(), inputs=lambda _: fed())
    given = {"errors": None, "summary": None, "follows": None, "results": {}, "synthetic": True}
    run_sections("13_controls", "Verdict", run=found.run, control_tests=made_up, **given)


def trials() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    rows = [
        {"muscle": "soleus", "method": method, "reference": reference, "er": rng.normal(0.5, 0.2), "draw": draw}
        | {"er_unchanged": 0.1, "label": f"s{cycle // 2}", "trial": cycle}
        for method in ("model", "mean_curve")
        for reference in ("original input", "changed input")
        for cycle in range(8)
        for draw in range(3)
    ]
    return pd.DataFrame(rows)


def save_site(site: Path) -> Path:
    """Save every table that verdicts are read from, by the notebooks' cells and by what they call."""
    found = findings(site)
    rivals(
        found,
        "Leaderboard",
        "Speed and duration: told to none, or to all",
        "Who beats whom",
        "Planned contrasts",
        OWN,
    )
    attending(found)
    asked(found)
    known: dict[str, Any] = {"run": found.run, "found": found, "errors": found.errors, "synthetic": {"walking": True}}
    run_cell("04_statistics", '"ranking")', **known)
    run_cell("04_statistics", '"ranking_table")', **known)
    run_cell("04_statistics", '"comparisons")', **known)
    inputs = {"trials": trials(), "study": "walking", "muscle": "soleus", "results": found.cycles["walking"]}
    run_cell("06_shortcut", '"shortcut")', **known, **inputs)
    run_cell("06_shortcut", '"shortcut_table")', **known, **inputs, what="walking, soleus, One-Entire")
    audited, printed = published.audit(), published.results()
    run_cell("10_audit", "AUDIT.save(", **known, audited=audited, printed=printed)
    run_cell("10_audit", "IMPROVEMENT.save(", **known | {"synthetic": True})
    return site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_site(tmp_path_factory.mktemp("site"))


def rename_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every method another one's label, so that a join on labels takes one for another."""
    for labels in (style.METHOD_LABELS, style.CONDITION_LABELS):
        shown = list(labels.values())
        for name, other in zip(list(labels), [*shown[1:], shown[0]], strict=True):
            monkeypatch.setitem(labels, name, f"so-called {other}")


def told(site: Path) -> list[Answer]:
    return answers(Site(site), LEVELS)


def verdicts(site: Path) -> list[tuple[str, str, str]]:
    return [(one.question, one.study, one.verdict) for one in told(site)]


@pytest.mark.slow
def test_a_renamed_label_changes_no_verdict_and_no_saved_number(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, said = verdicts(site), [one.evidence for one in told(site)]
    assert {verdict for *_, verdict in before} >= {SHOWN, NOT_SHOWN, OTHERWISE}
    rename_everything(monkeypatch)
    assert verdicts(site) == before  # saved under the old names, read under the new ones
    renamed = save_site(tmp_path)
    assert verdicts(renamed) == before
    assert [one.evidence for one in told(renamed)] != said
    assert any("so-called" in one.evidence for one in told(renamed))
    files = {path.name: path.read_bytes() for path in site.glob("*.csv")}
    assert set(METHODS) <= {Path(name).stem for name in files}
    assert {path.name: path.read_bytes() for path in renamed.glob("*.csv")} == files


def test_the_verdicts_are_those_of_the_made_up_methods(site: Path) -> None:
    found: dict[tuple[str, str], list[str]] = {}
    for one in told(site):
        found.setdefault((one.question.partition(":")[0].partition("?")[0], one.study), []).append(one.verdict)
    expected = {
        "Is the refined activity nearer to EMG than the simulated one": (
            [SHOWN, SHOWN, SHOWN],
            [OTHERWISE, SHOWN, SHOWN],
        ),
        "Is the network better than replaying the mean EMG curve of what it was trained on": (
            [OTHERWISE, SHOWN, SHOWN],
            [OTHERWISE, OTHERWISE, OTHERWISE],
        ),
        "Is a network needed": ([SHOWN, SHOWN, OTHERWISE, NOT_SHOWN], [SHOWN, SHOWN, OTHERWISE, NOT_SHOWN]),
        "Does attention help": ([OTHERWISE], [NOT_SHOWN]),
        "Is this project's own method better than the mean curve, and than ridge regression with a delay": (
            [SHOWN],
            [OTHERWISE],
        ),
        "Does the network use its cycle's own input, or replay what it remembers": ([SHOWN] * 2, [NOT_SHOWN] * 2),
        "Has it learned something that replaying a mean cannot give": ([SHOWN] * 2, [OTHERWISE] * 2),
        "Do the attention maps say where the network looks": ([SHOWN, OTHERWISE], [OTHERWISE] * 2),
    }
    assert {question: (found[question, "running"], found[question, "walking"]) for question in expected} == expected


@pytest.mark.parametrize("name", METHODS)
def test_a_csv_carries_ids_and_its_page_labels(site: Path, name: str) -> None:
    table = pd.read_csv(site / f"{name}.csv", keep_default_na=False)
    ids = {one for column in METHODS[name] for one in table[column]} - {"", "model"}
    assert ids
    assert ids <= set(style.METHOD_LABELS)
    page = site / f"{name}.html"
    if page.exists():
        text = page.read_text()
        assert {one for one in ids if f">{style.METHOD_LABELS[one]}<" not in text} == set()
        assert {one for one in ids if f">{one}<" in text} == set()


def test_what_attention_is_laid_beside_is_an_id_too(site: Path) -> None:
    tests = set(pd.read_csv(site / "attention_agreement.csv")["test"])
    assert tests == set(TEST_NAMES) == {*MEASURES, BETWEEN}


def test_every_method_has_a_label_in_one_place() -> None:
    rivals = [one.name for one in every()]
    assert {*CONDITIONS, *rivals} <= set(style.METHOD_LABELS)
    assert len({style.METHOD_LABELS[name] for name in (*CONDITIONS, *rivals)}) == len(CONDITIONS) + len(rivals)
    assert {name for one in planned() for name in (one.method, one.rival)} <= set(style.METHOD_LABELS)
    assert list(style.CONDITION_LABELS) == list(CONDITIONS)


def test_an_option_that_is_called_like_a_method_keeps_its_name() -> None:
    shown = tables.plain(pd.DataFrame({"method": ["delay"], "option": ["delay"]}), "A table", "Of one row.").shown
    assert (shown["method"].item(), shown["option"].item()) == (style.METHOD_LABELS["delay"], "delay")


def test_no_answer_hangs_on_the_last_digit_of_a_csv(tmp_path: Path) -> None:
    table = judged(per_unit(errors()), of_family(contrasts.METHODS))
    sure = table.assign(p_holm=0.05 - 1e-14, n=8, answer=SHOWN)
    write_csv(tmp_path / CONTRASTS.file, sure)
    assert pd.read_csv(tmp_path / CONTRASTS.file)["p_holm"].eq(0.05).all()
    assert answers(Site(tmp_path), ["running"])[0].verdict == SHOWN
    write_csv(tmp_path / CONTRASTS.file, sure.assign(p_holm=0.05, answer=NOT_SHOWN))
    assert answers(Site(tmp_path), ["running"])[0].verdict == NOT_SHOWN


Edit = Callable[[pd.DataFrame], pd.DataFrame]
EDITS: dict[str, tuple[str, Edit, str]] = {
    "contrasts without answers": (
        "contrasts_methods",
        lambda t: t.drop(columns="answer"),
        "there is no column 'answer'",
    ),
    "contrasts in other words": (
        "contrasts_methods",
        lambda t: t.assign(answer="yes"),
        "column 'answer' has 'yes', expected one of shown",
    ),
    "a contrast less": (
        "contrasts_methods",
        lambda t: t[t["id"] != "nearer_one_entire"],
        "lacks id nearer_one_entire for study running",
    ),
    "a contrast more": (
        "contrasts_methods",
        lambda t: pd.concat([t, t[t["study"] == "running"]]),
        "contrasts_methods.csv has 2 rows of contrast nearer_one_quarter",
    ),
    "another study": ("contrasts_methods", lambda t: t[t["study"] == "walking"], "lacks any row for study running"),
    "no contrast of inputs": ("contrasts_input", lambda t: t.iloc[:0], "lacks any row for study running"),
    "an input less": (
        "contrasts_input",
        lambda t: t[t["method"] != "all_entire"],
        "lacks id input_all_entire for study running",
    ),
    "maps without a verdict": (
        "attention_verdicts",
        lambda t: t.assign(verdict="nearly uniform"),
        "column 'verdict' has 'nearly uniform', expected one of shown",
    ),
    "maps by labels": (
        "attention_verdicts",
        lambda t: t.replace(style.METHOD_LABELS),
        "column 'condition' has 'All-Entire', expected one of one_quarter",
    ),
    "a review by labels": (
        "review_improvement",
        lambda t: t.replace(style.METHOD_LABELS),
        "column 'condition' has 'All-Entire', expected one of one_quarter",
    ),
}


@pytest.mark.parametrize("edited", EDITS)
def test_a_table_that_is_not_as_it_should_be_is_told_and_decides_nothing(
    site: Path, tmp_path: Path, edited: str
) -> None:
    name, edit, reason = EDITS[edited]
    for path in site.glob("*.csv"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    edit(pd.read_csv(site / f"{name}.csv", keep_default_na=False)).to_csv(tmp_path / f"{name}.csv", index=False)
    before, found = told(site), told(tmp_path)
    changed = [one for one in found if one not in before and one.study == "running"]
    assert any(reason in one.evidence for one in changed), [one.evidence for one in changed]
    assert {one.verdict for one in changed} == {CANNOT}
    unchanged = [one for one in found if one in before and one.study == "running"]
    assert {one.question for one in changed}.isdisjoint(one.question for one in unchanged)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"answer": "yes"}, "contrasts_input.csv: column 'answer' has 'yes'"),
        ({"id": "One-Entire"}, "contrasts_input.csv: column 'id' has 'One-Entire'"),
    ],
)
def test_a_table_with_another_id_is_not_saved(tmp_path: Path, change: dict[str, str], reason: str) -> None:
    data = judged(fed(), of_family(contrasts.INPUT)).assign(**change)
    with pytest.raises(Nem2eError, match=reason):
        NEEDED.save(tables.plain(data, "SYNTHETIC", "Made up.", synthetic=True), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_table_without_a_column_is_not_saved(tmp_path: Path) -> None:
    shared = SharedTable("few", "99_page", ("study", "verdict"))
    with pytest.raises(Nem2eError, match=r"few\.csv: there is no column 'verdict', expected study, verdict"):
        shared.save(tables.plain(pd.DataFrame({"study": ["a"]}), "Few", "Made up."), tmp_path)


def test_the_bar_of_what_was_tried_is_ridge_whatever_it_is_called(tmp_path: Path) -> None:
    rows: Any = pd.read_csv(tried.STUDY)
    bar = tried.ridge_of(rows)
    assert set(bar) == set(rows["study"])
    assert bar["hamner-subject01"] == rows.loc[rows["variant"] == "ridge, all muscles", "er_mean"].iloc[0]
    assert tried.ridge_of(rows.assign(variant="another name")) == bar
    with pytest.raises(Nem2eError, match="has 0 rows whose method is ridge_all"):
        tried.ridge_of(rows.assign(method=rows["method"].replace("ridge_all", "ridge_own")))
    rivals(findings(tmp_path), "What was tried")
    saved = pd.read_csv(tmp_path / "tried_table.csv.zip")
    assert set(saved["method"].dropna()) <= set(style.METHOD_LABELS)
    assert "ridge, all muscles" in (tmp_path / "tried_table.html").read_text()
    assert ">ridge_all<" not in (tmp_path / "tried_table.html").read_text()
