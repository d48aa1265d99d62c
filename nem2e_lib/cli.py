"""The command ``nem2e``: a thin layer over the library, one command a task."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from nem2e_lib.errors import Nem2eError
from nem2e_lib.simulate.command import app as simulate_app


class _Commands(TyperGroup):
    """Tells a user's mistake in one sentence instead of a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Nem2eError as error:
            typer.echo(f"nem2e: {error}", err=True)
            raise typer.Exit(2) from None


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
study_app = typer.Typer(no_args_is_help=True, help="Check a study folder and cut it into gait cycles.")
app.add_typer(study_app, name="study")

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Folder = Annotated[Path, typer.Argument(help="Study folder, with study.toml and trials.csv.")]


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
    file: Annotated[Path, typer.Argument(help="OpenSim storage file, .sto or .mot.")], as_json: Json = False
) -> None:
    """Show what is in an OpenSim .sto or .mot file: size, time range, labels, and anything odd."""
    from nem2e_lib.data.storage import describe_storage, read_storage

    facts = describe_storage(read_storage(file))
    typer.echo(json.dumps(facts, indent=2) if as_json else _as_text(facts))


def _as_text(facts: dict[str, Any]) -> str:
    lists = {"labels": facts["labels"], "warnings": facts["warnings"]}
    lines = [f"{key:<12}{value}" for key, value in facts.items() if key not in lists]
    for key, items in lists.items():
        lines += [f"{key} ({len(items)})", *(f"  {item}" for item in items)]
    return "\n".join(lines)


@study_app.command("check")
def study_check(folder: Folder, as_json: Json = False) -> None:
    """Look for every problem in a study folder. Exits with 2 if there is one."""
    from nem2e_lib.data.checks import check_study, study_notes

    problems = check_study(folder)
    notes = [] if problems else study_notes(folder)
    if as_json:
        facts = {"folder": str(folder), "ok": not problems, "problems": problems, "notes": notes}
        typer.echo(json.dumps(facts, indent=2))
    elif problems:
        typer.echo("\n".join(f"nem2e: {problem}" for problem in problems), err=True)
    else:
        typer.echo("\n".join([*(f"note: {note}" for note in notes), f"{folder}: no problem found."]))
    raise typer.Exit(2 if problems else 0)


@study_app.command("segment")
def study_segment(
    folder: Folder,
    out: Annotated[Path, typer.Option("--out", "-o", help="NetCDF file to write.")] = Path("cycles.nc"),
    report: Annotated[Path | None, typer.Option(help="CSV of every cycle, kept or skipped, and why.")] = None,
) -> None:
    """Cut a study into gait cycles of 20 samples (and 101 for waveforms) and save them as NetCDF."""
    from nem2e_lib.data.segment import save_cycles, save_report, segment
    from nem2e_lib.data.study import load_study

    dataset, table = segment(load_study(folder))
    save_cycles(dataset, out)
    if report is not None:
        save_report(table, report)
    for row in table[~table.kept].itertuples():
        typer.echo(f"skipped: trial {row.trial}, cycle {row.number}: {row.reason}", err=True)
    sizes = ", ".join(f"{name}s {dataset.sizes[name]}" for name in ("cycle", "muscle", "channel"))
    typer.echo(f"{out}: {sizes}; skipped {int((~table.kept).sum())}.")


@app.command()
def synthesize(
    motion: Annotated[str, typer.Argument(help="running or walking.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Study folder to write.")],
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 0,
    knob: Annotated[list[str] | None, typer.Option(help="NAME=VALUE, e.g. delay_ms=100; may be given again.")] = None,
    subjects: Annotated[int | None, typer.Option(help="How many subjects; default: as in the paper.")] = None,
    speeds: Annotated[int | None, typer.Option(help="How many speeds, from the slowest; default: all.")] = None,
) -> None:
    """Write a SYNTHETIC study folder: simulated activation, EMG and ground reaction force of nobody."""
    from nem2e_lib.data.synthetic.command import write

    typer.echo(write(motion, out, seed, knob or [], subjects, speeds))


app.add_typer(simulate_app, name="simulate")

# Further commands are registered here: app.command()(…) or app.add_typer(…, name="…").
