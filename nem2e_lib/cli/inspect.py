"""``nem2e inspect``: what a file or folder is, told by its content, and what is in it.

A kind is a row of `KINDS`; the first that fits a file's beginning describes it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nem2e_lib.data.files import head, plain
from nem2e_lib.error import Nem2eError

if TYPE_CHECKING:  # each kind's own reader is loaded when it is met: the command line starts fast
    import xarray as xr

    from nem2e_lib.data.c3d.recording import Recording
    from nem2e_lib.data.study.study import Study

Facts = dict[str, Any]

TABLES = (".sto", ".mot")
"""Suffixes of files that must be OpenSim's tables, and are told what else they are."""
_MASS = re.compile(r"(?i)(body)?(mass|weight)|height|(left|right|[lr])? ?leg ?length")


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes
    ----------
    name : str
        In words.
    fits : callable
        From the path and the first bytes of the file to whether it is of this kind.
    describe : callable
        From the path to facts for people and for JSON: plain values, lists of text, lists of mappings.
    """

    name: str
    fits: Callable[[Path, bytes], bool]
    describe: Callable[[Path], Facts]


def kind_of(path: Path) -> Kind:
    """Return the kind of a file or folder.

    Raises
    ------
    Nem2eError
        If there is no such file, it is a pipe or device, or a folder that is no study.
    """
    if path.is_dir():
        if not (path / "study.toml").is_file():
            raise Nem2eError(f"{path}: is a folder without a study.toml; a file, or the folder of a study is expected.")
        return STUDY
    start = head(path)
    return next((kind for kind in KINDS if kind.fits(path, start)), OTHER)


def inspect(path: Path) -> Facts:
    """Return what is in a file or folder; `Nem2eError` where it cannot be read."""
    kind = kind_of(path)
    return {"kind": kind.name, **kind.describe(path)}


def as_text(facts: Mapping[str, Any]) -> str:
    """Return facts for people: a line a value, then each list with its length."""
    lists = {key: value for key, value in facts.items() if isinstance(value, list)}
    width = max(12, 2 + max(len(key) for key in facts if key not in lists))
    lines = [f"{key:<{width}}{_shown(value)}" for key, value in facts.items() if key not in lists]
    for key, items in lists.items():
        lines += [f"{key} ({len(items)})", *(f"  {_shown(item)}" for item in items)]
    return "\n".join(lines)


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_shown(each)}" for key, each in value.items() if each not in (None, "", []))
    if isinstance(value, list):
        return "; ".join(f"({_shown(each)})" if isinstance(each, list) else _shown(each) for each in value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)


# --- what a file is, by its beginning ---


def _is_refiner(path: Path, start: bytes) -> bool:
    if not start.startswith(b"PK"):
        return False
    from nem2e_lib.refiner.archive import is_refiner

    return is_refiner(path)


def _is_c3d(path: Path, start: bytes) -> bool:
    return start[1:2] == b"P" and start[0] in range(2, 128) and b"\0" in start[:512]


def _is_markers(path: Path, start: bytes) -> bool:
    lines = [line for line in _text(start).split("\n", 12) if line.strip()]
    return bool(re.match(r'"?PathFileType\b', _text(start).lstrip())) or (
        len(lines) > 3 and bool(re.match(r"(?i)frame\s*#", lines[3]))
    )


def _is_opensim(path: Path, start: bytes) -> bool:
    return "<OpenSimDocument" in _text(start)[:4000]


def _is_table(path: Path, start: bytes) -> bool:
    return bool(re.search(r"(?im)^\s*\"?endheader\b", _text(start)))


def _text(start: bytes) -> str:
    try:
        return plain(start, "").decode("utf-8", "replace")
    except Nem2eError:  # binary, or empty
        return ""


# --- what is in it ---


def _table(path: Path) -> Facts:
    from nem2e_lib.data.storage.storage import describe_storage, read_storage

    return describe_storage(read_storage(path))


def _export(path: Path) -> Facts:
    from nem2e_lib.data.exports.formats import read_export
    from nem2e_lib.data.storage.storage import describe_storage

    storage = read_export(path)
    return {"format": storage.metadata.get("format", ""), **describe_storage(storage)}


def _refiner(path: Path) -> Facts:
    from nem2e_lib.refiner import Refiner

    manifest = Refiner.load(path).manifest
    return {
        **{key: getattr(manifest.origin, key) for key in ("study", "synthetic", "motion", "simulated_by", "cycles")},
        "method": manifest.training.method,
        "muscles": list(manifest.names),
    }


def _markers(path: Path) -> Facts:
    from nem2e_lib.data.markers.body import span_m, up
    from nem2e_lib.data.markers.trc import read_markers

    found = read_markers(path)
    above = up(found.names, found.places)
    gone = (found.places[:, :, 0] != found.places[:, :, 0]).mean(axis=0)
    return {
        "markers": len(found.names),
        "frames": len(found.time),
        "rate_hz": found.rate_hz,
        "time_start": float(found.time[0]),
        "time_end": float(found.time[-1]),
        "unit": found.unit,
        "span_m": span_m(found.places),
        "up": above.axis if above else "not known",
        "labels": list(found.names),
        "missing": [f"{name}: {part:.0%}" for name, part in zip(found.names, gone, strict=True) if part],
        "warnings": list(found.notes),
    }


def _c3d(path: Path) -> Facts:
    from nem2e_lib.data.c3d.recording import read_c3d

    found = read_c3d(path)
    top, frames = found.head, found.head.frames
    return {
        "points": top.points,
        "frames": frames,
        "first_frame": top.first_frame,
        "last_frame": top.first_frame + frames - 1,
        "rate_hz": top.rate_hz,
        "analog_rate_hz": found.analog_rate_hz,
        "time_start": float(found.time[0]),
        "time_end": float(found.time[-1]),
        "unit": found.unit,
        **_body(found),
        "stored": f"{'real' if top.scale < 0 else 'whole'} numbers, {top.processor}",
        "subject": _subject(found),
        "markers": [name for name in found.markers if name not in found.segment_axes],
        "computed": [name for name in found.labels if name in found.computed | found.segment_axes],
        "channels": [f"{name} [{unit}]" for name, unit in zip(found.channels, found.analog_units, strict=True)],
        "plates": [
            {
                "plate": plate.number,
                "type": plate.type,
                "channels": [found.channels[index] for index in plate.channels if index < len(found.channels)],
                "corners": [[round(float(value), 1) + 0.0 for value in corner] for corner in plate.corners],
            }
            for plate in found.plates
        ],
        "events": [f"{event.time_s:.3f} s {event.context} {event.label}".replace("  ", " ") for event in found.events],
        "warnings": list(found.notes),
    }


def _body(found: Recording) -> Facts:
    """How large the body is, and which axis points up, as far as the markers tell."""
    from nem2e_lib.data.markers.body import span_m, up

    seen = [name for name in found.markers if name not in found.segment_axes]
    index = [found.labels.index(name) for name in seen]
    places = found.points[:, index] * (found.metre or float("nan"))
    above = up(seen, places)
    said = next(iter(found.head.texts("POINT", "Y_SCREEN")), "")
    return {
        "span_m": span_m(places),
        "up": above.axis if above else f"{said.lower()} (as the file says)" if said else "not known",
    }


def _subject(found: Recording) -> Facts:
    """What the file says of the person, by the parameters' own names."""
    told: Facts = {}
    for group in ("SUBJECTS", "SUBJECT", "PROCESSING", "ANALYSIS"):
        for name, value in found.head.parameters.get(group, {}).items():
            if group == "SUBJECTS" and name == "NAMES":
                told["name"] = " ".join(found.head.texts(group, name))
            elif _MASS.fullmatch(name) and not isinstance(value, str | list):
                numbers = found.head.numbers(group, name)
                told |= {name.lower(): float(numbers[0])} if len(numbers) else {}
    return told


