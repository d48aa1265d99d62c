"""``nem2e simulate``: OpenSim's steps from the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

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
    from nem2e_lib.simulate.present import options_of, show_table, trial_of

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
        from nem2e_lib.simulate.present import options_of, show_table, trial_of

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
    from nem2e_lib.simulate.present import show_quality

    raise typer.Exit(show_quality(folder, as_json))


@app.command("activation")
def extract_activation(
    states: Annotated[Path, typer.Argument(help="States that computed muscle control wrote, …_states.sto.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Activation file to write, .sto.")],
) -> None:
    """Extract muscle activation from a file of states, even one whose header OpenSim 4.6 damaged."""
    from nem2e_lib.simulate.activation import activation_of_states, save_activation

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
    from nem2e_lib.simulate.present import comparison

    text = comparison(first, second, start, end, out)
    typer.echo(text)
