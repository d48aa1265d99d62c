"""A new study folder, filled in with what the files themselves tell."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from nem2e_lib.data.columns import muscle_columns
from nem2e_lib.data.emg.envelope import RECIPES
from nem2e_lib.data.exports.channels import may_be_emg
from nem2e_lib.data.exports.formats import TABLES
from nem2e_lib.data.families import canonical, measurable
from nem2e_lib.data.force.feet import known_columns
from nem2e_lib.data.intake.find import Found, Search, plates_channels, search, vertical_candidates
from nem2e_lib.data.intake.names import speed
from nem2e_lib.data.intake.partners import Partners, apart, best, partners
from nem2e_lib.data.labels import muscle_name
from nem2e_lib.data.model import Model, read_model
from nem2e_lib.data.muscles import base, doubt, meaning, side
from nem2e_lib.data.storage.storage import write_storage
from nem2e_lib.data.study.settings import Line, Section, bare_key, settings_text
from nem2e_lib.data.study.signals import UNSCALED, is_raw
from nem2e_lib.data.told import together
from nem2e_lib.error import Nem2eError

_PART = re.compile(r"(?:\d+|[ls]h)$")
"""A number of a part, or the long or the short head, at the end of gait2392's names."""
_SIDELESS = "or the left one? the name does not tell the leg"
_FEW = 5
"""So many files of which the same is to be told are each named."""
_SLACK_S = 0.05
"""An activation may reach so far beyond its recording."""
_MODELS = "model"
"""Folder of a study into which its model is copied."""
_MOTIONS = {"running": ("run", "sprint", "jog"), "walking": ("walk", "gait")}
_SIMULATORS = {  # regular expressions
    "static|(?<![a-z])so(?![a-z])": "static optimisation (OpenSim)",
    "cmc": "computed muscle control (OpenSim)",
    "moco": "Moco (OpenSim)",
}


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
    model: str | Path | None = None,
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
    model : str or Path, optional
        OpenSim model that says what is a muscle; copied into the folder, under ``model/``, and named in ``study.toml``.

    Raises
    ------
    Nem2eError
        If the folder is a study already, a folder or the model is missing, or no activation is found.
    """
    target = Path(folder)
    for name in ("study.toml", "trials.csv"):
        if (target / name).exists():
            raise Nem2eError(f"{target / name}: exists already; take it away or name a new folder.")
    known = None if model is None else read_model(Path(model))
    found = _search(target, {"activation": activation, "emg": emg, "grf": grf}, known)
    trials, told = _trials(found)
    rows = [_row(trial, name) for trial, name in zip(trials, _names(trials), strict=True)]
    text, to_do = _settings(
        target, [trial.activation for trial in trials], _used(trials, "emg"), _used(trials, "grf"), known
    )
    clocks = [_Clock(name, trial) for trial, name in zip(trials, _names(trials), strict=True)]
    rows = [row | clock.offsets for row, clock in zip(rows, clocks, strict=True)]
    table = pd.DataFrame(rows).fillna("")
    _bring(
        target, found, trials, {"trials.csv": table.to_csv(index=False, lineterminator="\n"), "study.toml": text}, known
    )
    return Template(
        target,
        table,
        (*found.told, *_exported(found), *_passed_over(trials), *told),
        (*_to_do(rows), *_clock_to_do(clocks), *to_do),
    )


class _Clock:
    """Whether an activation stands on the clock of its C3D file's capture, or counts from the file's first frame.

    Both are in use: programs that make markers of C3D files start at 0. `offsets` are filled in where only one can be.
    """

    def __init__(self, name: str, trial: _Trial) -> None:
        self.name, self.asked, self.offsets = name, 0.0, dict[str, str]()
        late = {kind: file for kind, file in trial.others.items() if file.first_s > 0}
        for kind, file in late.items():
            first, last = trial.activation.storage.time[[0, -1]]
            start, end = file.storage.time[[0, -1]]
            on_capture = start - _SLACK_S <= first and last <= end + _SLACK_S
            on_file = first >= -_SLACK_S and last <= end - file.first_s + _SLACK_S
            if on_file and not on_capture:
                self.offsets[f"{kind}_offset_s"] = f"{-file.first_s:.6g}"
            elif on_file:
                self.asked = file.first_s


def _clock_to_do(clocks: Sequence[_Clock]) -> Iterator[str]:
    moved = [clock for clock in clocks if clock.offsets]
    if moved:
        one = moved[0]
        yield (
            f"trials.csv: the C3D files of {len(moved)} trials start later than their activations, which were taken to "
            f"count from the file's first frame: {', '.join(one.offsets)} is {next(iter(one.offsets.values()))} for "
            f"{one.name}; check."
        )
    asked = [clock for clock in clocks if clock.asked]
    if asked:
        yield (
            f"trials.csv: the C3D files of {len(asked)} trials do not start with their capture ({asked[0].name}: at "
            f"{asked[0].asked:g} s); where an activation counts from its file's first frame, add the columns "
            f"emg_offset_s and grf_offset_s with -{asked[0].asked:g} for that trial, and so on."
        )


def _exported(found: Search) -> list[str]:
    """What was changed or left out in reading exports, which the copies no longer tell."""
    return together(((odd, str(file.path)) for file in found.files for odd in file.odd), few=_FEW)


def _passed_over(trials: Sequence[_Trial]) -> Iterator[str]:
    if plates := _of_plates(_used(trials, "emg")):
        yield f"EMG files: {', '.join(plates)} are channels of force plates by their names, and left out of [emg]."


def _search(target: Path, folders: dict[str, str | Path | None], model: Model | None) -> Search:
    named = {kind: Path(folder) for kind, folder in folders.items() if folder is not None}
    if not named and not target.is_dir():
        raise Nem2eError(f"{target}: no such folder; make it, or name --activation, --emg and --grf.")
    found = search(named or {"": target}, model)
    if not found.of("activation"):
        looked = named.get("activation", target)
        raise Nem2eError(
            f"{looked}: no file with activations of muscles under known names found below it{_nearest(found)}; where "
            "there are motion and forces only, 'nem2e simulate run' makes activations of them (docs/simulate.md)."
        )
    return found


def _nearest(found: Search) -> str:
    """The first files that were left out, those that may have been meant first."""
    tables = sorted(found.left, key=lambda left: Path(left[1]).suffix.lower() not in TABLES)
    told = together(tables)[:3]
    return f" ({' '.join(told).rstrip('.')})" if told else ""


def _trials(found: Search) -> tuple[list[_Trial], list[str]]:
    told = list[str]()
    chosen = list(best(found.of("activation")))
    files = [file for file, _ in chosen]
    for file, over in chosen:
        told += [f"{other.path}: left out, {file.path.name} of the same trial is used." for other in over]
        if "control" in file.path.stem.lower():
            told.append(f"{file.path}: holds controls by its name, which are excitations and not yet activations.")
    matched = dict[str, Partners]()
    for kind in ("emg", "grf"):
        others = found.of(kind)
        aside = apart(files, others)
        matched[kind] = partners(files, others, frozenset().union(*aside))
        told += _set_aside(kind, *aside) if matched[kind].of else []
        told += _unmatched(kind, files, others, matched[kind])
    trials = [
        _Trial(file, {kind: pairs.of[file] for kind, pairs in matched.items() if file in pairs.of}) for file in files
    ]
    return trials, told


def _unmatched(kind: str, files: Sequence[Found], others: Sequence[Found], matched: Partners) -> list[str]:
    said = list[tuple[str, str]]()
    for file in files if others else ():
        if file in matched.unclear:
            some = ", ".join(other.path.name for other in matched.unclear[file][:3])
            said.append((f"which {kind} file goes with it is not clear by name ({some}); left empty.", str(file.path)))
        elif file not in matched.of:
            said.append((f"no {kind} file goes with it by name; left empty.", str(file.path)))
    used = set(matched.of.values())
    said += [
        (f"{kind} that no one activation goes with by name.", str(file.path)) for file in others if file not in used
    ]
    return together(said, few=_FEW)


def _set_aside(kind: str, mine: frozenset[str], theirs: frozenset[str]) -> Iterator[str]:
    if mine and theirs:
        yield (
            f"The paths of all activation files say {', '.join(sorted(mine))}, those of all {kind} files "
            f"{', '.join(sorted(theirs))}; they were matched by their other words."
        )


def _used(trials: Sequence[_Trial], kind: str) -> list[Found]:
    return list(dict.fromkeys(trial.others[kind] for trial in trials if kind in trial.others))


def _names(trials: Sequence[_Trial]) -> list[str]:
    """A name for each trial, of the words of its path; where several have the same, of the whole path, or counted."""
    short = ["_".join(trial.activation.words) or trial.activation.path.stem for trial in trials]
    whole = ["_".join(trial.activation.inside.with_suffix("").parts) for trial in trials]
    names = list[str]()
    for own, full in zip(short, whole, strict=True):
        name = own if short.count(own) == 1 else full
        names.append(name if name not in names else f"{name}_{len(names) + 1}")
    return names


def _row(trial: _Trial, name: str) -> dict[str, str]:
    file = trial.activation
    label, metres = speed(file.words)
    places = {kind: other.inside.as_posix() for kind, other in trial.others.items()}
    return {
        "trial": name,
        "subject": file.who or next((other.who for other in trial.others.values() if other.who), ""),
        "speed": label,
        "speed_m_s": metres,
        "activation": file.inside.as_posix(),
        "emg": places.get("emg", ""),
        "grf": places.get("grf", ""),
    }


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


def _bring(target: Path, found: Search, trials: Sequence[_Trial], texts: dict[str, str], model: Model | None) -> None:
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
        if model is not None and not (target / _place(target, model)).exists():
            (partial / _MODELS).mkdir(exist_ok=True)
            shutil.copyfile(model.path, partial / _place(target, model))
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


@dataclass(frozen=True)
class _Channel:
    """A channel of EMG: muscles that it may measure; `where` tells if some files lack it; `sided` if its name tells the
    leg; `asked` what its name leaves open; `near` has other parts or heads of a muscle that the model lacks."""

    name: str
    fits: tuple[str, ...]
    sided: bool
    where: str = ""
    asked: str = ""
    near: tuple[str, ...] = ()

    @property
    def sure(self) -> bool:
        return len(self.fits) == 1 and not self.where and not self.asked


def _settings(
    target: Path,
    activations: Sequence[Found],
    emg: Sequence[Found],
    grf: Sequence[Found],
    model: Model | None,
) -> tuple[str, list[str]]:
    """The text of ``study.toml``, and what is to be filled in or looked at, one sentence each."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", target.resolve().name).strip("-._") or "study"
    motion, simulator, channels = (
        _motion(activations),
        _simulator(activations[0]),
        _channels(activations[0], emg, model),
    )
    top = [
        Line("name", name),
        Line("motion", motion, "walking, running, or any other word"),
        Line("simulated_by", simulator, "computed muscle control, static optimisation, Moco, …"),
        Line("cycle", _cycle(channels), "right-right, right-left, left-left or left-right"),
        Line("synthetic", False),
        Line("citation", ""),
        Line("licence", ""),
    ]
    sections = [
        Section("", top),
        _emg(channels, _of_plates(emg)),
        *_processing(emg, channels),
        *_force(grf),
        *_muscles(target, model),
    ]
    return settings_text(sections), _left_open(motion, simulator, channels, grf)


