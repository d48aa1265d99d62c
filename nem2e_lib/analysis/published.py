"""The paper's own numbers (Teramae et al. 2025, doi:10.3389/fbioe.2025.1611414, CC BY), and whether they agree.

They were taken from a text of the paper that a machine has read, which repeats rows with other signs and other numbers
of stars. So a row that does not agree with itself is called contradictory only where no misreading mends it.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import combinations

import pandas as pd
from scipy.special import stdtr, stdtrit

_KEYS = ["dataset", "muscle", "condition"]
_NUMBERS = ["er_mean", "p_value", "ci_low", "ci_high", "cohen_d", "r2"]


def results(printed: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return Tables 2 and 3 of the paper, one row a dataset, muscle and condition; cells not legible are NaN.

    Parameters
    ----------
    printed
        Other rows as printed, all text; None: the paper's.
    """
    table = as_printed() if printed is None else printed
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


def as_printed() -> pd.DataFrame:
    """Return Tables 2 and 3 as text, so that a number's last printed digit is known."""
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
    value, unit = float(text), 10.0 ** -decimals(text)
    return Range(value - unit, value + unit)


def decimals(text: str) -> int:
    """Return how many decimals a number is printed with."""
    return len(text.partition(".")[2])


AGREES, ONE_CHARACTER, MISPLACED, CONTRADICTS = "agrees", "one character", "misplaced cell", "contradicts itself"
READINGS = (AGREES, ONE_CHARACTER, MISPLACED, CONTRADICTS)
"""A row agrees as read, with one character read otherwise, without cells that are another row's too, or not at all."""


def audit(printed: pd.DataFrame | None = None) -> pd.DataFrame:
    """Recompute each row's p, centre of the interval and effect size from its other cells.

    A check fails where no values that print as the row's numbers could agree: the tolerance is one unit of the last
    printed digit, for numbers rounded or cut off. Bounds (``***``) fail where p cannot be below .001.

    A row with a failed check is read again with one character otherwise (`readings`). Where that mends it, or leaving
    out cells that another row has too, it may have been misread; else it contradicts itself.

    Parameters
    ----------
    printed
        Other rows as printed, all text; None: the paper's.

    Returns
    -------
    pandas.DataFrame
        dataset, muscle, condition; p_from_d, centre, d_from_ci; p_agrees, centre_agrees, d_agrees (True, False, or NA
        where a cell is missing); consistent (no check fails); contradictions (each failing check with its numbers);
        repeats (cells that repeat another row's of the same table); reading (`AGREES`, `ONE_CHARACTER`, `MISPLACED` or
        `CONTRADICTS`); mended (the reading that agrees, the likeliest first, and how many there are).
    """
    return _audit_of_paper().copy() if printed is None else _audit(printed)


@cache
def _audit_of_paper() -> pd.DataFrame:
    return _audit(as_printed())


def _audit(table: pd.DataFrame) -> pd.DataFrame:
    records = table.to_dict("records")
    rows = [_audit_row(row) for row in records]
    found = pd.concat([table[_KEYS], pd.DataFrame(rows)], axis=1)
    found["consistent"] = [_agrees(row) for row in rows]
    found["contradictions"] = [_contradictions(*pair) for pair in zip(rows, records, strict=True)]
    found["repeats"] = _repeats(table)
    read = [(AGREES, "") if _agrees(row) else _read_again(one, records) for row, one in zip(rows, records, strict=True)]
    return found.assign(reading=[reading for reading, _ in read], mended=[mended for _, mended in read])


def _agrees(found: Mapping[str, object]) -> bool:
    return not any(found[check] is False for check in ("p_agrees", "centre_agrees", "d_agrees"))


