"""A new study folder, filled in with what the files themselves tell."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from nem2e_lib.data.columns import muscle_columns, muscle_name, vertical_columns
from nem2e_lib.data.emg import RECIPES
from nem2e_lib.data.files import replacing
from nem2e_lib.data.signals import check_envelope
from nem2e_lib.data.storage import Storage
from nem2e_lib.data.template_find import Found, Search, best, match, search, speed, subject, vertical_candidates
from nem2e_lib.data.template_names import candidates
from nem2e_lib.errors import Nem2eError

BARE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Template:
    """What `new_study` wrote: rows of ``trials.csv``, what it could not use, and what is to be filled in."""

    folder: Path
    trials: pd.DataFrame
    told: tuple[str, ...]
    to_do: tuple[str, ...]


def new_study(
    folder: str | Path,
    activation: str | Path | None = None,
    emg: str | Path | None = None,
    grf: str | Path | None = None,
) -> Template:
    """Write ``study.toml`` and ``trials.csv`` for the files found; what they do not tell is left empty.

    Files outside the folder are copied into it, under ``activation/``, ``emg/`` and ``grf/``; without any folder
    to take them from, those that lie in the study folder stay where they are. Files of one trial are matched
    by the words of their paths. A channel whose name fits exactly one muscle becomes a line of ``[emg]``; any
    other is left as a comment with its candidates.

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
    rows, more = _rows(found)
    _bring(target, found)
    _write(target / "trials.csv", pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))
    settings = _settings(target, found)
    _write(target / "study.toml", settings)
    return Template(target, pd.DataFrame(rows), (*found.left, *more), tuple(_to_do(rows, settings)))


def _to_do(rows: list[dict[str, str]], settings: str) -> list[str]:
    """What the files did not tell, one sentence each."""
    asked = {"subject": "say who moved", "speed": "give a label such as free or fast", "emg": "name the EMG file",
             "grf": "name the file of ground reaction force, or list cycles in cycles.csv"}  # fmt: skip
    empty = {name: [row["trial"] for row in rows if not row[name]] for name in asked}
    lines = [
        f"trials.csv: {name} is empty for {len(trials)} of {len(rows)} trials "
        f"({trials[0]}{', …' * (len(trials) > 1)}); {asked[name]}."
        for name, trials in empty.items()
        if trials
    ]
    if 'motion = ""' in settings:
        lines.append("study.toml: motion is empty; write walking, running, or any other word.")
    if 'simulated_by = ""' in settings:
        lines.append("study.toml: simulated_by is empty; say what computed the activation.")
    open_channels = re.findall(r'^# (.+) = "…"', settings.partition("[emg]")[2].partition("\n[")[0], re.MULTILINE)
    if open_channels:
        lines.append(
            f"study.toml, [emg]: {', '.join(open_channels)}: it is not known for sure which muscle this measures; "
            "name it, or take the line away to leave the channel out."
        )
    return lines


def _search(target: Path, folders: dict[str, str | Path | None]) -> Search:
    named = {kind: Path(folder) for kind, folder in folders.items() if folder is not None}
    if not named:
        if not target.is_dir():
            raise Nem2eError(f"{target}: no such folder; make it, or name --activation, --emg and --grf.")
        found = search(target)
    else:
        parts = [search(folder, kind) for kind, folder in named.items()]
        found = Search([f for part in parts for f in part.files], [left for part in parts for left in part.left])
    if not found.of("activation"):
        looked = named.get("activation", target)
        raise Nem2eError(
            f"{looked}: no .sto or .mot file with activations of muscles under known names found below it"
            + (f"; {found.left[0]}" if found.left else ".")
        )
    return found


def _rows(found: Search) -> tuple[list[dict[str, str]], list[str]]:
    rows, told, used = [], [], set()
    chosen = list(best(found.of("activation")))
    for file, over in chosen:
        told += [f"{other.path}: left out, {file.path.name} of the same trial is used." for other in over]
        pair = {kind: match(file, found.of(kind), len(chosen) == 1) for kind in ("emg", "grf")}
        used |= {other.path for other in pair.values() if other}
        label, metres = speed(file.words)
        rows.append(
            {
                "trial": "_".join(file.words) or file.path.stem,
                "subject": subject(file.words),
                "speed": label,
                "speed_m_s": metres,
                "activation": file.inside.as_posix(),
                **{kind: other.inside.as_posix() if other else "" for kind, other in pair.items()},
            }
        )
        told += [f"{file.path}: no one {kind} file goes with it by name." for kind, other in pair.items() if not other]
    rest = [file for kind in ("emg", "grf") for file in found.of(kind) if file.path not in used]
    return rows, told + [f"{file.path}: {file.kind} without an activation of that name." for file in rest]