def _motion(activations: Sequence[Found]) -> str:
    words = {word for file in activations for word in file.words}
    fits = [motion for motion, roots in _MOTIONS.items() if any(word.startswith(roots) for word in words)]
    return fits[0] if len(fits) == 1 else ""


def _simulator(file: Found) -> str:
    if file.by:
        return file.by
    text = f"{file.inside.as_posix()} {file.storage.name} {' '.join(file.storage.metadata)}".lower()
    return next((name for word, name in _SIMULATORS.items() if re.search(word, text)), "")


def _channels(activation: Found, files: Sequence[Found], model: Model | None) -> list[_Channel]:
    muscles = list(dict.fromkeys(muscle_name(label) for label in muscle_columns(activation.storage.labels, model)))
    plates = _of_plates(files)
    names = dict.fromkeys(label for file in files for label in may_be_emg(file.storage) if label not in plates)
    return [_channel(name, muscles, files) for name in names]


def _of_plates(files: Sequence[Found]) -> list[str]:
    """Channels of force plates among those of EMG files, as one card records both."""
    return list(dict.fromkeys(label for file in files for label in plates_channels(may_be_emg(file.storage))))


def _channel(name: str, muscles: Sequence[str], files: Sequence[Found]) -> _Channel:
    have = sum(name in file.storage.labels for file in files)
    where = "" if have == len(files) else f"in {have} of {len(files)} EMG files only"
    both = {fit[-2:] for side in "rl" for fit in measurable(name, muscles, side)}
    fits, sided = tuple(measurable(name, muscles)), bool(meaning(name)[1]) or len(both) < 2
    return _Channel(name, fits, sided, where, doubt(name), () if fits else tuple(_near(name, muscles)))


