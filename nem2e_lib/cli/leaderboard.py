"""``nem2e leaderboard``: every method of a study under the same folds, methods of one's own among them."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nem2e_lib.cli.refiner import Json, listed, study_cycles
from nem2e_lib.data.files import added_to, write_text
from nem2e_lib.error import Nem2eError

if TYPE_CHECKING:  # what evaluates is loaded when it is needed: the command line starts fast
    import xarray as xr

    from nem2e_lib.analysis.board import Board
    from nem2e_lib.rivals import Rival
    from nem2e_lib.rivals.own import Own

QUICK, ALL, AUTO = "quick", "all", "auto"
ACTIVATION = "activation"
"""What methods are given where nothing else is asked for."""
FILES = ("leaderboard.csv", "errors.csv", "duels.csv", "leaderboard.svg")
"""What is written, all of it or none."""
EVALUATED = "evaluated"
"""Folder beside them in which what the methods of nem2e gave is kept for the next time."""


def leaderboard(
    study: Annotated[Path, typer.Argument(help="Study folder, or cycles.nc that `study segment` wrote.")],
    add: Annotated[
        list[str] | None,
        typer.Option(
            help="A method of your own, MODULE:NAME or FILE.py:NAME: an object or a class with fit and predict, or a "
            "scikit-learn estimator; LABEL= before it calls it otherwise. May be given again."
        ),
    ] = None,
    methods: Annotated[
        str,
        typer.Option(
            help="Methods of nem2e to rank: quick (those that take seconds), all (networks, kernel ridge and "
            "auto too: minutes), or names, comma between. The mean curve is always among them."
        ),
    ] = QUICK,
    results: Annotated[
        list[Path] | None,
        typer.Option(
            help="A trained condition of the same data, such as one_entire.nc of a run, to rank beside them: the "
            "paper's networks are not trained here. May be given again."
        ),
    ] = None,
    inputs: Annotated[
        str,
        typer.Option(
            help="What methods are given, + between: activation, speed, and of what the study has angle, moment, "
            "length, velocity, grf (docs/study.md). Those that see one muscle alone, or no simulation, stay as "
            "they are."
        ),
    ] = ACTIVATION,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for leaderboard.csv, errors.csv, duels.csv and .svg.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Rank methods under the same folds, one of your own among them: each refines whom it has not seen."""
    from nem2e_lib.analysis.board import board
    from nem2e_lib.rivals import evaluate, slow
    from nem2e_lib.rivals.inputs import parse_inputs, require_sets
    from nem2e_lib.rivals.inputs import told as joined

    if out is not None and out.exists() and not out.is_dir():
        raise Nem2eError(f"{out}: is a file, but a folder to write into is expected.")
    sets = parse_inputs(inputs)
    rivals, own = chosen(methods), added(add or [])
    cycles, _ = study_cycles(study)
    require_sets(cycles, sets)
    trained = [beside(path, cycles) for path in results or []]
    require_one_each([*(one.name for one in [*rivals, *own]), *(str(one.attrs["condition"]) for one in trained)])
    found = []
    for one in [*own, *rivals]:  # one's own first: what is wrong with it is told at once
        keep = None if out is None or one in own else out / EVALUATED / f"{one.name}.nc"
        if one in own or slow(one):
            typer.echo(f"{one.name} …", err=True)
        with redirect_stdout(sys.stderr):  # what somebody's code prints is no answer of this command
            found.append(evaluate(cycles, one, keep, inputs=joined(sets)))
        typer.echo(f"{one.name}: {found[-1].attrs['seconds']:.1f} s", err=True)
    ranked = board([*found, *trained])
    names = {one.name for one in own}
    written = [] if out is None else save(ranked, names, out)
    notes = [*told(found), *([f"methods were given {joined(sets)}."] if sets != (ACTIVATION,) else [])]
    if as_json:
        typer.echo(
            json.dumps({**facts(ranked, names), "notes": notes, "files": [str(path) for path in written]}, indent=2)
        )
        return
    for note in notes:
        typer.echo(f"note: {note}", err=True)
    typer.echo("\n".join([*text(ranked, names), *map(str, written)]))