def _dataset(path: Path) -> Facts:
    from nem2e_lib.data.netcdf import load_dataset

    dataset = load_dataset(path)
    if "refined" in dataset:
        return _trained(dataset)
    return _cut(dataset) if "activation" in dataset and "emg" in dataset else _anything(dataset)


def _cut(cycles: xr.Dataset) -> Facts:
    from nem2e_lib.data.cycles.segment import BESIDE, CONDITION, recorded

    attrs = ("study", "motion", "simulated_by", "cycle_definition", "skipped")
    return {
        "holds": "gait cycles of a study",
        **{key: _value(cycles.attrs[key]) for key in attrs if key in cycles.attrs},
        "synthetic": bool(cycles.attrs.get("synthetic", 0)),
        "cycles": cycles.sizes["cycle"],
        "samples": cycles.sizes["sample"],
        "subjects": _counted(cycles.subject.values),
        **_circumstances(cycles.speed.values, cycles[CONDITION].values if CONDITION in cycles.coords else ()),
        "muscles": [str(name) for name in cycles.muscle.values],
        "channels": [
            f"{name} of {target}" + ("" if own.all() else f" (in {own.sum()} cycles)")
            for name, target, own in zip(cycles.channel.values, cycles.target.values, recorded(cycles.emg), strict=True)
        ],
        **({"inputs": [str(name) for name in cycles.input.values]} if BESIDE in cycles else {}),
    }


