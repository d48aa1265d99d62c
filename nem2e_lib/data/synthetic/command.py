"""``nem2e synthesize``: a synthetic study folder from the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nem2e_lib.data.synthetic.design import design
from nem2e_lib.data.synthetic.knobs import Knobs
from nem2e_lib.data.synthetic.study import write_study
from nem2e_lib.errors import Nem2eError


def write(
    motion: str, out: Path, seed: int, knob: Sequence[str], subjects: int | None = None, speeds: int | None = None
) -> str:
    """Write a SYNTHETIC study folder, its knobs given as NAME=VALUE, and return a sentence that tells what is in it."""
    folder = write_study(motion, out, _knobs(knob), seed, subjects=subjects, speeds=speeds)
    plan = design(motion).reduced(subjects, speeds)
    trials = plan.subjects * len(plan.speeds)
    return f"{folder}: SYNTHETIC {motion}, {plan.subjects} subjects, {trials} trials, {trials * plan.cycles} cycles."


def _knobs(settings: Sequence[str]) -> Knobs:
    return Knobs(**dict(_setting(text) for text in settings))


def _setting(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    names = list(Knobs.__dataclass_fields__)
    if name not in names:
        raise Nem2eError(f"--knob {text}: {name!r} is not a knob; choose one of {', '.join(names)}.")
    try:
        return name, float(value)
    except ValueError:
        raise Nem2eError(f"--knob {text}: {value!r} is not a number; write {name}=NUMBER.") from None
