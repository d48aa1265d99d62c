"""Marker sets as data: where markers are on a model's bodies, how far each is trusted, which pairs scale what.

Sets are shipped as TOML files in ``marker_sets``; a person's own is such a file, or OpenSim's marker set (XML), which
says where markers are and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nem2e_lib.data.files import read_text
from nem2e_lib.data.tables import near, parse_toml
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.xml import read_document

Place = tuple[float, float, float]
Pair = tuple[str, str]

FOLDER = Path(__file__).parent / "marker_sets"
SKELETONS = ("gait2392", "rajagopal")
"""Whose body frames places can be for: gait2392, gait2354 and Hamner 2010 share one, Rajagopal 2015 to 2023 another."""
AXES = "xyz"
FARTHEST_M = 2.0
"""No marker is further from the origin of its body: places in mm would be."""
_SIDES = (("R", "r", 1.0), ("L", "l", -1.0))
_MARKER = {"body", "at", *SKELETONS, "fixed", "weight", "static", "also"}
_SCALE = {"bodies", "axes", "pairs", "otherwise"}
_SIZE = {"joints", *SKELETONS}
_TOP = {"name", "about", "sizes", "markers", "scale"}


@dataclass(frozen=True)
class SetMarker:
    """A marker of a set.

    Attributes
    ----------
    body : str
    places : dict
        Skeleton to place on the body in m; under an empty name the one for any model.
    fixed : bool
        Whether the static pose leaves it where it is.
    weight, static : float
        How far it is trusted in inverse kinematics, and in the fit of the static pose.
    also : tuple of str
        Other names that files have for it.
    """

    body: str
    places: Mapping[str, Place]
    fixed: bool = False
    weight: float = 1.0
    static: float = 1.0
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    """What scales bodies along axes: the mean over pairs of markers of measured over model's distance.

    `mirrored` are the pairs of the other side, which stand in where a file has none of `pairs` and of `otherwise`.
    """

    bodies: tuple[str, ...]
    axes: str
    pairs: tuple[Pair, ...]
    otherwise: tuple[Pair, ...] = ()
    mirrored: tuple[Pair, ...] = ()


@dataclass(frozen=True)
class Size:
    """How large a body is on which the places of a set hold: the distance in m between joints that carry two bodies."""

    joints: Pair
    length_m: Mapping[str, float]


@dataclass(frozen=True)
class MarkerSet:
    """Markers by name, the rules of scaling, and the sizes of bodies for which the places hold; `path` is its file."""

    path: Path
    name: str
    markers: Mapping[str, SetMarker]
    scale: tuple[Rule, ...] = ()
    sizes: Mapping[str, Size] = field(default_factory=dict)
    about: str = ""


def shipped() -> dict[str, Path]:
    """Return the sets that come with this library, name to file."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.toml"))}


def find_set(named: str | Path) -> Path:
    """Return the file of a set that is shipped under a name, or the file itself.

    Raises
    ------
    Nem2eError
        If there is neither.
    """
    known = shipped()
    if str(named) in known:
        return known[str(named)]
    path = Path(named)
    if not path.is_file():
        raise Nem2eError(
            f"Marker set {str(named)!r}: neither one of those shipped ({', '.join(known)}) nor a file (.toml, .xml)"
            f"{near(str(named), known)}."
        )
    return path


def how_to_give() -> str:
    """Return the ways to put markers on a model, for sentences on a model that lacks them."""
    return (
        f"give their places on it with --marker-set (one that is shipped, {', '.join(shipped())}, or a file of the "
        "laboratory's, .xml or .toml), or scale with a set-up that names such a file (<marker_set_file>)"
    )


def read_marker_set(named: str | Path) -> MarkerSet:
    """Read a marker set: one that is shipped by its name, a TOML file, or OpenSim's own (.xml).

    Raises
    ------
    Nem2eError
        If there is none, or the file is no marker set, with all that is wrong in it.
    """
    path = find_set(named)
    if path.suffix.lower() in (".xml", ".osim"):
        return _of_opensim(path)
    return _Reader(path).read()


