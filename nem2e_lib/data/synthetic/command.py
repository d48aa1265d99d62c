"""``nem2e synthesize``: a synthetic study folder from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nem2e_lib.data.synthetic.design import DESIGNS, design
from nem2e_lib.data.synthetic.knobs import Knobs
from nem2e_lib.data.synthetic.study import write_study
from nem2e_lib.errors import Nem2eError


def synthesize(
    motion: Annotated[str, typer.Argument(help=f"{' or '.join(DESIGNS)}.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Study folder to write.")],
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 0,
    knob: Annotated[list[str] | None, typer.Option(help="NAME=VALUE, e.g. delay_ms=100; may be given again.")] = None,
    subjects: Annotated[int | None, typer.Option(help="How many subjects; default: as in the paper.")] = None,
    speeds: Annotated[int | None, typer.Option(help="How many speeds, from the slowest; default: all.")] = None,
) -> None:
    """Write a SYNTHETIC study folder: simulated activation, EMG and ground reaction force of nobody."""
    folder = write_study(motion, out, _knobs(knob or []), seed, subjects=subjects, speeds=speeds)
    plan = design(motion).reduced(subjects, speeds)
    trials = plan.subjects * len(plan.speeds)
    typer.echo(
        f"{folder}: SYNTHETIC {motion}, {plan.subjects} subjects, {trials} trials, {trials * plan.cycles} cycles."
    )


def _knobs(settings: list[str]) -> Knobs:
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
