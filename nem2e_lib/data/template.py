"""A new study folder, filled in with what the files themselves tell."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from nem2e_lib.data.storage import write_storage
from nem2e_lib.data.template_find import Found, Search, apart, best, match, search
from nem2e_lib.data.template_settings import settings
from nem2e_lib.data.template_words import speed, subject
from nem2e_lib.errors import Nem2eError


@dataclass(frozen=True)
class Template:
    """What `new_study` wrote: rows of ``trials.csv``, what it could not use, and what is to be filled in."""

    folder: Path
    trials: pd.DataFrame
    told: tuple[str, ...]
    to_do: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Trial:
    """An activation file, and the files that go with it: EMG and ground reaction force, where there are."""

    activation: Found
    others: dict[str, Found]


def new_study(
    folder: str | Path,
    activation: str | Path | None = None,
    emg: str | Path | None = None,
    grf: str | Path | None = None,
) -> Template:
    """Write ``study.toml`` and ``trials.csv`` for the files found; what they do not tell is left empty.

    Files outside the folder are copied into it, under ``activation/``, ``emg/`` and ``grf/``; without any folder
    to take them from, those that lie in the study folder stay where they are. One folder may be named for several
    kinds: then names and columns of the files decide. Files of one trial are matched by the words of their paths.
    A channel whose name fits exactly one muscle becomes a line of ``[emg]``; any other is left as a comment with
    its candidates. The study appears whole or not at all.

    Parameters
    ----------
    folder : str or Path
        May exist, without ``study.toml`` and ``trials.csv``.
    activation, emg, grf : str or Path, optional
        Folders to look through.

    Raises
    ------
    Nem2eError
        If the folder is a study already, a folder is missing, or no activation is found.
    """
    target = Path(folder)
    for name in ("study.toml", "trials.csv"):
        if (target / name).exists():
            raise Nem2eError(f"{target / name}: exists already; take it away or name a new folder.")
    found = _search(target, {"activation": activation, "emg": emg, "grf": grf})
    trials, told = _trials(found)
    rows = [_row(trial) for trial in trials]
    text, to_do = settings(target, [trial.activation for trial in trials], _used(trials, "emg"), _used(trials, "grf"))
    table = pd.DataFrame(rows)
    _bring(target, found, trials, {"trials.csv": table.to_csv(index=False, lineterminator="\n"), "study.toml": text})
    return Template(target, table, (*found.left, *told), (*_to_do(rows), *to_do))


def _to_do(rows: list[dict[str, str]]) -> list[str]:
    """What the names of the files did not tell, one sentence each."""
    asked = {
        "subject": "say who moved",
        "speed": "give a label such as free or fast",
        "emg": "name the EMG file",
        "grf": "name the file of ground reaction force, or list cycles in cycles.csv",
    }
    empty = {name: [row["trial"] for row in rows if not row[name]] for name in asked}
    return [
        f"trials.csv: {name} is empty for {len(trials)} of {len(rows)} trials "
        f"({trials[0]}{', …' * (len(trials) > 1)}); {asked[name]}."
        for name, trials in empty.items()
        if trials
    ]


def _search(target: Path, folders: dict[str, str | Path | None]) -> Search:
    named = {kind: Path(folder) for kind, folder in folders.items() if folder is not None}
    if not named and not target.is_dir():
        raise Nem2eError(f"{target}: no such folder; make it, or name --activation, --emg and --grf.")
    found = search(named or {"": target})
    if not found.of("activation"):
        looked = named.get("activation", target)
        raise Nem2eError(
            f"{looked}: no .sto or .mot file with activations of muscles under known names found below it"
            + (f"; {found.left[0]}" if found.left else ".")
        )
    return found


def _trials(found: Search) -> tuple[list[_Trial], list[str]]:
    trials, told = [], list[str]()
    chosen = list(best(found.of("activation")))
    others = {kind: found.of(kind) for kind in ("emg", "grf")}
    aside = {kind: apart([file for file, _ in chosen], files) for kind, files in others.items()}
    for file, over in chosen:
        told += [f"{other.path}: left out, {file.path.name} of the same trial is used." for other in over]
        if "control" in file.path.stem.lower():
            told.append(f"{file.path}: holds controls by its name, which are excitations and not yet activations.")
        pair = {kind: match(file, others[kind], len(chosen) == 1, frozenset().union(*aside[kind])) for kind in others}
        trials.append(_Trial(file, {kind: other for kind, other in pair.items() if other}))
        told += [f"{file.path}: no one {k} file goes with it by name." for k in others if others[k] and not pair[k]]
    for kind, files in others.items():
        used = Counter(trial.others[kind] for trial in trials if kind in trial.others)
        told += _set_aside(kind, *aside[kind]) if used else []
        told += [f"{file.path}: {kind} of {times} trials by its name." for file, times in used.items() if times > 1]
        told += [f"{file.path}: {kind} without an activation of that name." for file in files if file not in used]
    return trials, told


def _set_aside(kind: str, mine: frozenset[str], theirs: frozenset[str]) -> Iterator[str]:
    if mine and theirs:
        yield (
            f"The paths of all activation files say {', '.join(sorted(mine))}, those of all {kind} files "
            f"{', '.join(sorted(theirs))}; they were matched by their other words."
        )


def _used(trials: Sequence[_Trial], kind: str) -> list[Found]:
    return list(dict.fromkeys(trial.others[kind] for trial in trials if kind in trial.others))


def _row(trial: _Trial) -> dict[str, str]:
    file = trial.activation
    label, metres = speed(file.words)
    places = {kind: other.inside.as_posix() for kind, other in trial.others.items()}
    return {
        "trial": "_".join(file.words) or file.path.stem,
        "subject": subject(file.words),
        "speed": label,
        "speed_m_s": metres,
        "activation": file.inside.as_posix(),
        "emg": places.get("emg", ""),
        "grf": places.get("grf", ""),
    }


def _bring(target: Path, found: Search, trials: Sequence[_Trial], texts: dict[str, str]) -> None:
    """Copy the files and write the texts, all or none; activations that no trial uses stay behind."""
    used = {trial.activation for trial in trials}
    files = [file for file in found.files if file.kind != "activation" or file in used]
    partial = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{target.name[:80]}.", dir=target.parent))
        for file in files:
            to = target / file.inside
            exported = file.inside.suffix != file.path.suffix
            if to.exists() and (exported or not to.samefile(file.path)):
                raise Nem2eError(f"{to}: is there already and not the file found; name a new study folder.")
            if not to.exists():
                (partial / file.inside).parent.mkdir(parents=True, exist_ok=True)
                _copy(file, partial / file.inside, exported)
        for name, text in texts.items():
            (partial / name).write_text(text, encoding="utf-8")
        _move(partial, target)
    except OSError as error:
        raise Nem2eError(
            f"{target}: cannot be written ({error.strerror}); make room, or name another folder."
        ) from None
    finally:
        if partial is not None:
            shutil.rmtree(partial, ignore_errors=True)


def _copy(file: Found, to: Path, exported: bool) -> None:
    if exported:
        write_storage(to, file.storage)
    else:
        shutil.copyfile(file.path, to)


def _move(partial: Path, target: Path) -> None:
    if not target.exists():
        partial.chmod(0o755)
        partial.rename(target)
        return
    for path in sorted(partial.rglob("*")):
        to = target / path.relative_to(partial)
        if path.is_dir():
            to.mkdir(exist_ok=True)
        else:
            path.replace(to)
