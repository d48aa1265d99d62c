"""``nem2e simulate``: OpenSim's steps from the command line."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from nem2e_lib.cli.flags import flagged
from nem2e_lib.data.files import write_text
from nem2e_lib.data.labels import muscle_name
from nem2e_lib.data.storage.storage import read_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.batch import simulate
from nem2e_lib.simulate.compare import compare, waveforms
from nem2e_lib.simulate.marker_set import read_marker_set, shipped
from nem2e_lib.simulate.options import Options
from nem2e_lib.simulate.quality import judge, summary, trial_folders
from nem2e_lib.simulate.states import activation_of_states, is_damaged, repair_states, save_activation
from nem2e_lib.simulate.trial import LEGS, SimulatedTrial

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Simulate with OpenSim: from markers or joint angles and ground reaction forces to muscle activation.",
)

Out = Annotated[Path, typer.Option("--out", "-o", help="Folder of results; one folder a trial in it.")]
Model = Annotated[Path | None, typer.Option("--model", "-m", help="OpenSim model, .osim.", rich_help_panel="Inputs")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.", rich_help_panel="How to run")]


@app.command("run")
@flagged()
def run_trials(
    *,
    out: Out,
    trials: Annotated[
        Path | None, typer.Argument(help="Table of trials (CSV): trial, motion, grf, start_s, end_s, …")
    ] = None,
    model: Model = None,
    steps: Annotated[
        str, typer.Option(help="Comma between: scale, ik, rra, cmc, so, id.", rich_help_panel="How to run")
    ] = "rra,cmc",
    trial: SimulatedTrial,
    options: Options,
    workers: Annotated[int | None, typer.Option(help="Trials at the same time.", rich_help_panel="How to run")] = None,
    as_json: Json = False,
) -> None:
    """Run several steps, on one trial or on every trial of a table; what is finished is skipped another time."""
    asked = steps.replace(" ", "").split(",")
    table = simulate(trials or [named(trial)], model, out, steps=asked, options=options, workers=workers)
    raise typer.Exit(show_table(table, as_json))


def _one_step(step: str, what: str) -> None:
    """Register a command that runs one step on one trial."""

    def command(
        *, out: Out, model: Model = None, trial: SimulatedTrial, options: Options, as_json: Json = False
    ) -> None:
        table = simulate([named(trial)], model, out, steps=[step], options=options)
        raise typer.Exit(show_table(table, as_json))

    command.__doc__ = what
    app.command(step)(flagged()(command))


for _step, _what in {
    "scale": "Scale a model to a person, from markers of a static pose.",
    "ik": "Inverse kinematics: joint angles from markers.",
    "rra": "Residual reduction: make joint angles and trunk agree with the ground reaction forces.",
    "cmc": "Computed muscle control: excitations that make the muscles follow the motion.",
    "so": "Static optimisation, the fast alternative: joint torques shared among muscles moment by moment.",
    "id": "Inverse dynamics: net joint moments from joint angles and ground reaction forces.",
}.items():
    _one_step(_step, _what)


def named(trial: SimulatedTrial) -> SimulatedTrial:
    """Return the trial of a command line under the name of its first file where none is given.

    Raises
    ------
    Nem2eError
        If it has neither motion nor markers nor a static pose.
    """
    files = [path for path in (trial.motion, trial.markers, trial.static) if path is not None]
    if not files:
        raise Nem2eError("Nothing to simulate: give --motion (.mot, .sto), --markers (.trc) or --static (.trc).")
    return replace(trial, trial=trial.trial or files[0].stem)


def show_table(table: pd.DataFrame, as_json: bool) -> int:
    """Print what became of trials; return 1 if one failed, 2 if it was the only one, for what was given, else 0."""
    if as_json:
        typer.echo(table.to_json(orient="records", indent=2))
    else:
        for row in table.to_dict("records"):
            typer.echo("\n".join(_lines(row)), err=row["status"] == "failed")
    failed = bool((table["status"] == "failed").any())
    return 2 if len(table) == 1 and table["mistake"].all() else int(failed)


def _lines(row: Mapping[Hashable, object]) -> Iterator[str]:
    if row["status"] == "failed":
        named = f"Trial {row['trial']!r}"
        reason = str(row["reason"])
        yield f"nem2e: {reason if named in reason else f'{named}: {reason}'}"
        yield from (f"    {line}" for line in str(row["log_tail"]).splitlines())
        yield f"    log: {row['log']}"
        return
    yield f"{row['trial']}: {row['status']}, quality {row['verdict']}, {row['seconds']} s"
    if row.get("why"):
        yield f"    because: {row['why']}"
    yield from (f"    {line}" for line in _apart(row))
    if row["notes"]:
        yield f"    note: {row['notes']}"
    if row["activation"]:
        yield f"    {row['activation']}"


@app.command("marker-sets")
def list_marker_sets() -> None:
    """List the marker sets that are shipped; their files are models of one's own."""
    for name, path in shipped().items():
        found = read_marker_set(path)
        typer.echo(f"{name}: {found.name}, {len(found.markers)} markers. {found.about}")
        typer.echo(f"    {', '.join(found.markers)}")
        typer.echo(f"    {path}")


