"""``nem2e study``: a study folder begun, made of other files, checked, and cut into gait cycles."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nem2e_lib.cli.refiner import Json
from nem2e_lib.error import Nem2eError

if TYPE_CHECKING:  # what a command needs is loaded when it runs: the command line starts fast
    from nem2e_lib.data.c3d.study import Built

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Begin a study folder, check it, and cut it into gait cycles."
)

Folder = Annotated[Path, typer.Argument(help="Study folder, with study.toml and trials.csv.")]
Muscles = Annotated[Path | None, typer.Option("--model", help="OpenSim model (.osim) that says what is a muscle.")]


@app.command("check")
def study_check(folder: Folder, model: Muscles = None, as_json: Json = False) -> None:
    """Look for every problem in a study folder. Exits with 2 if there is one."""
    from nem2e_lib.data.check import examine

    problems, notes = examine(folder, model)
    if as_json:
        facts = {"folder": str(folder), "ok": not problems, "problems": problems, "notes": notes}
        typer.echo(json.dumps(facts, indent=2))
    elif problems:
        typer.echo("\n".join(f"nem2e: {problem}" for problem in problems), err=True)
    else:
        typer.echo("\n".join([*(f"note: {note}" for note in notes), f"{folder}: no problem found."]))
    raise typer.Exit(2 if problems else 0)


@app.command("new")
def study_new(
    folder: Annotated[Path, typer.Argument(help="Study folder to fill in; made where it is missing.")],
    activation: Annotated[Path | None, typer.Option(help="Folder of activation files (.sto, .mot).")] = None,
    emg: Annotated[Path | None, typer.Option(help="Folder of EMG files.")] = None,
    grf: Annotated[Path | None, typer.Option(help="Folder of ground reaction force files.")] = None,
    model: Muscles = None,
    as_json: Json = False,
) -> None:
    """Write study.toml and trials.csv from what the files themselves tell; what they do not tell is left to fill in."""
    from nem2e_lib.data.intake.new import new_study

    made = new_study(folder, activation, emg, grf, model)
    if as_json:
        facts = {"folder": str(folder), "trials": made.trials.to_dict(orient="records")}
        typer.echo(json.dumps({**facts, "notes": made.told, "to_do": made.to_do}, indent=2))
        return
    lines = [f"note: {note}" for note in made.told]
    lines += [f"{folder}: {len(made.trials)} trials in trials.csv."]
    lines += [f"to do: {line}" for line in made.to_do]
    typer.echo("\n".join([*lines, f"Then: nem2e study check {shlex.quote(str(folder))}"]))


@app.command("segment")
def study_segment(
    folder: Folder,
    out: Annotated[Path, typer.Option("--out", "-o", help="NetCDF file to write.")] = Path("cycles.nc"),
    report: Annotated[Path | None, typer.Option(help="CSV of every cycle, kept or skipped, and why.")] = None,
    model: Muscles = None,
) -> None:
    """Cut a study into gait cycles of 20 samples (and 101 for waveforms) and save them as NetCDF."""
    from nem2e_lib.data.checks import heeded
    from nem2e_lib.data.cycles.segment import save_cycles, save_report, segment, skipped
    from nem2e_lib.data.quality.force import notes
    from nem2e_lib.data.study.load import load_study

    study = load_study(folder, model)
    dataset, table = segment(study)
    save_cycles(dataset, out)
    if report is not None:
        save_report(table, report)
    for line in skipped(table):
        typer.echo(line, err=True)
    for note in heeded(notes(study), study.settings.ignored, str(folder)):
        typer.echo(f"note: {note}", err=True)
    sizes = ", ".join(f"{name}s {dataset.sizes[name]}" for name in ("cycle", "muscle", "channel"))
    typer.echo(f"{out}: {sizes}; skipped {int((~table.kept).sum())}.")


@app.command("from-archive")
def study_from_archive(
    folder: Annotated[Path, typer.Argument(help="Folder with the downloaded archives, zipped or not; or one zip.")],
    layout: Annotated[str, typer.Option(help="running, walking, or a layout file of your own.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Study folder to write; must not exist.")] = None,
    look: Annotated[
        bool, typer.Option("--show", "--dry-run", help="Only show what fits, what is left and what is missing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a study folder of the paper's archives from SimTK, or of any archive that a layout file describes."""
    from nem2e_lib.data.intake import archive

    if out is None and not look:
        raise Nem2eError("--out is missing; name the study folder to write, or --show to look first.")
    archive.show(archive.from_archive(folder, layout, None if look else out), as_json)


