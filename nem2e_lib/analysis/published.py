"""The paper's own numbers (Teramae et al. 2025, doi:10.3389/fbioe.2025.1611414, CC BY), and whether they agree."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from importlib.resources import files

import pandas as pd
from scipy.stats import t as student

_KEYS = ["dataset", "muscle", "condition"]
_NUMBERS = ["er_mean", "p_value", "ci_low", "ci_high", "cohen_d", "r2"]


def results() -> pd.DataFrame:
    """Return Tables 2 and 3 of the paper, one row a dataset, muscle and condition; cells not legible are NaN."""
    table = _printed()
    return table.assign(**{name: pd.to_numeric(table[name]) for name in [*_NUMBERS, "p_is_bound", "n_subjects"]})


def results_of(motion: str, study: str) -> pd.DataFrame | None:
    """Return the paper's table of a motion under a study's name in column dataset; None for a motion that it lacks."""
    table = results()
    rows = table[table["dataset"] == motion]
    return None if rows.empty else rows.assign(dataset=study)


def claims() -> pd.DataFrame:
    """Return the paper's checkable statements: id, section, dataset, claim, reported, check."""
    with files("nem2e_lib.analysis").joinpath("claims.csv").open(encoding="utf-8") as lines:
        return pd.read_csv(lines, dtype=str)


def _printed() -> pd.DataFrame:
    with files("nem2e_lib.analysis").joinpath("published_results.csv").open(encoding="utf-8") as lines:
        return pd.read_csv(lines, dtype=str)


@dataclass(frozen=True)
class Range:
    """All values that print as a number, rounded or cut off: a unit of its last digit either way."""

    low: float
    high: float

    def meets(self, other: Range) -> bool:
        """Tell whether some value lies in both."""
        return self.low <= other.high and other.low <= self.high


def printed_range(text: str) -> Range:
    """Return the values that a printed number may stand for."""
    value, digits = float(text), len(text.split(".")[1]) if "." in text else 0
    unit = 10.0**-digits
    return Range(value - unit, value + unit)


def audit() -> pd.DataFrame:
    """Recompute each row's p, centre of the interval and effect size from its other cells.

    A check fails where no values that print as the row's numbers could agree: the tolerance is one unit of the last
    printed digit, for numbers rounded or cut off. Bounds (``***``) fail where p cannot be below .001.

    Returns
    -------
    pandas.DataFrame
        dataset, muscle, condition; p_from_d, centre, d_from_ci; p_agrees, centre_agrees, d_agrees (True, False, or NA
        where a cell is missing); consistent (no check fails); contradictions (each failing check with its numbers);
        repeats (cells that repeat another row's of the same table).
    """
    table = _printed()
    rows = [_audit_row(row) for row in table.to_dict("records")]
    found = pd.concat([table[_KEYS], pd.DataFrame(rows)], axis=1)
    checks = found[["p_agrees", "centre_agrees", "d_agrees"]].astype("boolean")
    found["consistent"] = ~checks.eq(False).fillna(False).any(axis=1)
    records = zip(found.to_dict("records"), table.to_dict("records"), strict=True)
    return found.assign(contradictions=[_contradictions(*pair) for pair in records], repeats=_repeats(table))


def _audit_row(row: Mapping[Hashable, object]) -> dict[str, object]:
    cells = {name: printed_range(str(row[name])) for name in _NUMBERS if isinstance(row[name], str)}
    n = int(str(row["n_subjects"]))
    found: dict[str, object] = dict.fromkeys(
        ["p_from_d", "p_agrees", "centre", "centre_agrees", "d_from_ci", "d_agrees"], None
    )
    if "cohen_d" in cells:
        p = _p_of(cells["cohen_d"], n)
        bound = str(row["p_is_bound"]) == "1"
        found |= {
            "p_from_d": _p(float(str(row["cohen_d"])), n),
            "p_agrees": p.low < 0.001 if bound else p.meets(cells["p_value"]),
        }
    if "ci_low" in cells and "ci_high" in cells:
        low, high, mean = cells["ci_low"], cells["ci_high"], cells["er_mean"]
        centre = Range((low.low + high.low) / 2, (low.high + high.high) / 2)
        found |= {"centre": (centre.low + centre.high) / 2, "centre_agrees": centre.meets(mean)}
        if "cohen_d" in cells:
            edges = [float(str(row[name])) for name in ("ci_low", "ci_high", "er_mean")]
            effect = _d_of(low, high, mean, n)
            found |= {"d_from_ci": _d(edges[0], edges[1], edges[2], n), "d_agrees": effect.meets(cells["cohen_d"])}
    return found


