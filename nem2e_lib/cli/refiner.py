"""``nem2e train`` and ``nem2e refine``, and how a refiner and a refined recording are shown."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from nem2e_lib.data.files import require_writable
from nem2e_lib.error import Nem2eError

if TYPE_CHECKING:  # what refines is loaded when it is needed: the command line starts fast
    import xarray as xr

    from nem2e_lib.data.study.settings import Settings
    from nem2e_lib.refiner import Refiner
    from nem2e_lib.refiner.manifest import Output
    from nem2e_lib.refiner.refined import Refined

LONG = 3600.0
"""Seconds of training above which it is asked for twice."""
MODELS = ".models"
"""Ending of the folder in which finished models wait for the others, beside the refiner to come."""

DEFAULT_METHOD = "auto"
_METHODS = "auto weighs several; one of the leaderboard, e.g. ridge; STDR-Net: all_entire, one_entire, one_quarter."

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Kept = Annotated[Path, typer.Argument(help="Refiner that `nem2e train` wrote.")]
RefinedFile = Annotated[
    Path, typer.Option("--out", "-o", help="File to write, .sto; its band and cycles go beside it.")
]
Spans = Annotated[Path | None, typer.Option(help="Table of gait cycles (CSV): cycle, start_s, end_s.")]
Between = Annotated[str | None, typer.Option("--cycle", help="What the cycles run between, e.g. right-right.")]
ForceColumns = Annotated[str | None, typer.Option("--grf-columns", help="RIGHT,LEFT: columns of vertical force.")]
Threshold = Annotated[float | None, typer.Option("--threshold", help="Force of a foot on the ground, N.")]
Some = Annotated[str | None, typer.Option("--muscles", help="EMG names, comma between; default: all it refines.")]
Names = Annotated[
    str | None,
    typer.Option(help="Family of models whose muscle names the recording has, e.g. rajagopal, if not the refiner's."),
]
Speed = Annotated[float | None, typer.Option(help="Of locomotion, m/s, for a refiner that reads it.")]
InputFile = Annotated[str | None, typer.Option(help="For a refiner that reads them beside activation; as --grf.")]
Rest = Annotated[str, typer.Option(help="Outside refined cycles: simulated (all columns as they were), or nan.")]


def refine(
    refiner: Kept,
    activations: Annotated[
        list[Path], typer.Argument(help="Simulated activation, or states with activations, .sto; one or many.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", help="File to write, .sto (its band and cycles go beside it), or a folder for many."
        ),
    ],
    grf: Annotated[
        str | None, typer.Option(help="Ground reaction forces, .mot or .sto; of many: '…/{trial}_grf.mot'.")
    ] = None,
    cycles: Annotated[
        str | None,
        typer.Option(
            help="Table of gait cycles (CSV): cycle, start_s, end_s; of many: with a column trial, or '…/{trial}.csv'."
        ),
    ] = None,
    definition: Between = None,
    columns: ForceColumns = None,
    threshold: Threshold = None,
    muscles: Some = None,
    names: Names = None,
    speed: Speed = None,
    angles: InputFile = None,
    moments: InputFile = None,
    lengths: InputFile = None,
    velocities: InputFile = None,
    forces: InputFile = None,
    mass: Annotated[float | None, typer.Option(help="Body mass, kg, for a refiner that reads moments by it.")] = None,
    rest: Rest = "simulated",
    as_json: Json = False,
) -> None:
    """Refine simulated activation that has no EMG with a refiner that was kept; many recordings into a folder."""
    from nem2e_lib.refiner.refined import require_savable

    feet = pair(columns)
    options: dict[str, Any] = {
        "definition": definition,
        "columns": feet,
        "threshold_n": threshold,
        "names": names,
        "speed_m_s": speed,
        "mass_kg": mass,
    }
    given = {"angle": angles, "moment": moments, "length": lengths, "velocity": velocities, "grf": forces}
    beside = {which: file for which, file in given.items() if file is not None}
    if len(activations) > 1 or out.is_dir() or not out.suffix:
        _refine_many(refiner, activations, out, grf, cycles, beside, muscles, rest, options, as_json)
        return
    activation = activations[0]
    require_savable(out, rest, (refiner, activation, grf, cycles, *beside.values()))
    refined = load(refiner, muscles).refine(activation, grf=grf, cycles=cycles, beside=beside, **options)
    show(refined, refined.save(out, rest), as_json)


def _refine_many(
    refiner: Path,
    activations: list[Path],
    out: Path,
    grf: str | None,
    cycles: str | None,
    beside: dict[str, str],
    muscles: str | None,
    rest: str,
    options: dict[str, Any],
    as_json: bool,
) -> None:
    """Refine each, tell each as it is done, and leave a table of all; ends with an error where one failed."""
    from nem2e_lib.refiner import many
    from nem2e_lib.refiner.refined import require_rest

    require_rest(rest)
    if out.suffix:
        raise Nem2eError(f"{out}: there are {len(activations)} recordings, so --out must be a folder; name one.")
    jobs, loaded, done = many.plan(activations, out, grf, cycles, beside), load(refiner, muscles), []
    out.mkdir(parents=True, exist_ok=True)
    for outcome in many.refine_many(loaded, jobs, rest, **options):
        done.append(outcome)
        told = f"failed: {outcome.error}" if outcome.error else f"{outcome.refined} of {outcome.cycles} cycles"
        typer.echo(f"{outcome.job.trial}\t{told}", err=as_json)
    path, failed = many.save_summary(done, out), [outcome for outcome in done if outcome.error]
    for note in many.told_once(done):
        typer.echo(f"note: {note}", err=True)
    if as_json:
        typer.echo(json.dumps({"trials": [outcome.row() for outcome in done], "summary": str(path)}, indent=2))
    else:
        typer.echo(f"{path}: {len(done) - len(failed)} of {len(done)} recordings refined.")
    if failed:
        more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        raise Nem2eError(f"{failed[0].job.activation}{more}: not refined, the others are; see {path}.")


def train(
    study: Annotated[Path, typer.Argument(help="Study folder, or cycles.nc that `study segment` wrote.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Refiner to write, one file.")],
    method: Annotated[str, typer.Option("--method", "--condition", help=_METHODS)] = DEFAULT_METHOD,
    inputs: Annotated[
        str, typer.Option(help="What it reads, e.g. activation+moment+speed; files of these are named in trials.csv.")
    ] = "activation",
    profile: Annotated[
        str | None, typer.Option(help="Of STDR-Net: demo (default), paper (700 units, 700 epochs), or smoke (a test).")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(help="Of STDR-Net: models a muscle, 3 by default; their spread is part of the band.")
    ] = None,
    muscles: Annotated[str | None, typer.Option(help="EMG names, comma between; default: all.")] = None,
    held_out: Annotated[
        bool, typer.Option("--held-out/--no-held-out", help="Find the error by leaving one out.")
    ] = True,
    models: Annotated[
        Path | None, typer.Option(help="Folder of finished models, to keep; a run's own is found.")
    ] = None,
    half: Annotated[
        bool, typer.Option("--half", help="Of STDR-Net: half the size, weights rounded to three digits.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Train even if it takes hours.")] = False,
    as_json: Json = False,
) -> None:
    """Train a refiner on every subject of a study, with its error on those left out. STDR-Net says the cost first."""
    from nem2e_lib.training.conditions import CONDITIONS

    require_writable(out)
    cycles, settings = study_cycles(study)
    if method in CONDITIONS:
        _require_activation(method, inputs)
        chosen = _Networks(method, profile or "demo", 3 if seeds is None else seeds, models, half, yes)
        refiner = _networks(study, cycles, settings, out, chosen, listed(muscles), held_out)
    else:
        given = {"--profile": profile, "--seeds": seeds, "--models": models, "--half": half or None}
        _require_networks(method, [name for name, value in given.items() if value is not None])
        refiner = _method(cycles, settings, method, inputs, listed(muscles), held_out)
    refiner.save(out, "float16" if half else "float32")
    if method in CONDITIONS and models is None:
        shutil.rmtree(_store(out), ignore_errors=True)
    typer.echo(refiner.manifest.to_json() if as_json else f"{out}: {refiner}")


class _Networks(NamedTuple):
    """What is chosen of STDR-Net."""

    condition: str
    profile: str
    seeds: int
    models: Path | None
    half: bool
    yes: bool


def _store(out: Path) -> Path:
    return out.with_name(out.name + MODELS)


def _require_networks(method: str, given: list[str]) -> None:
    if given:
        raise Nem2eError(
            f"{given[0]} is an option of STDR-Net, but --method is {method}; leave it out, or choose one_quarter, "
            "one_entire or all_entire."
        )


def _known(method: str) -> str:
    """Return a method of the leaderboard's name; Nem2eError where there is none, with all that may be asked for."""
    from nem2e_lib.rivals import ALIASES, every
    from nem2e_lib.training.conditions import CONDITIONS

    names = [DEFAULT_METHOD, *reversed(CONDITIONS), *(one.name for one in every())]
    if method not in (*names, *ALIASES):
        raise Nem2eError(f"--method {method} is unknown, expected {', '.join(names)}; choose of these.")
    return method


