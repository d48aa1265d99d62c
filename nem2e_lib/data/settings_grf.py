"""``[grf]`` of ``study.toml``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

COLUMNS = "a column name or a list of them"
FORCE_KEYS = {
    "right": COLUMNS,
    "left": COLUMNS,
    "threshold_n": "a number",
    "min_stance_s": "a number",
    "min_swing_s": "a number",
}
"""Keys and what is expected of them."""


def force_problems(path: Path, grf: dict[str, Any], cycle: str) -> list[str]:
    """What is wrong with the table's values, one sentence each; their kinds have been judged."""
    problems = []
    threshold = grf.get("threshold_n", 20.0)
    if not 0 < threshold < float("inf"):
        problems.append(f"{path}: [grf] threshold_n is {threshold}, but more than 0 N is expected.")
    for key in ("min_stance_s", "min_swing_s"):
        if not 0 <= grf.get(key, 0.0) < 10:
            problems.append(f"{path}: [grf] {key} is {grf[key]}, but a time from 0 to 10 s is expected.")
    if ("right" in grf) != ("left" in grf):
        problems.append(
            f"{path}: [grf] names one side only, but both right and left are expected; "
            "write [] for the side that was not measured."
        )
    needed = [side for side in cycle.split("-") if grf.get(side) == []]
    if needed:
        problems.append(f"{path}: [grf] {needed[0]} is empty, but cycle = {cycle!r} needs its heel strikes.")
    return problems


def force(grf: dict[str, Any]) -> dict[str, Any]:
    """The fields of `Settings` that a sound table gives."""
    limits = {key: float(grf[key]) for key in ("threshold_n", "min_stance_s", "min_swing_s") if key in grf}
    return limits | {f"grf_{side}": _columns(grf.get(side)) for side in ("right", "left")}


def _columns(named: str | list[str] | None) -> tuple[str, ...] | None:
    return None if named is None else (named,) if isinstance(named, str) else tuple(named)