def _of_opensim(path: Path) -> MarkerSet:
    """OpenSim's marker set; bodies by ``socket_parent_frame`` as OpenSim 4 writes them, or by ``body`` as before."""
    markers: dict[str, SetMarker] = {}
    problems: list[str] = []
    for element in read_document(path).getroot().iter("Marker"):
        name = element.get("name", "")
        body = (element.findtext("socket_parent_frame") or element.findtext("body") or "").strip().rsplit("/", 1)[-1]
        place = _numbers((element.findtext("location") or "").split())
        fixed = (element.findtext("fixed") or "").strip().lower() == "true"
        if not name or name in markers:
            problems.append(f"marker {name!r} has no name of its own")
        elif not body or place is None:
            problems.append(
                f"marker {name!r} needs a body and three numbers of <location> in m, within {FARTHEST_M:g} m"
            )
        else:
            markers[name] = SetMarker(body, {"": place}, fixed)
    if problems or not markers:
        raise Nem2eError(f"{path}: {'; '.join(problems) or 'holds no <Marker>, but a marker set is expected'}.")
    return MarkerSet(path, path.stem, markers)


def _numbers(values: Any) -> Place | None:
    """Three finite numbers of a place near its body; None for anything else."""
    try:
        place = tuple(float(value) for value in values)
    except (TypeError, ValueError):
        return None
    if len(place) != 3 or not all(abs(value) <= FARTHEST_M for value in place):
        return None
    return place[0], place[1], place[2]


