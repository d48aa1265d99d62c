"""Commands on files as they are: ``nem2e inspect``, ``nem2e c3d`` and ``nem2e fetch``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from nem2e_lib.cli.refiner import Json, show_refiner


def inspect(
    file: Annotated[
        Path, typer.Argument(help="A table (.sto, .mot), markers (.trc), C3D, EMG export, model, refiner, study …")
    ],
    as_json: Json = False,
) -> None:
    """Show what is in a file or a study folder: sizes, times, rates, names, units, and anything odd."""
    from nem2e_lib.cli.inspect import as_text, inspect, kind_of

    if kind_of(file).name == "refiner":
        show_refiner(file, as_json)
    else:
        facts = inspect(file)
        typer.echo(json.dumps(facts, indent=2) if as_json else as_text(facts))


def c3d_tables(
    source: Annotated[Path, typer.Argument(help="A .c3d file, or a folder of them in any arrangement.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write into; no file in it is written over.")],
    cutoff: Annotated[float, typer.Option(help="Low-pass of force plates, Hz; 0 leaves them as recorded.")] = 20.0,
    as_json: Json = False,
) -> None:
    """Write what C3D files hold as OpenSim's tables: markers (.trc), forces (.mot), EMG and other channels (.sto)."""
    from nem2e_lib.data.c3d.export import as_text, export_c3d

    made = export_c3d(source, out, cutoff or None)
    facts = {"folder": str(out), "files": made.files.to_dict(orient="records"), "notes": made.told}
    typer.echo(json.dumps(facts, indent=2) if as_json else as_text(made, out))


def fetch(
    names: Annotated[
        list[str] | None, typer.Argument(help="Sets, folders, files or patterns such as '*.osim'; default: all.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder to lay them out in, beside the cache.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="Only show what there is, and whose.")] = False,
    as_json: Json = False,
) -> None:
    """Fetch open recordings of real people from public repositories, without a login."""
    from nem2e_lib.data.open import sources

    wanted = sources.chosen(names, sources.read_sources())
    if listed:
        show = sources.as_json if as_json else sources.as_text
        typer.echo(show(wanted))
        return
    from nem2e_lib.data.open.fetch import fetch_open

    folder = fetch_open(names, out=out)
    facts = {"folder": str(folder), "files": [source.here for source in wanted]}
    size = sum(source.size for source in wanted) / 1e6
    typer.echo(json.dumps(facts, indent=2) if as_json else f"{folder}: {len(wanted)} files, {size:.1f} MB.")
