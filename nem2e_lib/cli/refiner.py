"""What ``nem2e train``, ``nem2e refine`` and ``nem2e inspect`` of a refiner do and print."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import typer
import xarray as xr

from nem2e_lib.data.cycles.segment import load_cycles, segment
from nem2e_lib.data.study.load import load_study
from nem2e_lib.data.study.settings import Settings
from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner.manifest import describe, muscle_lines
from nem2e_lib.refiner.refined import Refined, require_writable
from nem2e_lib.refiner.refiner import Refiner
from nem2e_lib.training.config import profile as profile_named
from nem2e_lib.training.forecast import duration

LONG = 3600.0
"""Seconds of training above which it is asked for twice."""
MODELS = ".models"
"""Ending of the folder in which finished models wait for the others, beside the refiner to come."""


def train_study(
    study: Path,
    condition: str,
    out: Path,
    *,
    profile: str,
    seeds: int,
    muscles: str | None,
    leave_out: bool,
    models: Path | None,
    half: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Train a refiner on a study and save it; the options are those of ``nem2e train``.

    Raises
    ------
    Nem2eError
        If the study is unsound, the refiner could not be written, or hours of training were not agreed to.
    """
    from nem2e_lib.refiner.training import plan, train

    _require_writable(out)
    if seeds < 1:
        raise Nem2eError(f"--seeds is {seeds}, but at least 1 is expected.")
    cycles, settings = study_cycles(study)
    configuration, names = profile_named(profile), listed(muscles)
    store = models or out.with_name(out.name + MODELS)
    cost = plan(cycles, condition, configuration, seeds=seeds, muscles=names, leave_out=leave_out, store=store)
    typer.echo(str(cost), err=True)
    if cost.seconds > LONG and not yes:
        raise Nem2eError(
            f"{study}: training takes about {duration(cost.seconds)}; start again with --yes if that is meant, or "
            "choose --profile demo, fewer --muscles or --seeds."
        )
    refiner = train(
        cycles,
        condition,
        configuration,
        seeds=seeds,
        muscles=names,
        leave_out=leave_out,
        store=store,
        settings=settings,
        profile=profile,
    )
    refiner.save(out, "float16" if half else "float32")
    if models is None:
        shutil.rmtree(store, ignore_errors=True)
    typer.echo(refiner.manifest.to_json() if as_json else f"{out}: {describe(refiner.manifest)}")


def study_cycles(study: Path) -> tuple[xr.Dataset, Settings]:
    """Cycles of a study folder, with its settings, or of a file that ``nem2e study segment`` wrote."""
    if study.is_file():
        return load_cycles(study), Settings()
    opened = load_study(study)
    cycles, report = segment(opened)
    for row in report[~report["kept"]].itertuples():
        typer.echo(f"skipped: trial {row.trial}, cycle {row.number}: {row.reason}", err=True)
    return cycles, opened.settings


def listed(names: str | None) -> list[str] | None:
    """Names between commas; None where nothing is given."""
    return None if names is None else [name for name in names.replace(" ", "").split(",") if name]


def refine_recording(
    refiner: Path,
    activation: Path,
    out: Path,
    *,
    grf: Path | None,
    cycles: Path | None,
    definition: str | None,
    columns: str | None,
    threshold_n: float | None,
    muscles: str | None,
    rest: str,
    as_json: bool,
) -> None:
    """Refine an activation file and save what came out; the options are those of ``nem2e refine``."""
    require_writable(out, rest, (refiner, activation, grf, cycles))
    refined = load(refiner, muscles).refine(
        activation, grf=grf, cycles=cycles, definition=definition, columns=pair(columns), threshold_n=threshold_n
    )
    show(refined, refined.save(out, rest), as_json)


def load(refiner: Path, muscles: str | None = None) -> Refiner:
    """A refiner, of some muscles if any are named."""
    loaded, names = Refiner.load(refiner), listed(muscles)
    return loaded if names is None else loaded.only(names)


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
    typer.echo("\n".join(str(path) for path in files[1:]))


def show_refiner(path: Path, as_json: bool) -> None:
    """Print what a refiner says of itself."""
    manifest = Refiner.load(path).manifest
    typer.echo(manifest.to_json() if as_json else f"{describe(manifest)}\n{muscle_lines(manifest)}")


def _require_writable(out: Path) -> None:
    """Told before hours of work, not after."""
    if out.is_dir():
        raise Nem2eError(f"{out}: is a folder, but the name of a file to write is expected.")
    if not out.absolute().parent.is_dir():
        raise Nem2eError(f"{out}: there is no folder {out.parent}; make it first.")