def _near(name: str, muscles: Sequence[str]) -> Iterator[str]:
    """Muscles that are another part or head of what a channel's name means, on its leg."""
    wanted, leg = meaning(name)
    whole = {_PART.sub("", muscle) for muscle in wanted}
    for muscle in muscles:
        known = canonical(muscle) or muscle
        if _PART.sub("", base(known)) in whole and side(known)[:1] in ("n", leg or "r"):
            yield muscle


def _cycle(channels: Sequence[_Channel]) -> str:
    legs = {channel.fits[0][-2:] for channel in channels if channel.sure}
    return "left-left" if legs == {"_l"} else "right-right"


def _emg(channels: Sequence[_Channel], plates: Sequence[str]) -> Section:
    remark = "EMG name (a column of the EMG files) = muscle (a column of the activation files): check each"
    example = [] if channels else ['no EMG file was found; an example: soleus = "soleus_r"']
    left = [f"{', '.join(plates)}: channels of force plates by their names, left out"] if plates else []
    return Section("emg", [remark, *left, *example, *map(_line, channels)])


def _line(channel: _Channel) -> Line:
    if channel.sure:
        return Line(channel.name, channel.fits[0], "" if channel.sided else _SIDELESS)
    hint = f"one of {', '.join(channel.fits)}" if len(channel.fits) > 1 else ", ".join(channel.fits)
    near = f", but {', '.join(channel.near)}" if channel.near else ""
    told = "; ".join(filter(None, [hint or f"no muscle of that name{near}", channel.asked, channel.where]))
    return Line(channel.name, "…", told, left=True)