def _bring(target: Path, found: Search) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for file in found.files:
        to = target / file.inside
        if to.exists() and to.samefile(file.path):
            continue
        to.parent.mkdir(parents=True, exist_ok=True)
        with replacing(to) as temporary:
            shutil.copyfile(file.path, temporary)


def _write(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _settings(target: Path, found: Search) -> str:
    file = found.of("activation")[0]
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", target.resolve().name).strip("-.") or "study"
    words = {word for each in found.of("activation") for word in each.words}
    motion = next((kind for kind, root in (("running", "run"), ("walking", "walk")) if _any(words, root)), "")
    lines = [
        f"name = {json.dumps(name)}",
        f"motion = {json.dumps(motion)}  # walking, running, or any other word",
        f"simulated_by = {json.dumps(_simulator(file))}  # computed muscle control, static optimisation, Moco, …",
        'cycle = "right-right"  # or right-left, left-left, left-right',
        "synthetic = false",
        'citation = ""',
        'licence = ""',
        "",
        *_emg_lines(file.storage, found.of("emg")),
        *_processing_lines(found.of("emg")),
        *_grf_lines(found.of("grf")),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _any(words: set[str], root: str) -> bool:
    return any(word.startswith(root) for word in words)


def _simulator(file: Found) -> str:
    text = f"{file.path} {file.storage.name} {' '.join(file.storage.metadata)}".lower()
    known = {
        "static": "static optimisation (OpenSim)",
        "cmc": "computed muscle control (OpenSim)",
        "moco": "Moco (OpenSim)",
    }
    return next((name for word, name in known.items() if word in text), "")


def _emg_lines(activation: Storage, files: Sequence[Found]) -> list[str]:
    lines = ["[emg]", "# EMG name (a column of the EMG files) = muscle (a column of the activation files): check each"]
    if not files:
        return [*lines, '# no EMG file was found; an example: soleus = "soleus_r"', ""]
    muscles = list(dict.fromkeys(muscle_name(label) for label in muscle_columns(activation.labels)))
    for channel in files[0].storage.labels:
        if any(channel not in file.storage.labels for file in files):
            lines.append(f"# {_key(channel)} is not in every EMG file")
            continue
        fits = candidates(channel, muscles)
        if len(fits) == 1:
            lines.append(f"{_key(channel)} = {json.dumps(fits[0])}")
        else:
            hint = f"one of {', '.join(fits)}" if fits else "no muscle of that name"
            lines.append(f'# {_key(channel)} = "…"  # {hint}')
    return [*lines, ""]


def _key(channel: str) -> str:
    return channel if BARE.fullmatch(channel) else json.dumps(channel, ensure_ascii=False)


def _processing_lines(files: Sequence[Found]) -> list[str]:
    if not files or not _is_raw(files[0]):
        return []
    storage = files[0].storage
    rate = (len(storage.time) - 1) / (storage.time[-1] - storage.time[0])
    band = RECIPES["general"].band_hz
    recipe = "general" if band and rate > 2.1 * band[1] else "hamner2013"
    return [
        "[emg_processing]  # the EMG is raw",
        f'recipe = "{recipe}"  # {RECIPES[recipe]}',
        'normalise = "subject_max"',
        "",
    ]


def _is_raw(file: Found) -> bool:
    try:
        check_envelope(file.path, file.storage.labels, file.storage.values)
    except Nem2eError as error:
        return "swings" in str(error)
    return False


def _grf_lines(files: Sequence[Found]) -> list[str]:
    if not files or vertical_columns(files[0].storage.labels) is not None:
        return []
    hint = ", ".join(vertical_candidates(files[0].storage.labels))
    return [
        "[grf]  # vertical force of each foot, or a list of plates whose sum it is",
        f"# columns that may be it: {hint}",
        '# right = "…"',
        '# left = "…"',
        "",
    ]
