"""``study.toml``: what a study says of itself, its EMG and its forces, read and written.

`read_settings` judges each key and gives every problem at once; `settings_text` writes what the makers of studies
(`intake.new`, `intake.archive`, `synthetic.study`) know, with notes for those who read it.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nem2e_lib.data.checks import CHECKS, IGNORE, RANGE
from nem2e_lib.data.emg.envelope import RECIPES, Recipe
from nem2e_lib.data.emg.processing import NORMALISE, OF_CYCLES, Processing
from nem2e_lib.data.files import read_text
from nem2e_lib.data.gait import BASELINES, CYCLES, Limits
from nem2e_lib.data.model import Model, read_model
from nem2e_lib.data.places import place
from nem2e_lib.data.tables import near, parse_toml
from nem2e_lib.error import Nem2eError

RESAMPLING = ("linear", "mean")
"""How a cycle is thinned to its samples (`cycles.segment.resample`)."""

_TEXT, _FLAG, _TABLE, _TEXTS = "text in quotes", "true or false", "a table", "a list of texts"
_NUMBER, _WHOLE, _PAIR, _COLUMNS = "a number", "a whole number", "two numbers", "a column name or a list of them"
_NUMBERS = "a number or a list of numbers"
_TOP = {
    **dict.fromkeys(("name", "motion", "simulated_by"), _TEXT),
    "synthetic": _FLAG,
    **dict.fromkeys(("cycle", "citation", "licence"), _TEXT),
    **dict.fromkeys(("emg", "electrodes", "grf", "activation"), _TABLE),
    "resampling": _TEXT,
    **dict.fromkeys(("emg_processing", "checks"), _TABLE),
}
_INNER = {
    "grf": {
        **dict.fromkeys(("right", "left"), _COLUMNS),
        **dict.fromkeys(("threshold_n", "min_stance_s", "min_swing_s"), _NUMBER),
        "baseline": _TEXT,
    },
    "activation": {"columns": _TEXTS, "model": _TEXT, "tolerance": _NUMBER},
    "emg_processing": {
        "recipe": _TEXT,
        "offset": _FLAG,
        "notch_hz": _NUMBERS,
        "band_hz": _PAIR,
        "band_order": _WHOLE,
        "rectify": _FLAG,
        "low_pass_hz": _NUMBER,
        "low_pass_order": _WHOLE,
        "per_pass": _FLAG,
        "normalise": _TEXT,
        "percentile": _NUMBER,
    },
}
_REQUIRED = ("name", "motion", "simulated_by", "synthetic", "emg")


@dataclass(frozen=True)
class Settings:
    """The content of ``study.toml`` (docs/study.md).

    Attributes
    ----------
    name, motion, simulated_by, citation, licence : str
    synthetic : bool
    cycle : str
        One of `gait.CYCLES`.
    targets : dict
        Muscle (column of the activation files) of each EMG channel.
    electrodes : dict
        Electrode of every channel: its own name, or that of the channel whose recording it copies.
    grf_right, grf_left : tuple of str or None
        Columns whose sum is that foot's vertical force; None where they are to be found.
    threshold_n : float
        Force above which a foot is on the ground, in N.
    min_stance_s, min_swing_s : float
        Shorter contacts and gaps are none, in s.
    baseline : str
        One of `gait.BASELINES`.
    activation_columns : tuple of str or None
        Columns of the activation files to use; None for all muscles.
    model : Model or None
        Whose muscles are those of the activation files; None where their names decide.
    activation_tolerance : float
        How far activation may lie outside 0 to 1 within a cycle.
    resampling : str
        One of `RESAMPLING`.
    emg_processing : Processing or None
        How envelopes are made of raw EMG; None where EMG comes as envelopes.
    ignored : tuple of str
        Names of `checks.CHECKS` that are not to be heeded.
    """

    name: str = ""
    motion: str = ""
    simulated_by: str = ""
    synthetic: bool = False
    cycle: str = "right-right"
    citation: str = ""
    licence: str = ""
    targets: dict[str, str] = field(default_factory=dict)
    electrodes: dict[str, str] = field(default_factory=dict)
    grf_right: tuple[str, ...] | None = None
    grf_left: tuple[str, ...] | None = None
    threshold_n: float = 20.0
    min_stance_s: float = 0.08
    min_swing_s: float = 0.08
    baseline: str = BASELINES[0]
    activation_columns: tuple[str, ...] | None = None
    model: Model | None = None
    activation_tolerance: float = RANGE.limit
    resampling: str = RESAMPLING[0]
    emg_processing: Processing | None = None
    ignored: tuple[str, ...] = ()

    @property
    def limits(self) -> Limits:
        """How a contact of a foot is told."""
        return Limits(self.threshold_n, self.min_stance_s, self.min_swing_s, self.baseline)


def read_settings(path: Path) -> tuple[Settings, list[str]]:
    """Read settings and every problem found in them, one sentence each.

    Raises
    ------
    Nem2eError
        If the file is missing or no TOML.
    """
    content = parse_toml(path, read_text(path)[0])
    problems = [*_missing(path, content), *_misfits(path, content, _TOP, "")]
    tables = {key: _table(content, key) for key, kind in _TOP.items() if kind == _TABLE}
    for name, kinds in _INNER.items():
        problems += _misfits(path, tables[name], kinds, f"[{name}] ")
    problems += [*_texts(path, "emg", tables["emg"]), *_texts(path, "electrodes", tables["electrodes"])]
    if not problems:
        problems += _values(path, content, tables)
    model, more = (None, []) if problems else _model(path, tables["activation"].get("model"))
    problems += more
    return (Settings() if problems else dataclasses.replace(_settings(content, tables), model=model)), problems


def _model(path: Path, text: str | None) -> tuple[Model | None, list[str]]:
    """The model that a study names, and what is wrong with it."""
    if text is None:
        return None, []
    file, problem = place(path.parent, text)
    if problem:
        return None, [f"{path}: [activation] model is {text!r}, but {problem}"]
    try:
        return read_model(file), []
    except Nem2eError as error:
        return None, [str(error)]


def _table(content: dict[str, Any], key: str) -> dict[str, Any]:
    table = content.get(key)
    return table if isinstance(table, dict) else {}


def _missing(path: Path, content: dict[str, Any]) -> list[str]:
    found = ", ".join(content) or "nothing"
    return [f"{path}: no key {key!r}; found {found}." for key in _REQUIRED if key not in content]


def _misfits(path: Path, content: dict[str, Any], kinds: dict[str, str], where: str) -> list[str]:
    problems = []
    for key, value in content.items():
        if key not in kinds:
            hint = near(key, kinds) or f"; known keys are {', '.join(kinds)}."
            problems.append(f"{path}: unknown key {where}{key!r}{hint}")
        elif not _fits(value, kinds[key]):
            problems.append(f"{path}: {where}{key} is {value!r}, but {kinds[key]} is expected.")
    return problems


def _fits(value: Any, kind: str) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    texts = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return {
        _TEXT: isinstance(value, str),
        _FLAG: isinstance(value, bool),
        _TABLE: isinstance(value, dict),
        _NUMBER: number,
        _WHOLE: number and isinstance(value, int),
        _PAIR: isinstance(value, list) and len(value) == 2 and all(_fits(item, _NUMBER) for item in value),
        _NUMBERS: number or (isinstance(value, list) and all(_fits(item, _NUMBER) for item in value)),
        _TEXTS: texts,
        _COLUMNS: texts or isinstance(value, str),
    }[kind]


def _texts(path: Path, table: str, content: dict[str, Any]) -> list[str]:
    return [
        f"{path}: [{table}] {key} is {value!r}, but a name in quotes is expected."
        for key, value in content.items()
        if not isinstance(value, str) or not value.strip()
    ]


def _values(path: Path, content: dict[str, Any], tables: dict[str, Any]) -> list[str]:
    problems = [f"{path}: {key} is empty, but text is expected." for key in _REQUIRED if content[key] == ""]
    if content["name"] and not re.fullmatch(r"\w[\w.-]*", content["name"], re.ASCII):
        problems.append(
            f"{path}: name is {content['name']!r}, but only letters, digits, '.', '_' and '-' are allowed, "
            "because folders are called by it."
        )
    for key, known in (("cycle", CYCLES), ("resampling", RESAMPLING)):
        if content.get(key, known[0]) not in known:
            problems.append(f"{path}: {key} is {content[key]!r}, but {' or '.join(known)} is expected.")
    if not tables["emg"]:
        problems.append(f"{path}: [emg] is empty, but at least one EMG name = muscle name is expected.")
    strange = [key for key in tables["electrodes"] if key not in tables["emg"]]
    for key in strange:
        problems.append(f"{path}: [electrodes] {key!r} is no name in [emg]{near(key, tables['emg']) or '.'}")
    problems += _force_problems(path, tables["grf"], content.get("cycle", CYCLES[0]))
    if tables["emg_processing"] or "emg_processing" in content:
        problems += _processing_problems(path, tables["emg_processing"])
    problems += _check_problems(path, tables["checks"])
    if tables["activation"].get("columns") == []:
        problems.append(f"{path}: [activation] columns is empty, but at least one column is expected.")
    tolerance = tables["activation"].get("tolerance", 0.0)
    if not 0 <= tolerance < float("inf"):
        problems.append(f"{path}: [activation] tolerance is {tolerance}, but a number from 0 is expected.")
    return problems


def _check_problems(path: Path, checks: dict[str, Any]) -> list[str]:
    problems = []
    for name, value in checks.items():
        if name not in CHECKS:
            hint = near(name, CHECKS) or "; docs/checks.md lists them."
            problems.append(f"{path}: [checks] {name!r} is no check{hint}")
        elif value != IGNORE:
            problems.append(f"{path}: [checks] {name} is {value!r}, but {IGNORE!r} is expected, or no such line.")
    return problems


def _force_problems(path: Path, grf: dict[str, Any], cycle: str) -> list[str]:
    """What is wrong with the table's values, one sentence each; their kinds have been judged."""
    problems = []
    threshold = grf.get("threshold_n", 20.0)
    if not 0 < threshold < float("inf"):
        problems.append(f"{path}: [grf] threshold_n is {threshold}, but more than 0 N is expected.")
    for key in ("min_stance_s", "min_swing_s"):
        if not 0 <= grf.get(key, 0.0) < 10:
            problems.append(f"{path}: [grf] {key} is {grf[key]}, but a time from 0 to 10 s is expected.")
    if grf.get("baseline", BASELINES[0]) not in BASELINES:
        problems.append(f"{path}: [grf] baseline is {grf['baseline']!r}, but {' or '.join(BASELINES)} is expected.")
    if ("right" in grf) != ("left" in grf):
        problems.append(
            f"{path}: [grf] names one side only, but both right and left are expected; "
            "write [] for the side that was not measured."
        )
    needed = [side for side in cycle.split("-") if grf.get(side) == []]
    if needed:
        problems.append(f"{path}: [grf] {needed[0]} is empty, but cycle = {cycle!r} needs its heel strikes.")
    return problems