def chosen(methods: str) -> list[Rival]:
    """Return the methods of nem2e that are asked for, the mean curve among them, simplest first."""
    from nem2e_lib.analysis.board import MEAN_CURVE
    from nem2e_lib.rivals import every, rival, slow
    from nem2e_lib.training.conditions import CONDITIONS

    if methods == QUICK:
        return [one for one in every() if not slow(one)]
    if methods == ALL:
        return [*every(), rival(AUTO)]
    names = listed(methods) or []
    trained = [name for name in names if name in CONDITIONS]
    if trained:
        raise Nem2eError(
            f"--methods {methods}: {trained[0]} is not trained here; train it by 03_train or make paper, and give its "
            f"file by --results {trained[0]}.nc."
        )
    wanted = {one.name: one for one in map(rival, [MEAN_CURVE, *names])}
    order = [one.name for one in every()]  # what weighs others is none of them, and comes last
    return sorted(wanted.values(), key=lambda one: order.index(one.name) if one.name in order else len(order))


def added(texts: Sequence[str]) -> list[Own]:
    """Return the methods of one's own, imported and made into rivals."""
    from nem2e_lib.rivals.load import load_method
    from nem2e_lib.rivals.own import as_rival

    found = []
    for text in texts:
        with redirect_stdout(sys.stderr):
            name, method = load_method(text)
            try:
                found.append(as_rival(method, name))
            except Nem2eError as mistake:
                raise Nem2eError(f"--add {text}: {mistake}") from mistake
    return found


def require_one_each(names: Sequence[str]) -> None:
    """Refuse two methods of one name."""
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise Nem2eError(
            f"two methods are called {twice[0]}; give it once, or call the one that is added otherwise: --add "
            "LABEL=MODULE:NAME."
        )


def beside(path: Path, cycles: xr.Dataset) -> xr.Dataset:
    """Return a trained condition that was saved, or an evaluated rival; refuse one of other data or other folds."""
    from nem2e_lib.data.cycles.segment import data_hash
    from nem2e_lib.rivals.evaluation import RIVALS_VERSION
    from nem2e_lib.training.folds import leave_one_out
    from nem2e_lib.training.results import load_results

    result, here = load_results(path), data_hash(cycles)
    kept = result.attrs.get("data_hash", "")
    if kept != here:
        raise Nem2eError(
            f"{path}: is of other data (hash {str(kept)[:12] or 'unknown'}) than this study (hash {here[:12]}), and "
            "methods are ranked on the same data alone; train it on these cycles."
        )
    if tuple(result.fold.values.tolist()) != leave_one_out(cycles).labels:
        raise Nem2eError(f"{path}: holds out {', '.join(map(str, result.fold.values))}, which other methods do not.")
    lacking = [str(name) for name in cycles.channel.values if name not in result.channel.values]
    if lacking:
        raise Nem2eError(f"{path}: has no EMG {lacking[0]}, which the study has; train it on every channel.")
    if result.attrs.get("code", RIVALS_VERSION) != RIVALS_VERSION:
        raise Nem2eError(f"{path}: was evaluated by another version of nem2e; name it in --methods to do it anew.")
    if result.attrs.get("circumstances"):
        raise Nem2eError(f"{path}: was told speed and duration, which this ranking tells to none; leave it out.")
    if result.attrs.get("inputs"):
        raise Nem2eError(f"{path}: was given {result.attrs['inputs']}; name its method in --methods, with --inputs.")
    return result


def told(found: Sequence[xr.Dataset]) -> list[str]:
    """Return what is to be said of how methods were fitted."""
    from nem2e_lib.rivals.evaluation import chosen
    from nem2e_lib.rivals.own import ONE_EACH

    return [
        f"{result.attrs['condition']} predicts one number at a time, so {fold[ONE_EACH]} of it are fitted in each "
        "fold: one a sample and channel."
        for result in found
        for fold in chosen(result)[:1]
        if ONE_EACH in fold
    ]


