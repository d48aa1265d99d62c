"""``nem2e simulate``: OpenSim's steps from the command line."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from nem2e_lib.data.columns import muscle_columns, muscle_name
from nem2e_lib.data.files import write_text
from nem2e_lib.data.storage.storage import read_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.compare import compare, waveforms
from nem2e_lib.simulate.options import Options
from nem2e_lib.simulate.quality import judge, summary, trial_folders
from nem2e_lib.simulate.trial import SimulatedTrial

# --- What ``nem2e simulate`` understands and prints ---


def options_of(chosen: Chosen) -> Options:
    """Return the options of a command line.

    Raises
    ------
    Nem2eError
        If a NAME=VALUE is none, or a value no number.
    """
    plain = [text for text in chosen.reserve or [] if "=" not in text]
    named = [text for text in chosen.reserve or [] if "=" in text]
    return Options(
        cutoff_hz=chosen.cutoff,
        strength=chosen.strength,
        max_velocity=chosen.max_velocity,
        reserve=_number("reserve", plain[-1]) if plain else Options.reserve,
        reserves=dict(_numbers("reserve", named)),
        weights=dict(_numbers("weight", chosen.weight or [])),
        feet=dict(_pairs("foot", chosen.foot or [])),
        setups=dict(_pairs("setup", chosen.setup or [])),
        lock=chosen.lock or (),
        muscles=muscles_of(chosen.muscles_of) if chosen.muscles_of else (),
        geometry=chosen.geometry,
        time_limit_s=chosen.time_limit,
    )


def _pairs(option: str, texts: list[str]) -> Iterator[tuple[str, str]]:
    for text in texts:
        name, found, value = text.partition("=")
        if not found:
            raise Nem2eError(f"--{option} {text}: NAME=VALUE is expected.")
        yield name.strip(), value.strip()


def _numbers(option: str, texts: list[str]) -> Iterator[tuple[str, float]]:
    for name, value in _pairs(option, texts):
        yield name, _number(option, value)


def _number(option: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise Nem2eError(f"--{option}: found {text!r}, but a number is expected.") from None


def muscles_of(path: Path) -> tuple[str, ...]:
    """Names of the muscles in an activation file."""
    return tuple(muscle_name(label) for label in muscle_columns(read_storage(path).labels))


def trial_of(
    name: str | None,
    motion: Path | None,
    markers: Path | None,
    static: Path | None,
    grf: Path | None,
    loads: Path | None,
    start: float | None,
    end: float | None,
    mass: float | None,
) -> SimulatedTrial:
    """Return the trial of a command line; its name is that of its first file where none is given."""
    files = [path for path in (motion, markers, static) if path is not None]
    if not files:
        raise Nem2eError("Nothing to simulate: give --motion (.mot, .sto), --markers (.trc) or --static (.trc).")
    return SimulatedTrial(name or files[0].stem, motion, markers, static, grf, loads, start, end, mass)


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
    if row["notes"]:
        yield f"    note: {row['notes']}"
    if row["activation"]:
        yield f"    {row['activation']}"


def print_quality(folder: Path, as_json: bool) -> int:
    """Print the measures of every trial in a folder; return 1 if a verdict is poor, else 0."""
    folders = trial_folders(folder)
    tables = pd.concat([judge(each) for each in folders], ignore_index=True)
    verdicts = {each.name: summary(each)["verdict"] for each in folders}
    if as_json:
        typer.echo(
            json.dumps({"verdicts": verdicts, "measures": json.loads(tables.to_json(orient="records"))}, indent=2)
        )
    else:
        typer.echo(tables.drop(columns=["source", "counts"]).to_string(index=False, float_format="{:.3g}".format))
        typer.echo("\n".join(f"{name}: {told}" for name, told in verdicts.items()))
    return int("poor" in verdicts.values())


def comparison(first: Path, second: Path, start: float, end: float, out: Path | None) -> str:
    """Compare two activation files; write a table, or return it as text."""
    sides = [
        {muscle_name(label): wave for label, wave in waveforms(read_storage(path), start, end).items()}
        for path in (first, second)
    ]
    table = compare(*sides)
    if out is None:
        return table.to_string(index=False, float_format="{:.3f}".format)
    write_text(out, table.to_csv(index=False))
    means = table[["rmse", "correlation"]].mean()
    return f"{out}: {len(table)} muscles, mean RMSE {means['rmse']:.3f}, mean correlation {means['correlation']:.3f}."


# --- ``nem2e simulate``: OpenSim's steps from the command line ---

app = typer.Typer(
    no_args_is_help=True,
    help="Simulate with OpenSim: from markers or joint angles and ground reaction forces to muscle activation.",
)

_INPUT, _SETTING, _RUN = "Inputs", "Settings", "How to run"

Model = Annotated[Path | None, typer.Option("--model", "-m", help="OpenSim model, .osim.", rich_help_panel=_INPUT)]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder of results; one folder a trial in it.")]
Motion = Annotated[Path | None, typer.Option(help="Joint angles, .mot or .sto.", rich_help_panel=_INPUT)]
Markers = Annotated[Path | None, typer.Option(help="Marker trajectories, .trc.", rich_help_panel=_INPUT)]
Static = Annotated[Path | None, typer.Option(help="Markers of a static pose, .trc.", rich_help_panel=_INPUT)]
Grf = Annotated[Path | None, typer.Option(help="Ground reaction forces, .mot or .sto.", rich_help_panel=_INPUT)]
Loads = Annotated[Path | None, typer.Option(help="External loads of your own, .xml.", rich_help_panel=_INPUT)]
Start = Annotated[float | None, typer.Option(help="First time that results shall cover, s.", rich_help_panel=_INPUT)]
End = Annotated[float | None, typer.Option(help="Last time that results shall cover, s.", rich_help_panel=_INPUT)]
Mass = Annotated[float | None, typer.Option(help="Mass of the person, kg (scale).", rich_help_panel=_INPUT)]
Name = Annotated[str | None, typer.Option(help="Name of the trial; default: the file's.", rich_help_panel=_INPUT)]
Cutoff = Annotated[float, typer.Option(help="Low-pass of joint angles, Hz.", rich_help_panel=_SETTING)]
Strength = Annotated[float, typer.Option(help="Factor on maximum isometric force.", rich_help_panel=_SETTING)]
Velocity = Annotated[
    float | None, typer.Option("--max-velocity", help="Fastest contraction, 1/s.", rich_help_panel=_SETTING)
]
Reserve = Annotated[
    list[str] | None,
    typer.Option(help="N·m, or COORDINATES=N·m, e.g. 'lumbar_*=20'; may be given again.", rich_help_panel=_SETTING),
]
Weight = Annotated[
    list[str] | None, typer.Option(help="COORDINATE=WEIGHT of tracking; may be given again.", rich_help_panel=_SETTING)
]
Foot = Annotated[
    list[str] | None,
    typer.Option(help="PLATE=BODY, where names and places do not tell; may be given again.", rich_help_panel=_SETTING),
]
SetUp = Annotated[
    list[str] | None,
    typer.Option("--setup", help="STEP=FILE, a set-up of your own (.xml); again.", rich_help_panel=_SETTING),
]
MusclesOf = Annotated[
    Path | None,
    typer.Option(help="Activation file whose muscles the model must have.", rich_help_panel=_SETTING),
]
Lock = Annotated[
    list[str] | None,
    typer.Option(help="COORDINATES to lock at their default, e.g. 'mtp_*'; again.", rich_help_panel=_SETTING),
]
Geometry = Annotated[Path | None, typer.Option(help="Folder of the bones' meshes.", rich_help_panel=_SETTING)]
Limit = Annotated[float | None, typer.Option("--time-limit", help="Of one trial, s.", rich_help_panel=_RUN)]
Workers = Annotated[int | None, typer.Option(help="Trials at the same time.", rich_help_panel=_RUN)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.", rich_help_panel=_RUN)]
Steps = Annotated[str, typer.Option(help="Comma between: scale, ik, rra, cmc, so.", rich_help_panel=_RUN)]


@dataclass(frozen=True)
class Chosen:
    """Settings as typed on the command line."""

    cutoff: float
    strength: float
    max_velocity: float | None
    reserve: list[str] | None
    weight: list[str] | None
    foot: list[str] | None
    setup: list[str] | None
    lock: list[str] | None
    muscles_of: Path | None
    geometry: Path | None
    time_limit: float | None


@app.command("run")
def run_trials(
    out: Out,
    trials: Annotated[
        Path | None, typer.Argument(help="Table of trials (CSV): trial, motion, grf, start_s, end_s, …")
    ] = None,
    model: Model = None,
    steps: Steps = "rra,cmc",
    motion: Motion = None,
    markers: Markers = None,
    static: Static = None,
    grf: Grf = None,
    loads: Loads = None,
    start: Start = None,
    end: End = None,
    mass: Mass = None,
    name: Name = None,
    cutoff: Cutoff = 6.0,
    strength: Strength = 1.0,
    max_velocity: Velocity = None,
    reserve: Reserve = None,
    weight: Weight = None,
    foot: Foot = None,
    setup: SetUp = None,
    lock: Lock = None,
    muscles_of: MusclesOf = None,
    geometry: Geometry = None,
    time_limit: Limit = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Run several steps, on one trial or on every trial of a table; what is finished is skipped another time."""
    from nem2e_lib.simulate.batch import simulate

    chosen = Chosen(
        cutoff, strength, max_velocity, reserve, weight, foot, setup, lock, muscles_of, geometry, time_limit
    )
    known = trials or [trial_of(name, motion, markers, static, grf, loads, start, end, mass)]
    asked = steps.replace(" ", "").split(",")
    table = simulate(known, model, out, steps=asked, options=options_of(chosen), workers=workers)
    raise typer.Exit(show_table(table, as_json))