def _processing_problems(path: Path, table: dict[str, Any]) -> list[str]:
    """What is wrong with the table's values, one sentence each; their kinds have been judged."""
    where, problems = f"{path}: [emg_processing]", []
    recipe, how = table.get("recipe"), table.get("normalise", NORMALISE[0])
    if recipe is None and "low_pass_hz" not in table:
        problems.append(f"{where} has neither recipe nor low_pass_hz; name a recipe ({', '.join(RECIPES)}) or steps.")
    if recipe is not None and recipe not in RECIPES:
        hint = near(recipe, RECIPES) or "."
        problems.append(f"{where} recipe is {recipe!r}, but {', '.join(RECIPES)} is expected{hint}")
    if how not in NORMALISE:
        hint = near(how, NORMALISE) or "."
        problems.append(f"{where} normalise is {how!r}, but {', '.join(NORMALISE)} is expected{hint}")
    if not 0 < table.get("percentile", 100) <= 100:
        problems.append(f"{where} percentile is {table['percentile']}, but more than 0 and up to 100 is expected.")
    if "percentile" in table and how in NORMALISE and how not in OF_CYCLES:
        problems.append(
            f"{where} percentile is that of the peaks of gait cycles; with normalise = {how!r} leave it out."
        )
    return problems + [f"{where} {problem}" for problem in _filter_problems(table)]