def _audit_row(row: Mapping[Hashable, object]) -> dict[str, object]:
    read = {name: str(row[name]) for name in _NUMBERS if isinstance(row[name], str)}
    cells = {name: _p_printed(row) if name == "p_value" else printed_range(text) for name, text in read.items()}
    n = int(str(row["n_subjects"]))
    found: dict[str, object] = dict.fromkeys(
        ["p_from_d", "p_agrees", "centre", "centre_agrees", "d_from_ci", "d_agrees"], None
    )
    if "cohen_d" in cells:
        found["p_from_d"] = _p(float(str(row["cohen_d"])), n)
        if "p_value" in cells:
            found["p_agrees"] = _p_of(cells["cohen_d"], n).meets(cells["p_value"])
    if "ci_low" in cells and "ci_high" in cells:
        low, high, mean = cells["ci_low"], cells["ci_high"], cells["er_mean"]
        centre = Range((low.low + high.low) / 2, (low.high + high.high) / 2)
        found |= {"centre": (centre.low + centre.high) / 2, "centre_agrees": centre.meets(mean)}
        if "cohen_d" in cells:
            edges = [float(str(row[name])) for name in ("ci_low", "ci_high", "er_mean")]
            effect = _d_of(low, high, mean, n)
            found |= {"d_from_ci": _d(edges[0], edges[1], edges[2], n), "d_agrees": effect.meets(cells["cohen_d"])}
    return found


_STARS = {"***": Range(0.0, 0.001), "**": Range(0.001, 0.01)}
"""p for which stars stand where no p is printed; three are transcribed as a bound."""


def _p_printed(row: Mapping[Hashable, object]) -> Range:
    if str(row["p_value"]) in _STARS:
        return _STARS[str(row["p_value"])]
    return _STARS["***"] if str(row["p_is_bound"]) == "1" else printed_range(str(row["p_value"]))


# --- Other readings of a printed number ---

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_CHECKED = ["er_mean", "p_value", "ci_low", "ci_high", "cohen_d"]


def readings(text: str) -> list[str]:
    """Return the numbers one character away: one changed, lost or added, or two neighbours swapped.

    That is a distance of one (Damerau 1964, doi:10.1145/363958.363994) over digits, the point and the minus. Numbers
    with fewer decimals are left out, for a coarser number agrees with anything. A lost or added sign comes first, then
    the nearest numbers.
    """
    characters = "0123456789.-"
    found = {
        *(text[:i] + text[i + 1] + text[i] + text[i + 2 :] for i in range(len(text) - 1)),
        *(text[:i] + one + text[i + 1 :] for i in range(len(text)) for one in ("", *characters)),
        *(text[:i] + one + text[i:] for i in range(len(text) + 1) for one in characters),
    }
    other = [one for one in found - {text} if _NUMBER.fullmatch(one) and decimals(one) >= decimals(text)]
    return sorted(other, key=lambda one: (_likely(text, one), one))


def _read_again(row: Mapping[Hashable, object], records: list[dict[Hashable, object]]) -> tuple[str, str]:
    """Return what becomes of a row that does not agree, and the likeliest reading that mends it."""
    found = [(name, one) for name, one in _other_readings(row) if _mends(row, {name: one})]
    if found:
        name, one = min(found, key=lambda pair: _likely(str(row[pair[0]]), pair[1]))
        more = f" ({len(found)} such readings)" if len(found) > 1 else ""
        text = "***" if one in _STARS else row[name]
        return ONE_CHARACTER, f"{name} {text} as {one}{more}"
    shared = {what: cells for what, cells in _REPEATABLE.items() if any(what in _same(row, one) for one in records)}
    for number in range(1, len(shared) + 1):
        for chosen in combinations(shared, number):
            unread: dict[Hashable, str | None] = {cell: None for what in chosen for cell in shared[what]}
            if _mends(row, unread):
                return MISPLACED, f"without {' and '.join(chosen)}"
    return CONTRADICTS, ""


def _likely(text: str, other: str) -> tuple[bool, float]:
    """Order readings: stars and signs first, then the nearest numbers."""
    if other in _STARS:
        return False, 0.0
    return other.strip("-") != text.strip("-"), abs(float(other) - float(text))


def _other_readings(row: Mapping[Hashable, object]) -> Iterator[tuple[str, str]]:
    for name in _CHECKED:
        text = row[name]
        if name == "p_value" and str(row["p_is_bound"]) == "1":
            yield name, "**"
        elif isinstance(text, str):
            yield from ((name, one) for one in readings(text))


