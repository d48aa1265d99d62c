"""The command ``nem2e``: a thin layer over the library, one command a task, loaded when it is named."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from nem2e_lib.terminal import program, show_what_can_be_shown


class Command(NamedTuple):
    """A command, or a group of them.

    Attributes
    ----------
    home : str
        ``module:name`` of its function, or of its `typer.Typer`, in this folder.
    told : str
        What the list of commands says of it: its docstring, so that the list is shown without loading it.
    """

    home: str
    told: str

    def load(self, name: str) -> Any:
        """Return it as Typer runs it, under a name."""
        module, _, there = self.home.partition(":")
        found = getattr(import_module(f"nem2e_lib.cli.{module}"), there)
        if not isinstance(found, typer.Typer):
            alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            alone.command(name)(found)
            return typer.main.get_command(alone)
        group = typer.main.get_command(found)
        group.name = name
        return group


COMMANDS = {
    "inspect": Command(
        "files:inspect",
        "Show what is in a file or a study folder: sizes, times, rates, names, units, and anything odd.",
    ),
    "c3d": Command(
        "files:c3d_tables",
        "Write what C3D files hold as OpenSim's tables: markers (.trc), forces (.mot), EMG and other channels (.sto).",
    ),
    "fetch": Command("files:fetch", "Fetch open recordings of real people from public repositories, without a login."),
    "synthesize": Command(
        "synthesize:synthesize",
        "Write a SYNTHETIC study folder: simulated activation, EMG and ground reaction force of nobody.",
    ),
    "train": Command(
        "refiner:train",
        "Train a refiner on every subject of a study, with its error on those left out. STDR-Net says the cost first.",
    ),
    "refine": Command(
        "refiner:refine",
        "Refine simulated activation that has no EMG with a refiner that was kept; many recordings into a folder.",
    ),
    "adapt": Command(
        "adapt:adapt",
        "Adapt a refiner to one person by one to ten own cycles with EMG: gain, delay and shape, shrunk towards it.",
    ),
    "leaderboard": Command(
        "leaderboard:leaderboard",
        "Rank methods under the same folds, one of your own among them: each refines whom it has not seen.",
    ),
    "run": Command(
        "motion:run_motion",
        "From a motion to refined activity: simulate whole gait cycles with OpenSim, then refine them. Says the cost.",
    ),
    "study": Command("study:app", "Begin a study folder, check it, and cut it into gait cycles."),
    "simulate": Command(
        "simulate:app",
        "Simulate with OpenSim: from markers or joint angles and ground reaction forces to muscle activation.",
    ),
}
"""Every command in the order of the list; a further one is a row here."""


class _Commands(TyperGroup):
    """Knows its commands by name, loads the one that is named, and tells a mistake, or a stop, in one sentence."""

    def __init__(self, **options: Any):
        listed: dict[str, Any] = {name: TyperCommand(name, help=one.told) for name, one in COMMANDS.items()}
        super().__init__(**{**options, "commands": listed})

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, listed, rest = super().resolve_command(ctx, args)
        return name, listed if name is None else COMMANDS[name].load(name), rest

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


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

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