def _filter_problems(table: dict[str, Any]) -> list[str]:
    problems = []
    low, high = table.get("band_hz", (1, 2))
    if not 0 < low < high:
        problems.append(f"band_hz is [{low}, {high}], but two rising numbers above 0 Hz are expected.")
    lines = table.get("notch_hz", 50)
    if not min(lines if isinstance(lines, list) else [lines], default=0) > 0:
        problems.append(f"notch_hz is {lines}, but more than 0 Hz is expected, as in 50 or [150, 250].")
    if "notch_hz" in table and table.get("recipe") == "envelope":
        problems.append("notch_hz takes hum out of raw EMG, and recipe = 'envelope' has none; leave it out.")
    if not table.get("low_pass_hz", 1) > 0:
        problems.append(f"low_pass_hz is {table['low_pass_hz']}, but more than 0 Hz is expected.")
    for key in ("band_order", "low_pass_order"):
        order, single = table.get(key, 2), table.get("per_pass", False)
        if not 0 < order <= 20 or (order % 2 and not single):
            kind = "from 1 to 20" if single else "from 2 to 20 that is even (both passes together)"
            problems.append(f"{key} is {order}, but a whole number {kind} is expected.")
    return problems


def _settings(content: dict[str, Any], tables: dict[str, Any]) -> Settings:
    plain = {key: content[key] for key in _TOP if key in content and key not in tables}
    columns = tables["activation"].get("columns")
    return Settings(
        **plain,
        targets=dict(tables["emg"]),
        electrodes={name: tables["electrodes"].get(name, name) for name in tables["emg"]},
        **_force(tables["grf"]),
        activation_columns=None if columns is None else tuple(columns),
        activation_tolerance=float(tables["activation"].get("tolerance", RANGE.limit)),
        emg_processing=_processing(tables["emg_processing"]),
        ignored=tuple(tables["checks"]),
    )


