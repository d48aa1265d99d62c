"""``nem2e synthesize``: a SYNTHETIC study folder from the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from nem2e_lib.data.synthetic.knobs import DEFAULT, Knobs, Knobs1, knobs_of
from nem2e_lib.error import Nem2eError


def synthesize(
    motion: Annotated[str, typer.Argument(help="running or walking.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Study folder to write.")],
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 0,
    knob: Annotated[list[str] | None, typer.Option(help="NAME=VALUE, e.g. delay_ms=100; may be given again.")] = None,
    subjects: Annotated[int | None, typer.Option(help="How many subjects; default: as in the paper.")] = None,
    speeds: Annotated[int | None, typer.Option(help="How many speeds, from the slowest; default: all.")] = None,
    generator: Annotated[int, typer.Option(help="2 is calibrated on recordings, 1 is the one before it.")] = DEFAULT,
) -> None:
    """Write a SYNTHETIC study folder: simulated activation, EMG and ground reaction force of nobody."""
    typer.echo(write(motion, out, seed, knob or [], subjects, speeds, generator))


def write(
    motion: str,
    out: Path,
    seed: int,
    knob: Sequence[str],
    subjects: int | None = None,
    speeds: int | None = None,
    generator: int = DEFAULT,
) -> str:
    """Write a SYNTHETIC study folder, its knobs given as NAME=VALUE, and return a sentence that tells what is in it."""
    from nem2e_lib.data.synthetic.design import design
    from nem2e_lib.data.synthetic.study import write_study

    folder = write_study(motion, out, _knobs(knob, generator), seed, subjects=subjects, speeds=speeds)
    plan = design(motion).reduced(subjects, speeds)
    trials = plan.subjects * len(plan.speeds)
    size = f"{plan.subjects} subjects, {trials} trials, {trials * plan.cycles} cycles"
    return f"{folder}: SYNTHETIC {motion}, {size}, generator {generator}."


def _knobs(settings: Sequence[str], generator: int) -> Knobs | Knobs1:
    known = knobs_of(None, generator)
    return type(known)(**dict(_setting(text, known) for text in settings))


def _setting(text: str, known: Knobs | Knobs1) -> tuple[str, float]:
    name, _, value = text.partition("=")
    names = list(asdict(known))
    if name not in names:
        raise Nem2eError(f"--knob {text}: {name!r} is not a knob; choose one of {', '.join(names)}.")
    try:
        return name, float(value)
    except ValueError:
        raise Nem2eError(f"--knob {text}: {value!r} is not a number; write {name}=NUMBER.") from None