def _one_step(step: str, what: str) -> None:
    """Register a command that runs one step on one trial."""

    def command(
        out: Out,
        model: Model = None,
        motion: Motion = None,
        markers: Markers = None,
        static: Static = None,
        grf: Grf = None,
        loads: Loads = None,
        start: Start = None,
        end: End = None,
        mass: Mass = None,
        name: Name = None,
        cutoff: Cutoff = 6.0,
        strength: Strength = 1.0,
        max_velocity: Velocity = None,
        reserve: Reserve = None,
        weight: Weight = None,
        foot: Foot = None,
        setup: SetUp = None,
        lock: Lock = None,
        muscles_of: MusclesOf = None,
        geometry: Geometry = None,
        time_limit: Limit = None,
        as_json: Json = False,
    ) -> None:
        from nem2e_lib.simulate.batch import simulate

        chosen = Chosen(
            cutoff, strength, max_velocity, reserve, weight, foot, setup, lock, muscles_of, geometry, time_limit
        )
        trial = trial_of(name, motion, markers, static, grf, loads, start, end, mass)
        table = simulate([trial], model, out, steps=[step], options=options_of(chosen))
        raise typer.Exit(show_table(table, as_json))

    command.__doc__ = what
    app.command(step)(command)


_ALONE: dict[str, str] = {
    "scale": "Scale a model to a person, from markers of a static pose.",
    "ik": "Inverse kinematics: joint angles from markers.",
    "rra": "Residual reduction: make joint angles and trunk agree with the ground reaction forces.",
    "cmc": "Computed muscle control: excitations that make the muscles follow the motion.",
    "so": "Static optimisation, the fast alternative: joint torques shared among muscles moment by moment.",
}
for _step, _what in _ALONE.items():
    _one_step(_step, _what)


@app.command("quality")
def show_quality(
    folder: Annotated[Path, typer.Argument(help="Folder of results, or of one trial.")], as_json: Json = False
) -> None:
    """Judge simulations against published rules of thumb. Exits with 1 if one is poor."""

    raise typer.Exit(print_quality(folder, as_json))


@app.command("activation")
def extract_activation(
    states: Annotated[Path, typer.Argument(help="States that computed muscle control wrote, …_states.sto.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Activation file to write, .sto.")],
) -> None:
    """Extract muscle activation from a file of states, even one whose header OpenSim 4.6 damaged."""
    from nem2e_lib.simulate.states import activation_of_states, save_activation

    storage = activation_of_states(states)
    save_activation(out, storage)
    typer.echo(f"{out}: {len(storage.labels)} muscles, {storage.time[0]:.6g} to {storage.time[-1]:.6g} s.")


@app.command("repair")
def repair(
    states: Annotated[Path, typer.Argument(help="File of states, …_states.sto.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File to write; default: the same.")] = None,
) -> None:
    """Write a file of states anew whose header OpenSim 4.6 damaged when it ended."""
    from nem2e_lib.simulate.states import is_damaged, repair_states

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

    text = comparison(first, second, start, end, out)
    typer.echo(text)
