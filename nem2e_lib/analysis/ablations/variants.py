"""What is varied: one row a variant, its values taken from the options' own types wherever these name them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args, get_type_hints

from nem2e_lib.analysis.ablations.cutting import Cutting
from nem2e_lib.analysis.metrics import Ratio
from nem2e_lib.refine.conditions import CONDITIONS
from nem2e_lib.refine.config import Configuration

Needs = Literal["retrain", "recut", "reanalyse"]

LEVELS: dict[str, tuple[Any, ...]] = {
    "units": (16, 64, 128, 700),
    "updates": (200, 400, 1600, 3200),
    "learning_rate": (3e-4, 3e-3),
    "forget_bias": (0.0,),
    "samples": (50, 101),
}
"""Values of the options that are numbers, beside the default."""

WHERE: dict[str, tuple[str, ...]] = {
    "quarter": ("one_quarter",),
    **dict.fromkeys(("spatial", "token_order", "arms"), ("all_entire",)),
    **dict.fromkeys(("score", "decoder_state", "decoder_input", "input_feeding"), ("one_entire", "all_entire")),
    **dict.fromkeys(("er", "r2", "ensemble"), CONDITIONS),
}
"""Conditions in which an option is varied, where that is not `ELSEWHERE`."""
ELSEWHERE = ("one_entire",)
"""What is the matter of no condition in particular is varied where models train fastest."""

FEW = {("units", 700): 1}
"""Variants so dear that they are trained for this many muscles, in One-Entire alone, and compared on the same."""


@dataclass(frozen=True)
class Reading:
    """The choices after training.

    Attributes
    ----------
    er
        A subject's Er as ratio of the means over speeds, or as mean of the speeds' ratios.
    r2
        Squared Pearson correlation, or 1 − SSE/SST.
    ensemble
        Whether the seeds' predictions are averaged before errors are taken, or their errors after.
    """

    er: Ratio = "ratio_of_means"
    r2: Literal["pearson", "sse"] = "pearson"
    ensemble: bool = False


KINDS: dict[Needs, type[Any]] = {"retrain": Configuration, "recut": Cutting, "reanalyse": Reading}


@dataclass(frozen=True)
class Variant:
    """One option of one condition at another value than its default, and what finding out needs.

    `muscles` is how many of the bench's muscles it is trained for; None for all.
    """

    condition: str
    option: str
    value: Any
    needs: Needs
    muscles: int | None = None


def variants(base: Configuration) -> list[Variant]:
    """Return every variant around a default configuration: all values that the options' types name, and `LEVELS`."""
    return [
        Variant(condition, option, value, needs, FEW.get((option, value)))
        for needs, kind in KINDS.items()
        for option, default in defaults(kind, base).items()
        for value in _values(kind, option)
        if value != default
        for condition in (("one_entire",) if (option, value) in FEW else WHERE.get(option, ELSEWHERE))
    ]


def defaults(kind: type[Any], base: Configuration) -> dict[str, Any]:
    """Return the default of each option of `Configuration`, `Cutting` or `Reading`."""
    source = base if kind is Configuration else kind()
    return {field.name: getattr(source, field.name) for field in fields(kind)}


def _values(kind: type[Any], option: str) -> Iterator[Any]:
    yield from LEVELS.get(option, ())
    declared = next(field for field in fields(kind) if field.name == option).metadata
    hint = get_type_hints(kind)[option]
    named = (False, True) if hint is bool else declared.get("choices", get_args(hint))
    yield from (value for value in named if isinstance(value, bool | str))
