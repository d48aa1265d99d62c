"""``study.toml`` of a new study: filled in where the files leave no doubt, with comments where they do."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nem2e_lib.data.columns import muscle_columns, muscle_name, vertical_columns
from nem2e_lib.data.emg import RECIPES
from nem2e_lib.data.signals import UNSCALED, is_raw
from nem2e_lib.data.template_find import Found, vertical_candidates
from nem2e_lib.data.template_names import candidates, meaning

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_MOTIONS = {"running": ("run", "sprint", "jog"), "walking": ("walk", "gait")}
_SIMULATORS = {  # regular expressions
    "static|(?<![a-z])so(?![a-z])": "static optimisation (OpenSim)",
    "cmc": "computed muscle control (OpenSim)",
    "moco": "Moco (OpenSim)",
}


@dataclass(frozen=True)
class _Channel:
    """A channel of EMG: muscles that it may measure; `where` tells if some files lack it; `sided` if its name does."""

    name: str
    fits: tuple[str, ...]
    sided: bool
    where: str = ""

    @property
    def sure(self) -> bool:
        return len(self.fits) == 1 and not self.where


def settings(
    target: Path, activations: Sequence[Found], emg: Sequence[Found], grf: Sequence[Found]
) -> tuple[str, list[str]]:
    """The text of ``study.toml``, and what is to be filled in or looked at, one sentence each."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", target.resolve().name).strip("-._") or "study"
    motion, simulator, channels = _motion(activations), _simulator(activations[0]), _channels(activations[0], emg)
    cycle = _cycle(channels)
    lines = [
        f"name = {json.dumps(name)}",
        f"motion = {json.dumps(motion)}  # walking, running, or any other word",
        f"simulated_by = {json.dumps(simulator)}  # computed muscle control, static optimisation, Moco, …",
        f'cycle = "{cycle}"  # right-right, right-left, left-left or left-right',
        "synthetic = false",
        'citation = ""',
        'licence = ""',
        "",
        *_emg_lines(channels),
        *_processing_lines(emg, channels),
        *_grf_lines(grf),
    ]
    return "\n".join(lines).rstrip() + "\n", _to_do(motion, simulator, channels, grf)


def _motion(activations: Sequence[Found]) -> str:
    words = {word for file in activations for word in file.words}
    fits = [motion for motion, roots in _MOTIONS.items() if any(word.startswith(roots) for word in words)]
    return fits[0] if len(fits) == 1 else ""


def _simulator(file: Found) -> str:
    text = f"{file.inside.as_posix()} {file.storage.name} {' '.join(file.storage.metadata)}".lower()
    return next((name for word, name in _SIMULATORS.items() if re.search(word, text)), "")


def _channels(activation: Found, files: Sequence[Found]) -> list[_Channel]:
    muscles = list(dict.fromkeys(muscle_name(label) for label in muscle_columns(activation.storage.labels)))
    names = dict.fromkeys(label for file in files for label in file.storage.labels)
    return [_channel(name, muscles, files) for name in names]


def _channel(name: str, muscles: Sequence[str], files: Sequence[Found]) -> _Channel:
    have = sum(name in file.storage.labels for file in files)
    where = "" if have == len(files) else f"in {have} of {len(files)} EMG files only"
    both = {fit[-2:] for side in "rl" for fit in candidates(name, muscles, side)}
    return _Channel(name, tuple(candidates(name, muscles)), bool(meaning(name)[1]) or len(both) < 2, where)


def _cycle(channels: Sequence[_Channel]) -> str:
    legs = {channel.fits[0][-2:] for channel in channels if channel.sure}
    return "left-left" if legs == {"_l"} else "right-right"


def _emg_lines(channels: Sequence[_Channel]) -> list[str]:
    lines = ["[emg]", "# EMG name (a column of the EMG files) = muscle (a column of the activation files): check each"]
    if not channels:
        return [*lines, '# no EMG file was found; an example: soleus = "soleus_r"', ""]
    for channel in channels:
        if channel.sure:
            doubt = "" if channel.sided else "  # or the left one? the name does not tell the leg"
            lines.append(f"{_key(channel.name)} = {json.dumps(channel.fits[0])}{doubt}")
        else:
            hint = f"one of {', '.join(channel.fits)}" if len(channel.fits) > 1 else ", ".join(channel.fits)
            told = "; ".join(filter(None, [hint or "no muscle of that name", channel.where]))
            lines.append(f'# {_key(channel.name)} = "…"  # {told}')
    return [*lines, ""]


def _key(channel: str) -> str:
    return channel if _BARE.fullmatch(channel) else json.dumps(channel, ensure_ascii=False)


def _processing_lines(files: Sequence[Found], channels: Sequence[_Channel]) -> list[str]:
    if not files:
        return []
    names = [channel.name for channel in channels if not channel.where] or list(files[0].storage.labels)
    raw = [bool(np.mean(is_raw(file.storage.time, _values(file, names))) > 0.5) for file in files]
    if any(raw):
        rates = [(len(f.storage.time) - 1) / max(float(np.ptp(f.storage.time)), 1e-9) for f in files]
        band = RECIPES["general"].band_hz
        recipe, what = "general" if band and min(rates) > 2.1 * band[1] else "hamner2013", "the EMG is raw"
    elif _unscaled(files, names):
        recipe, what = "envelope", "the EMG comes as envelopes that are not normalised"
    else:
        return []
    return [
        f"[emg_processing]  # {what}",
        f'recipe = "{recipe}"  # {RECIPES[recipe]}',
        'normalise = "subject_max"',
        "",
    ]


def _values(file: Found, names: Sequence[str]) -> np.ndarray:
    return np.column_stack([file.storage.column(name) for name in names if name in file.storage.labels])


def _unscaled(files: Sequence[Found], names: Sequence[str]) -> bool:
    highest = np.nanmax([np.nanmax(_values(file, names), axis=0, initial=-np.inf) for file in files], axis=0)
    return not UNSCALED[0] <= float(np.median(highest)) <= UNSCALED[1]


def _grf_lines(files: Sequence[Found]) -> list[str]:
    hints = _plates(files)
    if not hints:
        return []
    return [
        "[grf]  # vertical force of each foot, or a list of plates whose sum it is",
        f"# columns that may be it: {', '.join(hints)}",
        '# right = "…"',
        '# left = "…"',
        "",
    ]


def _plates(files: Sequence[Found]) -> list[str]:
    if not files or vertical_columns(files[0].storage.labels) is not None:
        return []
    return vertical_candidates(files[0].storage)


def _to_do(motion: str, simulator: str, channels: Sequence[_Channel], grf: Sequence[Found]) -> list[str]:
    lines = []
    if not motion:
        lines.append("study.toml: motion is empty; write walking, running, or any other word.")
    if not simulator:
        lines.append("study.toml: simulated_by is empty; say what computed the activation.")
    doubtful = ", ".join(_key(channel.name) for channel in channels if not channel.sure)
    if doubtful:
        lines.append(
            f"study.toml, [emg]: {doubtful}: it is not known for sure which muscle this measures, or some files lack "
            "it; name the muscle, or take the line away to leave the channel out."
        )
    unsided = ", ".join(_key(channel.name) for channel in channels if channel.sure and not channel.sided)
    if unsided:
        lines.append(f"study.toml, [emg]: {unsided}: the name does not tell the leg; right was taken, check.")
    if plates := _plates(grf):
        lines.append(
            f"study.toml, [grf]: which columns are vertical force of the right and the left foot is not known; name "
            f"them, perhaps {', '.join(plates[:4])}."
        )
    return lines
