"""``nem2e run``: from a motion to refined activity."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from nem2e_lib.cli.flags import flagged
from nem2e_lib.cli.refiner import ForceColumns, Json, Names, RefinedFile, Rest, Some, Spans, listed, load, pair, show
from nem2e_lib.cli.simulate import Model, named
from nem2e_lib.simulate.options import Options
from nem2e_lib.simulate.trial import SimulatedTrial


@flagged("motion", "markers", "muscles")
def run_motion(
    *,
    refiner: Annotated[Path, typer.Option("--refiner", help="Refiner that `nem2e train` wrote.")],
    out: RefinedFile,
    motion: Annotated[Path | None, typer.Argument(help="Joint angles (.mot, .sto) or markers (.trc).")] = None,
    model: Model = None,
    trial: SimulatedTrial,
    cycles: Spans = None,
    columns: ForceColumns = None,
    steps: Annotated[
        str, typer.Option(help="Comma between; so is the fast way. Markers add ik, a static pose adds scale.")
    ] = "rra,cmc",
    folder: Annotated[Path | None, typer.Option(help="Of the simulation; default: beside the file to write.")] = None,
    options: Options,
    muscles: Some = None,
    names: Names = None,
    rest: Rest = "simulated",
    as_json: Json = False,
) -> None:
    """From a motion to refined activity: simulate whole gait cycles with OpenSim, then refine them. Says the cost."""
    from nem2e_lib.motion import angles_or_markers, run

    angles, markers = angles_or_markers(motion)
    refined = run(
        named(replace(trial, motion=angles, markers=markers)),
        model,
        load(refiner, muscles),
        out,
        folder=folder,
        steps=listed(steps) or [],
        cycles=cycles,
        columns=pair(columns),
        options=options,
        names=names,
        rest=rest,
        tell=lambda line: typer.echo(line, err=True),
    )
    show(refined, refined.save(out, rest), as_json)
