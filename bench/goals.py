"""What this engine was asked to reach on two cores, beside what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Facts = dict[str, Any]
ROWS = (
    ("temporal", 700, "speedup_vs_torch", 6.0, "times PyTorch"),
    ("temporal", 700, "speedup_vs_flax", 1.5, "times plain Flax"),
    ("temporal", 700, "fraction_of_floor", 0.85, "of the floor"),
    ("temporal", 64, "speedup_vs_torch", 50.0, "times PyTorch"),
    ("temporal", 64, "speedup_vs_flax", 1.5, "times plain Flax"),
    ("spatial", 700, "fraction_of_floor", 0.8, "of the floor"),
)
"""Attention, units, key of a row, the least asked for, and what it counts."""
DEMO_SECONDS, DEMO_GB, FIRST_SECONDS = 300, 4.0, 20


def rows(facts: Facts) -> Iterator[list[str]]:
    """Yield what was asked, what was measured, and whether that reaches it."""
    ours = {(row["attention"], row["units"]): row for row in facts["rows"] if row["name"] == "nem2e"}
    for attention, units, key, least, of in ROWS:
        found = ours[attention, units][key]
        yield [f"{attention}, {units} units: at least {least:g} {of}", f"{found:.2f}", _verdict(found >= least)]
    seconds = sum(row["seconds"] for row in facts["demo"])
    yield [f"demo grid: at most {DEMO_SECONDS} s", f"{seconds:.0f} s", _verdict(seconds <= DEMO_SECONDS)]
    first = max(row["first_s"] for row in facts["demo"])
    wanted = f"first epochs of a second run, programs compiled: at most {FIRST_SECONDS} s"
    yield [wanted, f"{first:.0f} s", _verdict(first <= FIRST_SECONDS)]
    most = max(row["peak_gb"] for row in facts["demo"])
    yield [f"demo grid: at most {DEMO_GB:g} GB", f"{most:.2f} GB", _verdict(most <= DEMO_GB)]


def _verdict(reached: bool) -> str:
    return "reached" if reached else "missed"
