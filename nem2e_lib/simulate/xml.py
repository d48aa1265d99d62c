"""OpenSim documents (XML): built from plain mappings, written whole, read with one sentence where they are broken."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from nem2e_lib.data.files import read_bytes, replacing
from nem2e_lib.error import Nem2eError

VERSION = "40000"
"""Version of the documents written: the format of OpenSim 4."""

_COLONS = re.compile(rb"(</?\w+)::")
"""OpenSim's contact forces have elements such as ``HuntCrossleyForce::ContactParameters``, no well-formed XML."""

Value: TypeAlias = "str | bool | float | Sequence[str] | Sequence[float] | ET.Element"


def node(
    tag: str, values: Mapping[str, Value] | None = None, name: str = "", children: Sequence[ET.Element] = ()
) -> ET.Element:
    """Return an element with one child a value, then `children`; `name` becomes its attribute."""
    element = ET.Element(tag, {"name": name} if name else {})
    for key, value in (values or {}).items():
        if isinstance(value, ET.Element):
            element.append(value)
        else:
            ET.SubElement(element, key).text = text_of(value)
    element.extend(children)
    return element


def object_set(tag: str, members: Sequence[ET.Element], name: str = "") -> ET.Element:
    """Return a set of OpenSim objects, e.g. a ForceSet or a CMC_TaskSet."""
    objects = ET.Element("objects")
    objects.extend(members)
    return node(tag, name=name, children=[objects, ET.Element("groups")])


def text_of(value: str | bool | float | Sequence[str] | Sequence[float]) -> str:
    """Return a value as OpenSim writes it: booleans in lower case, lists with blanks between."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence):
        return " ".join(text_of(item) for item in value)
    return repr(float(value)) if isinstance(value, float) else str(value)


def write_document(path: Path, root: ET.Element) -> Path:
    """Write `root` as an OpenSim document and return the path."""
    document = ET.Element("OpenSimDocument", {"Version": VERSION})
    document.append(root)
    save_tree(path, ET.ElementTree(document))
    return path


def save_tree(path: Path, tree: ET.ElementTree[ET.Element]) -> None:
    """Write a whole tree, indented."""
    ET.indent(tree, "\t")
    with replacing(path) as temporary:
        tree.write(temporary, encoding="UTF-8", xml_declaration=True)


def read_document(path: Path) -> ET.ElementTree[ET.Element]:
    """Read an OpenSim document; ``::`` in the name of an element reads as ``..``.

    Raises
    ------
    Nem2eError
        If the file is missing or no XML, or its root is neither OpenSimDocument nor an older document's.
    """
    try:
        return ET.ElementTree(ET.fromstring(_COLONS.sub(rb"\1..", read_bytes(path))))
    except ET.ParseError as error:
        raise Nem2eError(f"{path}: is no well-formed XML ({error}), but an OpenSim document is expected.") from None


def find(path: Path, tree: ET.ElementTree[ET.Element], tag: str) -> ET.Element:
    """Return the first element `tag` of a document; Nem2eError naming what was found instead."""
    root = tree.getroot()
    found = root if root.tag == tag else root.find(f".//{tag}")
    if found is None:
        there = ", ".join(child.tag for child in root) or root.tag
        raise Nem2eError(f"{path}: holds {there}, but a document with <{tag}> is expected.")
    return found
