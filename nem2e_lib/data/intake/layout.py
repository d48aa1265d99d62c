"""A layout: which files of an archive are what, told by patterns in a TOML file that a user can edit."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from nem2e_lib.data.files import read_text
from nem2e_lib.data.tables import near, parse_toml
from nem2e_lib.error import Nem2eError

SHIPPED = ("running", "walking")
"""Layouts that come with nem2e, by name."""
KINDS = ("activation", "controls", "setup", "emg", "grf")
"""What a file can be."""
_WAYS = ("setup", "force", "span")
"""Where the times of a cycle may come from."""
_UNITS = {"time": {"s": 1.0, "ms": 1e-3}, "force": {"N": 1.0, "kN": 1e3}, "activation": {"1": 1.0, "%": 1e-2}}
"""What a number is multiplied by to be in s, N or from 0 to 1."""
_TOP: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("about", "name", "motion", "simulated_by", "citation", "licence", "subject", "trial"), str),
    "guess": bool,
    "leave": list,
    **dict.fromkeys(("parts", "expected", "speeds", "files", "columns", "units", "cycles"), dict),
    **dict.fromkeys(("emg", "emg_of", "emg_muscles", "emg_processing"), dict),
}
_INNER = {
    "expected": ("subject", "speed", "each"),
    "files": KINDS,
    "columns": ("activation", "extra", "right", "left"),
    "units": tuple(_UNITS),
    "cycles": ("from", "threshold_n"),
}
_NEEDED = ("name", "motion", "simulated_by", "subject", "trial", "parts", "files")
_TOKEN = re.compile(r"\{(\w+)\}|(\*\*/)|(\*\*)|(\*)|(\?)|(\[[^\]]+\])")


@dataclass(frozen=True)
class Layout:
    """The content of a layout file; `patterns` and `leave` are compiled."""

    path: str
    content: dict[str, Any]
    patterns: dict[str, tuple[re.Pattern[str], ...]]
    leave: tuple[re.Pattern[str], ...]
    text: str = field(repr=False, default="")

    def table(self, name: str) -> dict[str, Any]:
        """Return one table of the file; empty where it has none."""
        return dict(self.content.get(name, {}))

    def say(self, name: str) -> str:
        """Return one text of the file; empty where it has none."""
        return str(self.content.get(name, ""))

    def unit(self, kind: str) -> float:
        """Return what values of that kind are multiplied by."""
        return _UNITS[kind][str(self.table("units").get(kind, next(iter(_UNITS[kind]))))]


def read_layout(name: str) -> Layout:
    """Read a layout that is shipped, by its name, or a file of the user's.

    Raises
    ------
    Nem2eError
        If there is no such layout, or the file is no sound layout.
    """
    if name in SHIPPED:
        text = resources.files("nem2e_lib.data.intake").joinpath(f"{name}.toml").read_text(encoding="utf-8")
        return parse_layout(f"layout {name}", text)
    if not Path(name).is_file():
        raise Nem2eError(f"--layout {name}: neither a layout of nem2e ({', '.join(SHIPPED)}) nor a file.")
    return parse_layout(name, read_text(name)[0])


def parse_layout(path: str, text: str) -> Layout:
    """Return the layout in a text; Nem2eError with the first thing that is wrong with it."""
    content = parse_toml(path, text)
    _check_keys(path, content)
    parts = {str(key): str(value) for key, value in content["parts"].items()}
    patterns = {
        kind: tuple(compile_pattern(path, each, parts) for each in _texts(path, f"[files] {kind}", found))
        for kind, found in content["files"].items()
    }
    if not patterns.get("activation"):
        raise Nem2eError(f"{path}: [files] has no pattern for activation; name the files with simulated activation.")
    _check_values(path, content, parts)
    leave = tuple(compile_pattern(path, each, parts) for each in _texts(path, "leave", content.get("leave", [])))
    return Layout(path, content, patterns, leave, text)


def _check_keys(path: str, content: dict[str, Any]) -> None:
    for key in _NEEDED:
        if key not in content:
            raise Nem2eError(f"{path}: no key {key!r}; copy one of nem2e's layouts ({', '.join(SHIPPED)}) and edit it.")
    for key, value in content.items():
        if key not in _TOP:
            raise Nem2eError(f"{path}: unknown key {key!r}{near(key, _TOP) or '; known are ' + ', '.join(_TOP) + '.'}")
        if not isinstance(value, _TOP[key]):
            raise Nem2eError(f"{path}: {key} is {value!r}, but another kind of value is expected (docs/archives.md).")
    for table, known in _INNER.items():
        for key in content.get(table, {}):
            if key not in known:
                raise Nem2eError(f"{path}: unknown key [{table}] {key!r}; known are {', '.join(known)}.")


def _check_values(path: str, content: dict[str, Any], parts: dict[str, str]) -> None:
    for key, value in content.get("units", {}).items():
        if value not in _UNITS[key]:
            raise Nem2eError(f"{path}: [units] {key} is {value!r}, but {' or '.join(_UNITS[key])} is expected.")
    for way in _texts(path, "[cycles] from", content.get("cycles", {}).get("from", list(_WAYS))):
        if way not in _WAYS:
            raise Nem2eError(f"{path}: [cycles] from has {way!r}, but {', '.join(_WAYS)} are known.")
    for key in ("subject", "trial"):
        for name in re.findall(r"\{(\w+)\}", content[key]):
            if name not in parts:
                raise Nem2eError(f"{path}: {key} names the part {name!r}, which [parts] does not have.")
    for name in ("subject", "speed"):
        if name not in parts:
            raise Nem2eError(f"{path}: [parts] has no {name!r}; say how it looks in a path.")
    for name, value in content.get("speeds", {}).items():
        if not isinstance(value, dict) or not set(value) <= {"label", "m_s"}:
            raise Nem2eError(f"{path}: [speeds] {name} is {value!r}, but {{ label = …, m_s = … }} is expected.")


def _texts(path: str, key: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Nem2eError(f"{path}: {key} is {value!r}, but a list of texts in quotes is expected.")
    return value


def compile_pattern(path: str, pattern: str, parts: dict[str, str]) -> re.Pattern[str]:
    """Return a pattern as a regular expression, in which letter case does not matter.

    ``*`` is anything within a folder, ``**/`` any folders or none, ``?`` one character, ``[xy]`` one of them,
    ``{subject}`` the named part; a part that comes again must be the same.

    Raises
    ------
    Nem2eError
        If it names a part that `parts` lacks, or the part is no regular expression.
    """
    known: set[str] = set()
    built, last = "", 0
    for token in _TOKEN.finditer(pattern):
        built += re.escape(pattern[last : token.start()]) + _piece(path, pattern, token, parts, known)
        last = token.end()
    try:
        return re.compile(built + re.escape(pattern[last:]), re.IGNORECASE)
    except re.error as error:
        raise Nem2eError(f"{path}: pattern {pattern!r} is no valid pattern ({error}).") from None


def _piece(path: str, pattern: str, token: re.Match[str], parts: dict[str, str], known: set[str]) -> str:
    name = token.group(1)
    if name is None:
        return {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(token.group(), token.group())
    if name not in parts:
        raise Nem2eError(f"{path}: pattern {pattern!r} names the part {name!r}, which [parts] does not have.")
    again = name in known
    known.add(name)
    return f"(?P={name})" if again else f"(?P<{name}>{parts[name]})"