def _processing(files: Sequence[Found], channels: Sequence[_Channel]) -> Iterator[Section]:
    if not files:
        return
    names = [channel.name for channel in channels if not channel.where] or may_be_emg(files[0].storage)
    raw = [bool(np.mean(is_raw(file.storage.time, _values(file, names))) > 0.5) for file in files]
    if any(raw):
        rates = [(len(f.storage.time) - 1) / max(float(np.ptp(f.storage.time)), 1e-9) for f in files]
        band = RECIPES["general"].band_hz
        recipe, what = "general" if band and min(rates) > 2.1 * band[1] else "hamner2013", "the EMG is raw"
    elif _unscaled(files, names):
        recipe, what = "envelope", "the EMG comes as envelopes that are not normalised"
    else:
        return
    steps = [Line("recipe", recipe, str(RECIPES[recipe])), Line("normalise", "subject_max")]
    yield Section("emg_processing", steps, what)


def _values(file: Found, names: Sequence[str]) -> np.ndarray:
    return np.column_stack([file.storage.column(name) for name in names if name in file.storage.labels])


def _unscaled(files: Sequence[Found], names: Sequence[str]) -> bool:
    highest = np.nanmax([np.nanmax(_values(file, names), axis=0, initial=-np.inf) for file in files], axis=0)
    return not UNSCALED[0] <= float(np.median(highest)) <= UNSCALED[1]


def _force(files: Sequence[Found]) -> Iterator[Section]:
    if hints := _plates(files):
        sides = [Line(side, "…", left=True) for side in ("right", "left")]
        note = "vertical force of each foot, or a list of plates whose sum it is"
        yield Section("grf", [f"columns that may be it: {', '.join(hints)}", *sides], note)


def _muscles(target: Path, model: Model | None) -> Iterator[Section]:
    if model is not None:
        place = Line("model", _place(target, model).as_posix(), "what is a muscle, it decides")
        yield Section("activation", [place])


def _place(target: Path, model: Model) -> Path:
    """Where a model lies in the study, or is to lie."""
    path, folder = model.path.resolve(), target.resolve()
    return path.relative_to(folder) if path.is_relative_to(folder) else Path(_MODELS) / path.name


def _plates(files: Sequence[Found]) -> list[str]:
    if not files or known_columns(files[0].storage) is not None:
        return []
    return vertical_candidates(files[0].storage)


def _left_open(motion: str, simulator: str, channels: Sequence[_Channel], grf: Sequence[Found]) -> list[str]:
    lines = []
    if not motion:
        lines.append("study.toml: motion is empty; write walking, running, or any other word.")
    if not simulator:
        lines.append("study.toml: simulated_by is empty; say what computed the activation.")
    doubtful = ", ".join(bare_key(channel.name) for channel in channels if not channel.sure)
    if doubtful:
        lines.append(
            f"study.toml, [emg]: {doubtful}: it is not known for sure which muscle this measures, or some files lack "
            "it; name the muscle, or take the line away to leave the channel out."
        )
    unsided = ", ".join(bare_key(channel.name) for channel in channels if channel.sure and not channel.sided)
    if unsided:
        lines.append(f"study.toml, [emg]: {unsided}: the name does not tell the leg; right was taken, check.")
    if plates := _plates(grf):
        lines.append(
            f"study.toml, [grf]: which columns are vertical force of the right and the left foot is not known; name "
            f"them, perhaps {', '.join(plates[:4])}."
        )
    return lines