def _force(grf: dict[str, Any]) -> dict[str, Any]:
    """The fields of `Settings` that a sound table gives."""
    limits: dict[str, Any] = {
        key: float(grf[key]) for key in ("threshold_n", "min_stance_s", "min_swing_s") if key in grf
    }
    limits |= {"baseline": grf["baseline"]} if "baseline" in grf else {}
    return limits | {f"grf_{side}": _columns(grf.get(side)) for side in ("right", "left")}


def _columns(named: str | list[str] | None) -> tuple[str, ...] | None:
    return None if named is None else (named,) if isinstance(named, str) else tuple(named)


def _processing(table: dict[str, Any]) -> Processing | None:
    """The settings of a sound table; None if it is empty. Steps that are named replace those of the recipe."""
    if not table:
        return None
    base = RECIPES[table["recipe"]] if "recipe" in table else Recipe()
    steps = {key: value for key, value in table.items() if key not in ("recipe", "normalise", "percentile")}
    if "band_hz" in steps:
        steps["band_hz"] = (float(steps["band_hz"][0]), float(steps["band_hz"][1]))
    if isinstance(steps.get("notch_hz"), list):
        steps["notch_hz"] = tuple(map(float, steps["notch_hz"]))
    percentile = float(table.get("percentile", 100))
    return Processing(dataclasses.replace(base, **steps), table.get("normalise", NORMALISE[0]), percentile)


@dataclass(frozen=True)
class Line:
    """A line of ``study.toml``: ``key = value  # note``; one that is left to a person stands behind a ``#``."""

    key: str
    value: Any
    note: str = ""
    left: bool = False


@dataclass(frozen=True)
class Section:
    """A table of ``study.toml``, the keys above all tables without a name; a text among the lines is a remark.

    Keys that TOML takes bare are written bare, unless they are to be quoted like those that need it.
    """

    name: str
    lines: Sequence[Line | str]
    note: str = ""
    quoted: bool = False


def settings_text(sections: Iterable[Section]) -> str:
    """Return the text of a ``study.toml``: its sections, an empty line between them."""
    return "\n\n".join("\n".join(_section(section)) for section in sections) + "\n"


def _section(section: Section) -> Iterator[str]:
    if section.name:
        yield f"[{section.name}]{_note(section.note)}"
    for line in section.lines:
        if isinstance(line, str):
            yield f"# {line}"
            continue
        key = _toml(line.key) if section.quoted else bare_key(line.key)
        yield f"{'# ' * line.left}{key} = {_toml(line.value)}{_note(line.note)}"


def _note(text: str) -> str:
    return f"  # {text}" if text else ""


def bare_key(name: str) -> str:
    """Return a name as a key of TOML: in quotes where it needs them."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _toml(name)


def _toml(value: Any) -> str:
    """A text, number, truth or list: in JSON's spelling, which is TOML's too."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