def _circumstances(speeds: Iterable[Any], conditions: Iterable[Any]) -> Facts:
    """Speeds and conditions, those that are told."""
    found = {"speeds": [each for each in speeds if each], "conditions": [each for each in conditions if each]}
    return {name: _counted(values) for name, values in found.items() if values}


def _trained(results: xr.Dataset) -> Facts:
    from nem2e_lib.analysis.metrics import errors
    from nem2e_lib.training.units import caveat

    attrs = ("study", "condition", "profile", "unit", "epochs", "updates", "models", "parameters", "arithmetic")
    table = errors(results.assign(diverged=results.diverged.astype(bool)))
    groups = table.groupby("muscle", sort=False)
    means = groups[["rmse_opensim", "rmse_refined", "er"]].mean().assign(n=groups["label"].nunique())
    return {
        "holds": "a trained condition, refined for those left out",
        **{key: _value(results.attrs[key]) for key in attrs if results.attrs.get(key) not in (None, "")},
        **({"warning": said} if (said := caveat([results.attrs.get("unit")])) else {}),
        "synthetic": bool(results.attrs.get("synthetic", 0)),
        "cycles": results.sizes["cycle"],
        "seeds": results.sizes["seed"],
        "held_out": [str(label) for label in results.fold.values],
        "errors": [{"muscle": name, **row} for name, row in means.to_dict("index").items()],
    }


def _anything(dataset: xr.Dataset) -> Facts:
    return {"holds": "nothing that nem2e knows", "variables": [str(name) for name in dataset.variables]}


def _study(path: Path) -> Facts:
    from nem2e_lib.data.study.load import load_study

    study = load_study(path)
    return {
        "study": study.name,
        "motion": study.settings.motion,
        "simulated_by": study.settings.simulated_by,
        "synthetic": study.settings.synthetic,
        "trials": len(study.trials),
        "subjects": _counted([trial.subject for trial in study.trials]),
        **_circumstances([trial.speed for trial in study.trials], [trial.condition for trial in study.trials]),
        "muscles": list(study.muscles),
        "channels": [_channel(study, name) for name in study.channels],
        **({"inputs": list(study.input_sets)} if study.input_sets else {}),
    }


def _channel(study: Study, name: str) -> str:
    have = sum(name in study.recorded(trial.name) for trial in study.trials)
    return name if have == len(study.trials) else f"{name} (in {have} trials)"


def _document(path: Path) -> Facts:
    from nem2e_lib.simulate.xml import read_document

    root = read_document(path).getroot()
    model = root.find("Model")
    if model is None:
        return {"holds": f"a set-up of {root[0].tag}" if len(root) else "nothing", "version": root.get("Version", "")}

    def names(ending: str, within: str) -> list[str]:
        places = model.iterfind(f".//{within}//*") if model is not None else ()
        return [each.get("name", "") for each in places if each.tag.endswith(ending) and each.get("name")]

    return {
        "holds": "a model",
        "name": model.get("name", ""),
        "version": root.get("Version", ""),
        "bodies": len(names("Body", "BodySet")),
        "coordinates": names("Coordinate", "JointSet") or names("Coordinate", "BodySet"),
        "markers": names("Marker", "MarkerSet"),
        "muscles": names("Muscle", "ForceSet"),
    }


def _value(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _counted(values: Sequence[Any]) -> list[str]:
    """Each value once, in order, with how often it occurs."""
    every = [str(value) for value in values]
    return [f"{value}: {every.count(value)}" for value in dict.fromkeys(every)]


STUDY = Kind("study folder", lambda path, start: path.is_dir(), _study)
OTHER = Kind("recording exported as text", lambda path, start: True, _export)

KINDS = (
    Kind("OpenSim table", lambda path, start: path.suffix.lower() in TABLES, _table),
    Kind("refiner", _is_refiner, _refiner),
    Kind("C3D recording", _is_c3d, _c3d),
    Kind("NetCDF", lambda path, start: start.startswith(b"CDF"), _dataset),
    Kind("marker file", _is_markers, _markers),
    Kind("OpenSim document", _is_opensim, _document),
    Kind("OpenSim table", _is_table, _table),
)
"""Kinds of files; what fits none is an export of an EMG system, or refused by its reader."""