def save(ranked: Board, own: set[str], out: Path) -> list[Path]:
    """Write the tables and the figure into a folder, all of them or none; return their paths."""
    from nem2e_lib.figures.leaderboard import leaderboard as draw
    from nem2e_lib.figures.style import svg
    from nem2e_lib.site.saving import write_csv

    drawn = draw(ranked.table, ranked.units, synthetic=ranked.synthetic, own=own)
    tables = (ranked.table.assign(own=ranked.table["method"].isin(own)), ranked.errors, ranked.fights)
    with added_to(out, over=FILES) as folder:
        for name, table in zip(FILES, tables, strict=False):
            write_csv(folder / name, table)
        write_text(folder / FILES[-1], svg(drawn.figure, drawn.title, drawn.alt))
    return [out / name for name in FILES]


def facts(ranked: Board, own: set[str]) -> dict[str, Any]:
    """Return the leaderboard for programs."""
    rows = ranked.table.assign(own=ranked.table["method"].isin(own))
    head = rows.iloc[0]
    shared = {name: str(head[name]) for name in ("study", "unit")}
    rows = rows.drop(columns=["study", "unit", "synthetic"])
    methods = json.loads(rows.to_json(orient="records", double_precision=15))
    return {**shared, "synthetic": ranked.synthetic, "methods": methods}


def text(ranked: Board, own: set[str]) -> list[str]:
    """Return the leaderboard for people, a line a method, best first."""
    from nem2e_lib.analysis.board import MEAN_CURVE
    from nem2e_lib.analysis.statistics import ALPHA, FEWEST
    from nem2e_lib.figures.panels import plural
    from nem2e_lib.figures.style import label_of
    from nem2e_lib.site.tables import p_text
    from nem2e_lib.training.units import caveat, units_said

    first = ranked.table.iloc[0]
    name = f"{'SYNTHETIC study' if ranked.synthetic else 'Study'} {first['study']}"
    held = units_said(int(first["n_units"]), str(first["unit"]), "held-out")
    head = ["rank", "method", "", "Er", "Er minus that of the mean curve", "p", "is it lower?", "seconds"]
    cells = [head]
    for row in ranked.table.to_dict("records"):
        compared = row["method"] != MEAN_CURVE
        cells.append(
            [
                _interval(row["rank"], row["rank_low"], row["rank_high"], "{:.0f}"),
                row["method"],
                "added" if row["method"] in own else label_of(row["method"]),
                _interval(row["er_mean"], row["ci_low"], row["ci_high"]),
                _interval(row["difference"], row["difference_low"], row["difference_high"]) if compared else "–",
                p_text(row["difference_p_holm"]).replace("\N{NO-BREAK SPACE}", " ") if compared else "–",
                str(row["answer"]) if compared else "–",
                f"{row['seconds']:.1f}",
            ]
        )
    wide = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(cell.ljust(size) for cell, size in zip(row, wide, strict=True)).rstrip() for row in cells]
    others = len(ranked.table) - 1
    notes = [
        f"Er: RMSE / RMSE of OpenSim - 1, below 0 where a method is better; mean over electrodes and {held}, with its "
        "95 % interval. Rank: 95 % interval by bootstrap over held-out units.",
        "p: of the paired difference, corrected for training data that folds share, as its interval is, and, by Holm, "
        f"for {plural(others, 'comparison')}. Shown: below 0 at p < {ALPHA:g}, over at least {FEWEST} held-out units."
        if others
        else "",
        f"{held.capitalize()} are too few to show anything." if others and first["n_units"] < FEWEST else "",
        caveat([first["unit"]]),
    ]
    return [f"{name}: {plural(len(ranked.table), 'method')}, {held}", *lines, *filter(None, notes)]


def _interval(value: Any, low: Any, high: Any, form: str = "{:+.3f}") -> str:
    import pandas as pd

    known = [each for each in (value, low, high) if not pd.isna(each)]
    shown = [form.format(float(each)).replace("-", "−") for each in known]
    return f"{shown[0]} [{shown[1]}, {shown[2]}]" if len(shown) == 3 else " ".join(shown) or "–"