def _apart(row: Mapping[Any, object]) -> Iterator[str]:
    """What is judged apart where a foot stands on bare floor: each leg, and the residuals."""
    bare = {leg: row.get(f"bare_floor_{leg}") for leg in LEGS}
    if any(isinstance(told, str) and told for told in bare.values()):
        for leg, told in bare.items():
            yield f"{leg} leg: {row[f'verdict_{leg}']}" + (f", on floor without a plate {told}" if told else "")
        yield f"residuals while every foot is on a plate: {row['verdict_residuals']}"


@app.command("quality")
def show_quality(
    folder: Annotated[Path, typer.Argument(help="Folder of results, or of one trial.")], as_json: Json = False
) -> None:
    """Judge simulations against published rules of thumb. Exits with 1 if one is poor."""
    folders = trial_folders(folder)
    table = pd.concat([judge(each) for each in folders], ignore_index=True)
    told = {each.name: summary(each) for each in folders}
    verdicts = {name: each["verdict"] for name, each in told.items()}
    legs = {
        name: {leg: each[f"verdict_{leg}"] for leg in LEGS if f"verdict_{leg}" in each} for name, each in told.items()
    }
    if as_json:
        typer.echo(
            json.dumps(
                {"verdicts": verdicts, "legs": legs, "measures": json.loads(table.to_json(orient="records"))}, indent=2
            )
        )
    else:
        typer.echo(
            table.drop(columns=["source", "counts", "expected"]).to_string(index=False, float_format="{:.3g}".format)
        )
        for name, each in told.items():
            typer.echo("\n".join([f"{name}: {each['verdict']}", *(f"    {line}" for line in _apart(each))]))
    raise typer.Exit(int("poor" in verdicts.values()))


@app.command("activation")
def extract_activation(
    states: Annotated[Path, typer.Argument(help="States that computed muscle control wrote, …_states.sto.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Activation file to write, .sto.")],
) -> None:
    """Extract muscle activation from a file of states, even one whose header OpenSim 4.6 damaged."""
    storage = activation_of_states(states)
    save_activation(out, storage)
    typer.echo(f"{out}: {len(storage.labels)} muscles, {storage.time[0]:.6g} to {storage.time[-1]:.6g} s.")


@app.command("repair")
def repair(
    states: Annotated[Path, typer.Argument(help="File of states, …_states.sto.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File to write; default: the same.")] = None,
) -> None:
    """Write a file of states anew whose header OpenSim 4.6 damaged when it ended."""
    if not is_damaged(states):
        typer.echo(f"{states}: the header is whole; nothing to repair.")
        return
    typer.echo(f"{repair_states(states, out)}: repaired.")


@app.command("compare")
def compare_files(
    first: Annotated[Path, typer.Argument(help="Activation file.")],
    second: Annotated[Path, typer.Argument(help="Activation file.")],
    start: Annotated[float, typer.Option(help="First time, s.")],
    end: Annotated[float, typer.Option(help="Last time, s.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="CSV to write; default: print.")] = None,
) -> None:
    """Compare two activation files muscle by muscle: root mean square error and correlation."""
    sides = [
        {muscle_name(label): wave for label, wave in waveforms(read_storage(path), start, end).items()}
        for path in (first, second)
    ]
    table = compare(*sides)
    if out is None:
        typer.echo(table.to_string(index=False, float_format="{:.3f}".format))
        return
    write_text(out, table.to_csv(index=False))
    error, correlation = table["rmse"].mean(), table["correlation"].mean()
    typer.echo(f"{out}: {len(table)} muscles, mean RMSE {error:.3f}, mean correlation {correlation:.3f}.")