class _Reader:
    """A TOML file read; what is wrong with it is gathered and told at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[str] = []

    def read(self) -> MarkerSet:
        content = parse_toml(self.path, read_text(self.path)[0])
        self._keys("the file", content, _TOP)
        markers = dict(self._markers(self._table(content, "markers")))
        rules = tuple(self._rules(content.get("scale", []), markers))
        sizes = dict(self._sizes(self._table(content, "sizes")))
        if not markers and not self.problems:
            self.problems.append("[markers] is empty or missing, but a line a marker is expected")
        if self.problems:
            raise Nem2eError(f"{self.path}: {'; '.join(self.problems)}.")
        name, about = str(content.get("name", self.path.stem)), str(content.get("about", ""))
        return MarkerSet(self.path, name, markers, rules, sizes, about)

    def _table(self, content: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        table = content.get(key, {})
        if not isinstance(table, Mapping):
            self.problems.append(f"{key} is {table!r}, but a table [{key}] is expected")
            return {}
        return table

    def _keys(self, where: str, table: Mapping[str, Any], known: Iterable[str]) -> None:
        known = sorted(known)
        self.problems += [
            f"{where} has the key {key!r}, but keys are {', '.join(known)}{near(key, known).rstrip('?')}"
            for key in table
            if key not in known
        ]

    def _markers(self, table: Mapping[str, Any]) -> Iterator[tuple[str, SetMarker]]:
        seen: set[str] = set()
        for written, value in table.items():
            where = f"marker {written!r}"
            if not isinstance(value, Mapping):
                self.problems.append(f"{where} is {value!r}, but {{ body = …, at = [x, y, z] }} is expected")
                continue
            self._keys(where, value, _MARKER)
            body, also = value.get("body"), value.get("also", [])
            places = {key if key in SKELETONS else "": value[key] for key in ("at", *SKELETONS) if key in value}
            found = {key: _numbers(place) for key, place in places.items()}
            if not isinstance(body, str) or not found or None in found.values():
                self.problems.append(
                    f"{where} needs body = a name, and at (or {', '.join(SKELETONS)}) = [x, y, z] in m, within "
                    f"{FARTHEST_M:g} m"
                )
                continue
            if not _texts(also):
                self.problems.append(f"{where}: also is {also!r}, but a list of names is expected")
                continue
            weight = self._weight(where, "weight", value.get("weight", 1.0))
            static = self._weight(where, "static", value.get("static", weight))
            for sided, mirror in _sides(written, body):
                name, on, *others = (sided(text) for text in (written, body, *also))
                if name in seen:
                    self.problems.append(f"marker {name!r} occurs twice")
                seen.add(name)
                mirrored = {key: (x, y, mirror * z) for key, (x, y, z) in found.items()}  # type: ignore[misc]
                yield name, SetMarker(on, mirrored, bool(value.get("fixed", False)), weight, static, tuple(others))

    def _weight(self, where: str, key: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
            self.problems.append(f"{where}: {key} is {value!r}, but 0 or a number above is expected")
            return 1.0
        return float(value)

    def _rules(self, listed: Any, markers: Mapping[str, SetMarker]) -> Iterator[Rule]:
        for number, value in enumerate(listed if isinstance(listed, list) else [listed], 1):
            where = f"[[scale]] {number}"
            if not isinstance(value, Mapping):
                self.problems.append(f"{where} is {value!r}, but a table is expected")
                continue
            self._keys(where, value, _SCALE)
            bodies, axes = value.get("bodies"), value.get("axes", AXES)
            pairs, otherwise = value.get("pairs", []), value.get("otherwise", [])
            if not bodies or not _texts(bodies) or not isinstance(axes, str) or not axes or set(axes) - set(AXES):
                self.problems.append(f'{where} needs bodies = [names] and axes = letters of "{AXES}"')
                continue
            if not pairs or not all(_texts(pair) and len(pair) == 2 for pair in [*pairs, *otherwise]):
                self.problems.append(f'{where} needs pairs = [["marker", "marker"], …], otherwise alike')
                continue
            sided = [
                [tuple(map(side, bodies)), _pairs(side, pairs), _pairs(side, otherwise)] for side, _ in _sides(*bodies)
            ]
            for own, (names, first, second) in enumerate(sided):
                other = sided[1 - own][1] if len(sided) == 2 else ()
                self._known(where, [*first, *second], markers)
                yield Rule(names, axes, first, second, other)

    def _known(self, where: str, pairs: Sequence[Pair], markers: Mapping[str, SetMarker]) -> None:
        for name in dict.fromkeys(name for pair in pairs for name in pair if name not in markers):
            self.problems.append(f"{where} measures by {name!r}, no marker of the set{near(name, markers).rstrip('?')}")

    def _sizes(self, table: Mapping[str, Any]) -> Iterator[tuple[str, Size]]:
        for written, value in table.items():
            where = f"size of {written!r}"
            if not isinstance(value, Mapping):
                self.problems.append(f"{where} is {value!r}, but {{ joints = [body, body], … }} is expected")
                continue
            self._keys(where, value, _SIZE)
            joints, lengths = value.get("joints", []), {key: value[key] for key in SKELETONS if key in value}
            right = all(isinstance(each, int | float) and 0 < each <= FARTHEST_M for each in lengths.values())
            if not _texts(joints) or len(joints) != 2 or not lengths or not right:
                self.problems.append(
                    f"{where} needs joints = [body, body] and a length in m of {' or '.join(SKELETONS)}"
                )
                continue
            for side, _ in _sides(written):
                yield side(written), Size((side(joints[0]), side(joints[1])), lengths)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) and each for each in value)


def _sides(*texts: str) -> Iterator[tuple[Any, float]]:
    """Yield what writes a side's names and the sign of its z: of both sides where a text has {S} or {s}, else once."""
    two = any("{S}" in text or "{s}" in text for text in texts)
    for capital, small, mirror in _SIDES if two else _SIDES[:1]:
        yield (lambda text, big=capital, low=small: text.replace("{S}", big).replace("{s}", low)), mirror


def _pairs(side: Any, pairs: Sequence[Sequence[str]]) -> tuple[Pair, ...]:
    return tuple((side(first), side(second)) for first, second in pairs)