@app.command("from-c3d")
def study_from_c3d(
    folder: Annotated[Path, typer.Argument(help="Folder with C3D files, in any arrangement.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write; edit its mapping/ and run again.")],
    as_json: Json = False,
) -> None:
    """Make markers (.trc), forces (.mot), EMG (.sto) and tables of C3D files, for `simulate run` and a study."""
    from nem2e_lib.data.c3d.convert import from_c3d

    made = from_c3d(folder, out)
    used = int((made.contacts["doubts"] == "").sum())
    if as_json:
        tables = {name: json.loads(getattr(made, name).to_json(orient="records")) for name in ("trials", "contacts")}
        typer.echo(json.dumps({"folder": str(out), **tables, "notes": made.told, "to_do": made.to_do}, indent=2))
        return
    lines = [f"note: {note}" for note in made.told]
    lines += [
        f"left out: {row['trial']}, plate {row['plate']}, {row['foot'] or 'foot unknown'}: {row['doubts']}."
        for row in made.contacts.to_dict("records")
        if row["doubts"]
    ]
    lines += [f"{out}: {len(made.trials)} walks in trials.csv, {used} of {len(made.contacts)} steps on plates of use."]
    lines += [f"to do: {line}" for line in made.to_do]
    lines += [f"Then: nem2e study from-c3d {folder} --out {out}"] if made.to_do else []
    typer.echo("\n".join(lines))


@app.command("from-simulated")
def study_from_simulated(
    converted: Annotated[Path, typer.Argument(help="Folder that `study from-c3d` wrote.")],
    simulated: Annotated[Path, typer.Argument(help="Folder that `simulate run` wrote for its trials.csv.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Study folder to write; must not exist.")],
    name: Annotated[str, typer.Option(help="Of the study; default: the folder's.")] = "",
    as_json: Json = False,
) -> None:
    """Make a study folder of C3D recordings that were converted and simulated: one leg a trial, left ones mirrored."""
    from nem2e_lib.data.c3d.study import study_of

    show_built(out, study_of(converted, simulated, out, name), as_json)


def show_built(out: Path, made: Built, as_json: bool) -> None:
    """Print the size of a study that was made, and what is to be told of it."""
    if as_json:
        trials = made.trials.to_dict(orient="records")
        typer.echo(
            json.dumps({"folder": str(out), "trials": trials, "cycles": made.cycles, "notes": made.told}, indent=2)
        )
        return
    lines = [f"note: {note}" for note in made.told]
    typer.echo("\n".join([*lines, f"{out}: {len(made.trials)} trials, {made.cycles} cycles."]))


@app.command("open")
def study_open(
    name: Annotated[str, typer.Argument(help="children (walking) or runner.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Study folder to write.")],
    anew: Annotated[bool, typer.Option("--simulate", help="Simulate activation anew, with OpenSim.")] = False,
    work: Annotated[
        Path | None, typer.Option(help="Folder of what is made on the way; default: OUT-work with --simulate.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Trials simulated at the same time.")] = None,
    as_json: Json = False,
) -> None:
    """Make a study folder of open recordings of real people; they are fetched first unless they are there."""
    from nem2e_lib.simulate.people import open_study

    made = open_study(name, out, anew=anew, work=work, workers=workers)
    show_built(out, made, as_json)