def _require_activation(method: str, inputs: str) -> None:
    if inputs != "activation":
        raise Nem2eError(
            f"--inputs {inputs}: {method} of STDR-Net reads activation alone; leave it out, or choose another --method."
        )


def _method(
    cycles: xr.Dataset, settings: Settings, method: str, inputs: str, names: list[str] | None, held_out: bool
) -> Refiner:
    from nem2e_lib.refiner import fitting
    from nem2e_lib.rivals import rival
    from nem2e_lib.training.folds import leave_one_out

    one = rival(_known(method))
    often = f", and once without each of {len(leave_one_out(cycles).labels)} for its error" if held_out else ""
    typer.echo(f"{one.name}: fitted to {cycles.sizes['cycle']} cycles{often}; seconds to minutes.", err=True)
    return fitting.fit(cycles, one, inputs=inputs, muscles=names, leave_out=held_out, settings=settings)


def _networks(
    study: Path,
    cycles: xr.Dataset,
    settings: Settings,
    out: Path,
    chosen: _Networks,
    names: list[str] | None,
    held_out: bool,
) -> Refiner:
    from nem2e_lib.refiner import training
    from nem2e_lib.training import config
    from nem2e_lib.training.forecast import duration

    condition, profile, seeds, models, _, yes = chosen
    if seeds < 1:
        raise Nem2eError(f"--seeds is {seeds}, but at least 1 is expected.")
    configuration, store = config.profile(profile), models or _store(out)
    cost = training.plan(cycles, condition, configuration, seeds=seeds, muscles=names, leave_out=held_out, store=store)
    typer.echo(str(cost), err=True)
    if cost.seconds > LONG and not yes:
        raise Nem2eError(
            f"{study}: training takes about {duration(cost.seconds)}; start again with --yes if that is meant, or "
            "choose --profile demo, fewer --muscles or --seeds."
        )
    return training.train(
        cycles,
        condition,
        configuration,
        seeds=seeds,
        muscles=names,
        leave_out=held_out,
        store=store,
        settings=settings,
        profile=profile,
    )


