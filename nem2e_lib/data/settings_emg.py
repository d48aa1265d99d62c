"""``[emg_processing]`` of ``study.toml``."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from nem2e_lib.data.emg import RECIPES, Recipe
from nem2e_lib.data.emg_processing import NORMALISE, Processing
from nem2e_lib.data.tables import near

KEYS = {
    "recipe": "text in quotes",
    "offset": "true or false",
    "band_hz": "two numbers",
    "band_order": "a whole number",
    "rectify": "true or false",
    "low_pass_hz": "a number",
    "low_pass_order": "a whole number",
    "per_pass": "true or false",
    "normalise": "text in quotes",
}
"""Keys and what is expected of them."""


def processing_problems(path: Path, table: dict[str, Any]) -> list[str]:
    """What is wrong with the table's values, one sentence each; their kinds have been judged."""
    where, problems = f"{path}: [emg_processing]", []
    recipe, how = table.get("recipe"), table.get("normalise", NORMALISE[0])
    if recipe is None and "low_pass_hz" not in table:
        problems.append(f"{where} has neither recipe nor low_pass_hz; name a recipe ({', '.join(RECIPES)}) or steps.")
    if recipe is not None and recipe not in RECIPES:
        hint = near(recipe, RECIPES) or "."
        problems.append(f"{where} recipe is {recipe!r}, but {', '.join(RECIPES)} is expected{hint}")
    if how not in NORMALISE:
        hint = near(how, NORMALISE) or "."
        problems.append(f"{where} normalise is {how!r}, but {', '.join(NORMALISE)} is expected{hint}")
    return problems + [f"{where} {problem}" for problem in _filter_problems(table)]


def _filter_problems(table: dict[str, Any]) -> list[str]:
    problems = []
    low, high = table.get("band_hz", (1, 2))
    if not 0 < low < high:
        problems.append(f"band_hz is [{low}, {high}], but two rising numbers above 0 Hz are expected.")
    if not table.get("low_pass_hz", 1) > 0:
        problems.append(f"low_pass_hz is {table['low_pass_hz']}, but more than 0 Hz is expected.")
    for key in ("band_order", "low_pass_order"):
        order, single = table.get(key, 2), table.get("per_pass", False)
        if not 0 < order <= 20 or (order % 2 and not single):
            kind = "from 1 to 20" if single else "from 2 to 20 that is even (both passes together)"
            problems.append(f"{key} is {order}, but a whole number {kind} is expected.")
    return problems


def processing(table: dict[str, Any]) -> Processing | None:
    """The settings of a sound table; None if it is empty. Steps that are named replace those of the recipe."""
    if not table:
        return None
    base = RECIPES[table["recipe"]] if "recipe" in table else Recipe()
    steps = {key: value for key, value in table.items() if key not in ("recipe", "normalise")}
    if "band_hz" in steps:
        steps["band_hz"] = (float(steps["band_hz"][0]), float(steps["band_hz"][1]))
    return Processing(dataclasses.replace(base, **steps), table.get("normalise", NORMALISE[0]))