def _mends(row: Mapping[Hashable, object], other: Mapping[Hashable, str | None]) -> bool:
    read: dict[Hashable, object] = {**row, **other}
    low, high, p = (read[name] for name in ("ci_low", "ci_high", "p_value"))
    if isinstance(low, str) and isinstance(high, str) and float(low) >= float(high):
        return False
    if isinstance(p, str) and p not in _STARS and not 0 < float(p) <= 1:
        return False
    return _agrees(_audit_row(read))


TOLERANCE = (
    "Tolerance: one unit of the last printed digit of every number that enters a check, so that rounding and cutting "
    "off both pass; a row fails where no values that print as its numbers agree. '***' stands for p < .001."
)
SOURCE = "The source is a text of the paper that was read by a machine; the print itself was not at hand."


def said(found: pd.DataFrame) -> str:
    """Count what the audit has found, and name the rows that contradict themselves.

    Parameters
    ----------
    found
        Column reading of `audit`; the keys where rows are to be named.
    """
    number = {reading: int((found["reading"] == reading).sum()) for reading in found["reading"].unique()}
    agree, one, misplaced, wrong = (
        number.get(reading, 0) for reading in (AGREES, ONE_CHARACTER, MISPLACED, CONTRADICTS)
    )
    named = contradicting(found) if set(_KEYS) <= set(found) else []
    return (
        f"{agree} of {len(found)} rows agree with themselves as read; {one} would with one character read otherwise, "
        f"{misplaced} if cells that repeat another row's were misplaced; {wrong} contradict themselves however they "
        f"are read{': ' if named else ''}{'; '.join(named)}. {SOURCE}"
    )


def _contradictions(found: Mapping[str, object], printed: Mapping[Hashable, object]) -> str:
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
    return float(2 * stdtr(n - 1, -abs(d) * n**0.5))


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
    return float(mean * stdtrit(n - 1, 0.975) / n**0.5 / half)


_REPEATABLE = {"interval": ["ci_low", "ci_high"], "effect size": ["cohen_d"], "p and R²": ["p_value", "r2"]}
"""Cells that two rows share by chance seldom; a p printed as a bound is no number and does not count."""


def _repeats(table: pd.DataFrame) -> list[str]:
    """Name, for each row, the rows of its table with the same interval, effect size, or p and R²."""
    records = table.to_dict("records")
    return ["; ".join(filter(None, (_shared(row, other) for other in records))) for row in records]


def _shared(row: Mapping[Hashable, object], other: Mapping[Hashable, object]) -> str:
    same = _same(row, other)
    return f"{', '.join(same)} as {other['muscle']} {other['condition']}" if same else ""


def _same(row: Mapping[Hashable, object], other: Mapping[Hashable, object]) -> list[str]:
    """Return what a row shares with another one of its table."""
    if row["dataset"] != other["dataset"] or all(row[key] == other[key] for key in _KEYS):
        return []
    return [what for what, cells in _REPEATABLE.items() if all(_equal(row, other, cell) for cell in cells)]


def _equal(row: Mapping[Hashable, object], other: Mapping[Hashable, object], cell: str) -> bool:
    bound = cell == "p_value" and "1" in (str(row["p_is_bound"]), str(other["p_is_bound"]))
    return isinstance(row[cell], str) and row[cell] == other[cell] and not bound


def significant(table: pd.DataFrame, dataset: str, condition: str) -> pd.Series:
    """Return the published rows of a condition that improve at p < .05 (bounds count as significant)."""
    rows = table[(table["dataset"] == dataset) & (table["condition"] == condition)]
    return rows[(rows["er_mean"] < 0) & (rows["p_value"] < 0.05)]["muscle"]


def inconsistent(found: pd.DataFrame) -> list[str]:
    """Name the rows of an audit that do not agree as they were read."""
    return _named(found[~found["consistent"].to_numpy(bool)])


def contradicting(found: pd.DataFrame) -> list[str]:
    """Name the rows of an audit that no misreading mends."""
    return _named(found[found["reading"] == CONTRADICTS])


def _named(rows: pd.DataFrame) -> list[str]:
    return [f"{r['dataset']} {r['muscle']} {r['condition']}" for r in rows.to_dict("records")]
