"""The command ``nem2e``: a thin layer over the library, one command a task."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from nem2e_lib.cli import leaderboard as ranking
from nem2e_lib.cli import refiner as refining
from nem2e_lib.cli import simulate as sim
from nem2e_lib.cli.adapt import adapt
from nem2e_lib.cli.flags import flagged
from nem2e_lib.cli.refiner import ForceColumns, Json, Names, RefinedFile, Rest, Some, Spans
from nem2e_lib.data.synthetic.knobs import DEFAULT, Knobs, Knobs1, knobs_of
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.options import Options
from nem2e_lib.simulate.trial import SimulatedTrial
from nem2e_lib.terminal import program, show_what_can_be_shown

if TYPE_CHECKING:
    from nem2e_lib.data.c3d.study import Built


class _Commands(TyperGroup):
    """Tells a user's mistake, or that the user stopped it, in one sentence instead of a traceback."""

    def main(self, *args: Any, **options: Any) -> Any:
        show_what_can_be_shown()  # before --help, too
        return super().main(*args, **options)

    def invoke(self, ctx: Any) -> Any:
        with program():
            return super().invoke(ctx)


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
study_app = typer.Typer(no_args_is_help=True, help="Begin a study folder, check it, and cut it into gait cycles.")
app.add_typer(study_app, name="study")

Folder = Annotated[Path, typer.Argument(help="Study folder, with study.toml and trials.csv.")]
Muscles = Annotated[Path | None, typer.Option("--model", help="OpenSim model (.osim) that says what is a muscle.")]


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nem2e {version('nem2e')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Refine simulated muscle activation towards measured EMG (STDR-Net)."""


@app.command()
def inspect(
    file: Annotated[
        Path, typer.Argument(help="A table (.sto, .mot), markers (.trc), C3D, EMG export, model, refiner, study …")
    ],
    as_json: Json = False,
) -> None:
    """Show what is in a file or a study folder: sizes, times, rates, names, units, and anything odd."""
    from nem2e_lib.cli.inspect import as_text, inspect, kind_of

    if kind_of(file).name == "refiner":
        refining.show_refiner(file, as_json)
    else:
        facts = inspect(file)
        typer.echo(json.dumps(facts, indent=2) if as_json else as_text(facts))


@study_app.command("check")
def study_check(folder: Folder, model: Muscles = None, as_json: Json = False) -> None:
    """Look for every problem in a study folder. Exits with 2 if there is one."""
    from nem2e_lib.data.check import check_study, study_notes

    problems = check_study(folder, model)
    notes = [] if problems else study_notes(folder, model)
    if as_json:
        facts = {"folder": str(folder), "ok": not problems, "problems": problems, "notes": notes}
        typer.echo(json.dumps(facts, indent=2))
    elif problems:
        typer.echo("\n".join(f"nem2e: {problem}" for problem in problems), err=True)
    else:
        typer.echo("\n".join([*(f"note: {note}" for note in notes), f"{folder}: no problem found."]))
    raise typer.Exit(2 if problems else 0)


@study_app.command("new")
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


@study_app.command("segment")
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


@study_app.command("from-archive")
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


@study_app.command("from-c3d")
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


@study_app.command("from-simulated")
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


@study_app.command("open")
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


@app.command("c3d")
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


@app.command()
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


@app.command()
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


app.add_typer(sim.app, name="simulate")


app.command()(refining.train)
app.command()(refining.refine)
app.command()(adapt)
app.command()(ranking.leaderboard)


@app.command("run")
@flagged("motion", "markers", "muscles")
def run_motion(
    *,
    refiner: Annotated[Path, typer.Option("--refiner", help="Refiner that `nem2e train` wrote.")],
    out: RefinedFile,
    motion: Annotated[Path | None, typer.Argument(help="Joint angles (.mot, .sto) or markers (.trc).")] = None,
    model: sim.Model = None,
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
        sim.named(replace(trial, motion=angles, markers=markers)),
        model,
        refining.load(refiner, muscles),
        out,
        folder=folder,
        steps=refining.listed(steps) or [],
        cycles=cycles,
        columns=refining.pair(columns),
        options=options,
        names=names,
        rest=rest,
        tell=lambda line: typer.echo(line, err=True),
    )
    refining.show(refined, refined.save(out, rest), as_json)


# Further commands are registered here: app.command()(…) or app.add_typer(…, name="…").


# --- ``nem2e synthesize``: a synthetic study folder from the command line ---


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
