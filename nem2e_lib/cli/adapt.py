"""``nem2e adapt``: a refiner fitted to one person by a few own cycles with EMG."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nem2e_lib.cli.refiner import Json, Kept, load, study_cycles
from nem2e_lib.data.files import require_writable
from nem2e_lib.error import Nem2eError

if TYPE_CHECKING:  # what refines is loaded when it is needed: the command line starts fast
    from nem2e_lib.refiner.manifest import Manifest, Output


def adapt(
    refiner: Kept,
    study: Annotated[
        Path, typer.Argument(help="Study folder of one person, or cycles.nc that `study segment` wrote of one.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Refiner to write, one file.")],
    count: Annotated[
        int | None, typer.Option("--cycles", help="Take the first so many cycles, 1 to 10; default: all there are.")
    ] = None,
    same: Annotated[
        bool,
        typer.Option("--same-speed", help="For the speed and condition of the own cycles alone: believe them further."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Adapt a refiner to one person by one to ten own cycles with EMG: gain, delay and shape, shrunk towards it."""
    require_writable(out)
    if out.resolve() == refiner.resolve():
        raise Nem2eError(f"{out}: is the refiner that is adapted, which others may need; give --out another name.")
    cycles, _ = study_cycles(study)
    made = load(refiner).adapt(cycles, count, same)
    manifest = made.manifest
    assert manifest.person is not None
    if manifest.person.cycles < cycles.sizes["cycle"]:
        typer.echo(
            f"{study}: the first {manifest.person.cycles} of {cycles.sizes['cycle']} cycles are taken.", err=True
        )
    made.save(out)
    if as_json:
        muscles = {each.name: None if each.adapted is None else asdict(each.adapted) for each in manifest.outputs}
        facts = {"file": str(out), "person": asdict(manifest.person), "warning": manifest.warning, "muscles": muscles}
        typer.echo(json.dumps(facts, indent=2))
        return
    typer.echo(f"note: {manifest.warning}", err=True)
    typer.echo(f"{out}: adapted to {manifest.person}.")
    typer.echo("\n".join(table(manifest)))


def table(manifest: Manifest) -> list[str]:
    """What was done to each muscle, columns between tabs: RMSE on own cycles before, and on each after the others."""
    head = ["muscle", "own cycles", "gain", "delay (ms)", "largest change", "RMSE before", "RMSE left out"]
    return ["\t".join(row) for row in [head, *map(_row, manifest.outputs)]]


def _row(output: Output) -> list[str]:
    done = output.adapted
    if done is None:
        return [output.name, "0", *["–"] * 5]
    change = done.change
    after = "not known" if done.rmse_left_out is None else f"{done.rmse_left_out:.3f}"
    largest = max(change.shape, key=abs)
    return [
        output.name,
        str(done.cycles),
        f"{change.gain:.2f}",
        f"{change.delay_ms:.0f}",
        f"{largest:+.3f}",
        f"{done.rmse_before:.3f}",
        after,
    ]