TOLERANCE = (
    "Tolerance: one unit of the last printed digit of every number that enters a check, so that rounding and cutting "
    "off both pass; a row fails where no values that print as its numbers agree. '***' stands for p < .001."
)


def _contradictions(found: Mapping[Hashable, object], printed: Mapping[Hashable, object]) -> str:
    """Say what a row's cells contradict, with the numbers."""
    bound = "< " if str(printed["p_is_bound"]) == "1" else ""
    said = {
        "p_agrees": f"p {bound}{printed['p_value']}, from d and n {_short(found['p_from_d'])}",
        "centre_agrees": f"mean {printed['er_mean']}, centre of the interval {_short(found['centre'])}",
        "d_agrees": f"d {printed['cohen_d']}, from the interval {_short(found['d_from_ci'])}",
    }
    return "; ".join(text for check, text in said.items() if found[check] is False)


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else "missing"


def _p(d: float, n: int) -> float:
    return float(2 * student.sf(abs(d) * n**0.5, n - 1))


def _p_of(d: Range, n: int) -> Range:
    ends = [_p(d.low, n), _p(d.high, n)]
    return Range(min(ends), 1.0 if d.low <= 0 <= d.high else max(ends))


def _d_of(low: Range, high: Range, mean: Range, n: int) -> Range:
    """Effect sizes of an interval: d = mean / sd and half width = t sd / sqrt(n)."""
    edges = [(low.high, high.low), (low.low, high.high)]
    ends = [_d(left, right, m, n) for m in (mean.low, mean.high) for left, right in edges]
    return Range(min(ends), max(ends))


def _d(low: float, high: float, mean: float, n: int) -> float:
    half = max((high - low) / 2, 1e-9)
    return float(mean * student.ppf(0.975, n - 1) / n**0.5 / half)


_REPEATABLE = {"interval": ["ci_low", "ci_high"], "effect size": ["cohen_d"], "p and R²": ["p_value", "r2"]}
"""Cells that two rows share by chance seldom; a p printed as a bound is no number and does not count."""


def _repeats(table: pd.DataFrame) -> list[str]:
    """Name, for each row, the rows of its table with the same interval, effect size, or p and R²."""
    records = table.to_dict("records")
    return ["; ".join(filter(None, (_shared(row, other) for other in records))) for row in records]


def _shared(row: Mapping[Hashable, object], other: Mapping[Hashable, object]) -> str:
    if row["dataset"] != other["dataset"] or all(row[key] == other[key] for key in _KEYS):
        return ""
    same = [what for what, cells in _REPEATABLE.items() if all(_equal(row, other, cell) for cell in cells)]
    return f"{', '.join(same)} as {other['muscle']} {other['condition']}" if same else ""


def _equal(row: Mapping[Hashable, object], other: Mapping[Hashable, object], cell: str) -> bool:
    bound = cell == "p_value" and "1" in (str(row["p_is_bound"]), str(other["p_is_bound"]))
    return isinstance(row[cell], str) and row[cell] == other[cell] and not bound


def significant(table: pd.DataFrame, dataset: str, condition: str) -> pd.Series:
    """Return the published rows of a condition that improve at p < .05 (bounds count as significant)."""
    rows = table[(table["dataset"] == dataset) & (table["condition"] == condition)]
    return rows[(rows["er_mean"] < 0) & (rows["p_value"] < 0.05)]["muscle"]


def inconsistent(found: pd.DataFrame) -> list[str]:
    """Name the rows of an audit that contradict themselves."""
    rows = found[~found["consistent"].to_numpy(bool)]
    return [f"{r['dataset']} {r['muscle']} {r['condition']}" for r in rows.to_dict("records")]
