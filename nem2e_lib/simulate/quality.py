"""Whether a simulation can be believed: measures against published rules of thumb, with a verdict."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from nem2e_lib.data.files import read_text
from nem2e_lib.errors import Nem2eError
from nem2e_lib.simulate.measures import FACTS
from nem2e_lib.simulate.results import Measured, measure_step
from nem2e_lib.simulate.rules import RULES, VERDICTS, worst
from nem2e_lib.simulate.runner import save_text

DYNAMIC = ("rra", "cmc", "so")


def judge(folder: Path) -> pd.DataFrame:
    """Judge one simulated trial from the files in its folder; OpenSim is not needed.

    Returns
    -------
    DataFrame, one row a step and measure: trial, step, measure, value, unit, where (column and time of the worst),
    good (limit), acceptable (limit), verdict (``good``, ``acceptable``, ``poor``, ``not judged``), counts (whether
    it counts in the trial's verdict), source (of the limits).

    Raises
    ------
    Nem2eError
        If the folder holds no simulated trial.
    """
    facts = _facts(folder)
    rows = [
        _row(folder.name, step, measured) for step in facts["steps"] for measured in measure_step(folder, step, facts)
    ]
    columns = [
        "trial",
        "step",
        "measure",
        "value",
        "unit",
        "where",
        "good",
        "acceptable",
        "verdict",
        "counts",
        "source",
    ]
    return pd.DataFrame(rows, columns=columns)


def _facts(folder: Path) -> dict[str, Any]:
    path = folder / FACTS
    if not path.is_file():
        raise Nem2eError(f"{folder}: holds no finished simulation ({FACTS} is missing); simulate the trial first.")
    return dict(json.loads(read_text(path)[0]))


def _row(trial: str, step: str, measured: Measured) -> dict[str, object]:
    rule = RULES[measured.measure]
    return {
        "trial": trial,
        "step": step,
        "measure": measured.measure,
        "value": measured.value,
        "unit": rule.unit,
        "where": measured.where,
        "good": rule.good,
        "acceptable": rule.acceptable,
        "verdict": rule.judge(measured.value),
        "counts": rule.counts,
        "source": rule.source,
    }


def verdict(table: pd.DataFrame) -> str:
    """Return the worst verdict among the measures that count; ``not judged`` where there is none."""
    counted = table[table["counts"].astype(bool)]
    return worst(counted["verdict"]) if len(counted) else VERDICTS[-1]


def summary(folder: Path) -> dict[str, Any]:
    """Verdict of a trial, why, and each measure's worst value over the steps."""
    table = judge(folder)
    told = verdict(table)
    guilty = table[table["counts"].astype(bool) & (table["verdict"] == told)]
    why = "; ".join(f"{row.step} {row.measure} {row.value:.3g} {row.unit}".strip() for row in guilty.itertuples())
    largest = table.groupby("measure", sort=False)["value"].max()
    return {
        "verdict": told,
        "why": "" if told == "good" else why,
        **{str(name): value for name, value in largest.items()},
    }


def save_quality(out: Path, folders: Sequence[Path]) -> pd.DataFrame:
    """Write ``quality.csv`` and ``quality.json`` of every finished trial, and return the table."""
    tables = [judge(folder) for folder in folders if (folder / FACTS).is_file()]
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    save_text(out / "quality.csv", table.to_csv(index=False))
    trials = [{"trial": name, "verdict": verdict(rows), "measures": _records(rows)} for name, rows in _trials(table)]
    save_text(out / "quality.json", json.dumps(trials, indent=1) + "\n")
    return table


def _trials(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    if len(table):
        for name, rows in table.groupby("trial", sort=False):
            yield str(name), rows


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    text: list[dict[str, Any]] = json.loads(rows.drop(columns="trial").to_json(orient="records"))
    return text


def trial_folders(out: Path) -> list[Path]:
    """Folders of finished trials in a folder of results, or the folder itself if it is one."""
    found = [out] if (out / FACTS).is_file() else sorted(path.parent for path in out.glob(f"*/{FACTS}"))
    if not found:
        raise Nem2eError(f"{out}: holds no finished simulation; simulate first, or name the folder given as --out.")
    return found
