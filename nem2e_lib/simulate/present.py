"""What ``nem2e simulate`` understands and prints."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import typer

from nem2e_lib.data.columns import muscle_columns, muscle_name
from nem2e_lib.data.storage import read_storage
from nem2e_lib.errors import Nem2eError
from nem2e_lib.simulate.compare import compare, waveforms
from nem2e_lib.simulate.options import Options
from nem2e_lib.simulate.quality import judge, summary, trial_folders
from nem2e_lib.simulate.runner import save_text
from nem2e_lib.simulate.trial import SimulatedTrial

if TYPE_CHECKING:
    from nem2e_lib.simulate.command import Chosen


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


def show_quality(folder: Path, as_json: bool) -> int:
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
    save_text(out, table.to_csv(index=False))
    means = table[["rmse", "correlation"]].mean()
    return f"{out}: {len(table)} muscles, mean RMSE {means['rmse']:.3f}, mean correlation {means['correlation']:.3f}."
