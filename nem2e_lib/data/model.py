"""What an OpenSim model says of its muscles and of its other forces; needs no OpenSim."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nem2e_lib.data.files import read_bytes
from nem2e_lib.error import Nem2eError

_SETS = ("ForceSet", "ActuatorSet", "MuscleSet")
"""Sets whose objects are forces; older versions call them otherwise."""
_MUSCLE = re.compile(r"Muscle(?:_\w+)?$")
"""End of the class of a muscle that stands among a model's components, where other classes have the word in them."""
_COLONS = re.compile(rb"(</?\w+)::")
"""Classes within classes, whose elements OpenSim calls by names that are no XML."""


@dataclass(frozen=True)
class Model:
    """A model's names.

    Attributes
    ----------
    path : Path
    muscles : tuple of str
        In the order of the model.
    others : dict
        Forces that are no muscles, and coordinates: name to class.
    """

    path: Path
    muscles: tuple[str, ...]
    others: Mapping[str, str] = field(repr=False)


def read_model(path: Path) -> Model:
    """Read the names of an .osim file of any version.

    A muscle is what the model has among its forces under a class with Muscle in its name.

    Raises
    ------
    Nem2eError
        If the file is missing, no OpenSim model, or has no muscles.
    """
    try:
        root = ET.fromstring(_COLONS.sub(rb"\1.", read_bytes(path)))
    except ET.ParseError as error:
        raise Nem2eError(
            f"{path}: is no well-formed XML ({error}), but an OpenSim model (.osim) is expected."
        ) from None
    found = list(_forces(root))
    muscles = tuple(dict.fromkeys(name for name, kind in found if "Muscle" in kind))
    if not muscles:
        what = ", ".join(sorted({kind for _, kind in found})) or root.tag
        raise Nem2eError(f"{path}: has no muscles (found {what}), but a musculoskeletal model (.osim) is expected.")
    others = {each.get("name", ""): "coordinate" for each in root.iter("Coordinate")}
    others |= {name: kind for name, kind in found if "Muscle" not in kind}
    return Model(path, muscles, others)


def _forces(root: ET.Element) -> Iterator[tuple[str, str]]:
    """Name and class of every force."""
    for name in _SETS:
        for objects in (inner for each in root.iter(name) for inner in each.findall("objects")):
            yield from ((one.get("name", ""), one.tag) for one in objects)
    for components in root.iter("components"):
        yield from ((one.get("name", ""), one.tag) for one in components if _MUSCLE.search(one.tag))