def study_cycles(study: Path) -> tuple[xr.Dataset, Settings]:
    """Cycles of a study folder, with its settings, or of a file that ``nem2e study segment`` wrote."""
    from nem2e_lib.data.cycles.segment import load_cycles, segment, skipped
    from nem2e_lib.data.study.load import load_study
    from nem2e_lib.data.study.settings import Settings

    if study.is_file():
        return load_cycles(study), Settings()
    opened = load_study(study)
    cycles, report = segment(opened)
    for line in skipped(report):
        typer.echo(line, err=True)
    return cycles, opened.settings


def load(refiner: Path, muscles: str | None = None) -> Refiner:
    """A refiner, of some muscles if any are named."""
    from nem2e_lib.refiner import Refiner
    from nem2e_lib.training.conditions import CONDITIONS

    names, loaded = listed(muscles), Refiner.load(refiner)
    if loaded.manifest.training.method in CONDITIONS:
        from nem2e_lib.training.devices import keep_compiled

        keep_compiled()
    return loaded if names is None else loaded.only(names)


def listed(names: str | None) -> list[str] | None:
    """Names between commas; None where nothing is given."""
    return None if names is None else [name for name in names.replace(" ", "").split(",") if name]


def pair(columns: str | None) -> tuple[str, str] | None:
    """RIGHT,LEFT as two names; None where nothing is given."""
    if columns is None:
        return None
    names = [name.strip() for name in columns.split(",")]
    if len(names) != 2 or not all(names):
        raise Nem2eError(f"--grf-columns {columns}: RIGHT,LEFT is expected, the names of two columns.")
    return names[0], names[1]


def show(refined: Refined, files: Sequence[Path], as_json: bool) -> None:
    """Print what was refined, what was left, and which files were written."""
    if as_json:
        typer.echo(json.dumps({**refined.facts(), "files": [str(path) for path in files]}, indent=2))
        return
    for note in refined.notes:
        typer.echo(f"note: {note}", err=True)
    muscles = len(refined.manifest.outputs)
    typer.echo(f"{files[0]}: {muscles} muscles refined in {len(refined.refined)} of {len(refined.spans)} cycles.")
    if refined.far is not None and refined.manifest.reach is not None:
        from nem2e_lib.refiner.outside import said

        typer.echo(f"{said(refined.manifest.reach, refined.far)}.")
    typer.echo("\n".join(str(path) for path in files[1:]))


def show_refiner(path: Path, as_json: bool) -> None:
    """Print what a refiner says of itself, and each muscle with its error on those left out, columns between tabs.

    The last column is what its band covers of those left out.
    """
    from nem2e_lib.refiner import Refiner
    from nem2e_lib.refiner.manifest import percent

    manifest = Refiner.load(path).manifest
    level = manifest.band_level
    said = "± held-out error" if level is None else f"{percent(level)} band"
    head = ["muscle", "of", "RMSE OpenSim", "RMSE refined", "Er", f"{said} covers"]
    rows = [head, *map(_row, manifest.outputs)]
    made = ["made of", *(manifest.made_of(out.name) for out in manifest.outputs)]
    if any(made[1:]):
        rows = [[*row, cell] for row, cell in zip(rows, made, strict=True)]
    lines = ["\t".join(row) for row in rows]
    typer.echo(manifest.to_json() if as_json else "\n".join([str(manifest), *lines]))


def _row(out: Output) -> list[str]:
    told = out.held_out
    if told is None:
        return [out.name, out.muscle, "–", "–", "–", "–"]
    rate = "–" if told.er is None else f"{told.er:+.2f}"
    share = "–" if told.covered is None else f"{100 * told.covered:.0f} %"
    return [out.name, out.muscle, f"{told.rmse_opensim:.3f}", f"{told.rmse_refined:.3f}", rate, share]
