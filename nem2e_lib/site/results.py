"""``results.json``: every number of the run in one file, the same bytes for the same numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.style import CONDITION_LABELS
from nem2e_lib.site.saving import write_text

Runs = Mapping[str, Mapping[str, Any]]
"""``synthetic``, ``profile`` and ``data_hash`` of each study."""

KEYS = (
    "study",
    "muscle",
    "condition",
    "er_mean",
    "ci_low",
    "ci_high",
    "p_value",
    "cohen_d",
    "r2_pearson",
    "r2_sse",
    "n_units",
    "unit",
    "synthetic",
    "profile",
    "commit",
    "data_hash",
)
"""What stands of each result, in this order."""
CLAIM_KEYS = ("id", "section", "dataset", "claim", "reported", "value", "verdict", "why")
"""What stands of each claim."""
CLAIM_KEYS_MORE = ("verdict_long", "value_long")
"""What stands of each claim besides, where the table has it: the verdict at the published length of training."""


def write_results(
    summary: pd.DataFrame,
    claims: pd.DataFrame,
    folder: Path | str,
    *,
    runs: Runs,
    commit: str,
    more: Mapping[str, pd.DataFrame] | None = None,
) -> Path:
    """Write ``results.json`` into `folder` and return its path.

    Parameters
    ----------
    summary : pandas.DataFrame
        One row per study, muscle, condition (``statistics.summary``).
    claims : pandas.DataFrame
        One row a claim (``claims.evaluate``).
    runs : mapping of study to mapping
        ``synthetic``, ``profile`` and ``data_hash`` of each study, such as the attrs of its results.
    commit : str
        Of the code (`provenance.commit`).
    more : mapping of name to pandas.DataFrame, optional
        Further tables of the run, such as ``leaderboard`` and ``audit``: a list of rows each.

    Raises
    ------
    Nem2eError
        When a column or a study's run is missing.
    """
    rows = [_row(record, runs, commit) for record in summary.to_dict("records")]
    conditions = list(CONDITION_LABELS)
    rows.sort(key=lambda r: (r["study"], r["muscle"], conditions.index(r["condition"])))
    _once(rows)
    _lacking(claims.columns, CLAIM_KEYS, "table of claims")
    keys = [*CLAIM_KEYS, *(key for key in CLAIM_KEYS_MORE if key in claims)]
    claim_rows = [{k: _plain(r[k]) for k in keys} for r in claims.sort_values("id").to_dict("records")]
    others = {name: [_plain_row(r) for r in t.to_dict("records")] for name, t in (more or {}).items()}
    text = json.dumps({"results": rows, "claims": claim_rows, **others}, indent=1, ensure_ascii=False, allow_nan=False)
    path = Path(folder) / "results.json"
    write_text(path, text + "\n")
    return path


def _row(record: Mapping[Any, Any], runs: Runs, commit: str) -> dict[str, Any]:
    study = str(record.get("study"))
    if study not in runs:
        raise Nem2eError(
            f"results.json: the summary has study '{study}', but runs are given for "
            f"{', '.join(runs) or 'none'}; give synthetic, profile and data_hash of every study."
        )
    run = runs[study]
    known = {k: run[k] for k in ("synthetic", "profile", "data_hash") if k in run} | {"commit": commit}
    merged = {**known, **record, "commit": commit}
    _lacking(merged, KEYS, f"summary of study '{study}'")
    return {k: _plain(merged[k]) for k in KEYS} | {"synthetic": bool(merged["synthetic"])}


def _plain_row(record: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): _plain(None if value is pd.NA else value) for name, value in record.items()}


def _once(rows: list[dict[str, Any]]) -> None:
    seen = pd.Series([(r["study"], r["muscle"], r["condition"]) for r in rows], dtype=object)
    if seen.duplicated().any():
        raise Nem2eError(
            f"results.json: the summary has {' / '.join(seen[seen.duplicated()].iloc[0])} twice; "
            "expected one row per study, muscle and condition."
        )


def _lacking(found: Any, expected: tuple[str, ...], where: str) -> None:
    missing = [k for k in expected if k not in found]
    if missing:
        raise Nem2eError(f"results.json: the {where} lacks '{missing[0]}'; expected {', '.join(expected)}.")


def _plain(value: Any) -> Any:
    """Return a value that JSON can hold: NaN and infinities become null, floats keep ten digits."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return float(f"{value:.10g}") if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)
