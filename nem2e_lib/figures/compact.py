"""SVG in half the bytes: the same picture to less than a hundredth of a point, under ids and classes that never clash.

Names are made of what they name: two drawings in one page share a name only for what is the same in both.
"""

from __future__ import annotations

import functools
import hashlib
import html
import re
from collections import Counter
from collections.abc import Iterator
from xml.etree import ElementTree

DECIMALS = 2
"""Of coordinates in points."""
SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
HREF = f"{{{XLINK}}}href"
ElementTree.register_namespace("", SVG)
ElementTree.register_namespace("xlink", XLINK)
LARGER, COARSER = 10, 2
"""Signs are drawn that many times as large as by matplotlib, a thousand points, and need fewer decimals then."""
SAID, FACE = "data-text", "data-face"
"""Of a line of text, whose signs are drawn: what it says, and the face where it is not the plain one."""
PLACES = frozenset({"x", "y", "width", "height"})
POINTS = {"M": 1, "L": 1, "Q": 2, "C": 3, "Z": 0}
"""Points that each command of a path takes; paths with other commands stay as they are."""
_FOLD = re.compile(r"scale\(([\d.]+)\)")
_MIRRORED = re.compile(r"scale\(([\d.]+) -\1\)$")
SIGNS = "abcdefghijklmnopqrstuvwxyz0123456789"
SPOKEN = frozenset({"title", "desc"})
"""What assistive technology reads out; its ids are referred to by name."""


def compact(text: str, decimals: int = DECIMALS) -> str:
    """Return an SVG of matplotlib's without white space, comments, idle groups and digits that nobody sees.

    Parameters
    ----------
    text : str
    decimals : int
        Of coordinates, in points.
    """
    root = ElementTree.fromstring(text, ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True)))
    names = _Names()
    _keep_words(root)
    _enlarge_signs(root)
    for element in root.iter():
        _trim(element)
        _round(element, decimals)
    _drop_blank_glyphs(root)
    _share(root, names)
    _repeat_texts(root, names)
    _name_styles(root, names)
    _drop_idle_groups(root)
    return ElementTree.tostring(root, encoding="unicode").replace(" />", "/>") + "\n"


class _Names:
    """Short names of contents, the same for the same content."""

    def __init__(self) -> None:
        self.contents: dict[str, str] = {}

    def __call__(self, content: str) -> str:
        """Return a letter and what is left of the content's hash, as many signs as no other content has taken."""
        number = int.from_bytes(hashlib.sha256(content.encode()).digest(), "big")
        first, number = SIGNS[number % 26], number // 26
        for length in range(3, 40):
            name = first + "".join(SIGNS[number // 36**place % 36] for place in range(length))
            if self.contents.setdefault(name, content) == content:
                return name
        raise AssertionError("contents of the same hash")


def _kind(element: ElementTree.Element) -> str:
    return str(element.tag).removeprefix(f"{{{SVG}}}")


def _keep_words(root: ElementTree.Element) -> None:
    """Note on each line of text what it says and in which face; matplotlib says it in comments, which go.

    Formulas, and what mixes faces, are signs alone.
    """
    for parent in list(root.iter()):
        said = ""
        for child in list(parent):
            if not isinstance(child.tag, str):  # a comment
                said = html.unescape((child.text or "").strip())
                parent.remove(child)
                continue
            faces = {use.get(HREF, "").rpartition("-")[0] for use in child if _kind(use) == "use"}
            if said and "$" not in said and "scale(" in child.get("transform", "") and len(faces) == 1:
                child.set(SAID, said)
                if face := faces.pop().partition("-")[2]:
                    child.set(FACE, face)
            said = ""


def _enlarge_signs(root: ElementTree.Element) -> None:
    """Draw signs larger and make them smaller where they are used: a point in each of their numbers less."""
    signs = [e for e in root.iter(f"{{{SVG}}}path") if e.get("id") and _FOLD.fullmatch(e.get("transform", ""))]
    names = {f"#{sign.get('id')}" for sign in signs}
    lines = [e for e in root.iter() if _MIRRORED.search(e.get("transform", ""))]
    inside = [child for line in lines for child in line if _kind(child) != "defs"]
    if sum(e.get(HREF) in names for e in root.iter()) != sum(child.get(HREF) in names for child in inside):
        raise AssertionError("a sign outside a line of text")
    for sign in signs:
        sign.set(
            "transform", _FOLD.sub(lambda found: f"scale({LARGER * float(found.group(1))})", sign.attrib["transform"])
        )
    for line in lines:
        line.set("transform", _MIRRORED.sub(_smaller, line.attrib["transform"]))
    for child in inside:
        for key in PLACES & set(child.attrib):
            child.set(key, str(LARGER * float(child.attrib[key])))
        if move := child.get("transform"):
            child.set("transform", re.sub(r"translate\(([^)]*)\)", _further, move))


def _smaller(found: re.Match[str]) -> str:
    size = float(found.group(1)) / LARGER
    return f"scale({size:.9f} {-size:.9f})"


def _further(found: re.Match[str]) -> str:
    return f"translate({' '.join(str(LARGER * float(place)) for place in found.group(1).split())})"


def _trim(element: ElementTree.Element) -> None:
    if _kind(element) not in SPOKEN | {"style"}:
        element.text = None
    element.tail = None


def _round(element: ElementTree.Element, decimals: int) -> None:
    fold = _FOLD.fullmatch(element.get("transform", ""))
    is_sign = bool(fold and element.get("d"))
    move = re.fullmatch(r"translate\((-?[\d.]+)[ ,](-?[\d.]+)\)", element.get("transform", ""))
    if is_sign and fold:
        element.set("d", _path(element.attrib["d"], decimals - COARSER, float(fold.group(1))))
        del element.attrib["transform"]
    elif _kind(element) == "use" and move and not {"x", "y"} & set(element.attrib):
        del element.attrib["transform"]
        for name, value in zip("xy", move.groups(), strict=True):
            if float(value):
                element.set(name, _number(float(value), decimals - COARSER))
    for name, value in element.attrib.items():
        if name == "d" and not is_sign:
            element.set(name, _path(value, decimals))
        elif name in PLACES and re.fullmatch(r"-?[\d.]+", value):
            element.set(name, _number(float(value), decimals))
        elif name == "transform":
            element.set(name, _transform(value, decimals))


def _number(value: float, decimals: int) -> str:
    return _parts(round(value * 10**decimals), decimals)


@functools.lru_cache(maxsize=100_000)
def _parts(count: int, decimals: int) -> str:
    """Return a number of hundredths (or as fine as decimals say) without digits that say nothing."""
    digits = str(abs(count)).zfill(decimals + 1)
    whole, rest = digits[: len(digits) - decimals].lstrip("0"), digits[len(digits) - decimals :].rstrip("0")
    text = f"{whole}.{rest}" if rest else whole or "0"
    return f"-{text}" if count < 0 else text


def _transform(text: str, decimals: int) -> str:
    def rounded(found: re.Match[str]) -> str:
        name, numbers = found.group(1), found.group(2).split()
        # Turning and scaling go by factors, which keep their digits; a move is a place.
        return f"{name}({_joined([_number(float(n), decimals if name == 'translate' else 9) for n in numbers])})"

    return re.sub(r"(\w+)\(([-\d.e ]+)\)", rounded, text)


@functools.lru_cache(maxsize=2_000)
def _path(text: str, decimals: int, scale: float = 1.0) -> str:
    """Return the path with each point counted from the one before it, where that is shorter."""
    tokens = re.findall(r"[A-Za-z]|-?[\d.]+(?:e-?\d+)?", text)
    if any(token.isalpha() and token.upper() not in POINTS for token in tokens):
        return text
    written, last, here, start = "", "", (0, 0), (0, 0)
    for command, points in _segments(tokens, scale * 10**decimals):
        if command == "Z":
            written, last, here = written + "z", "z", start
            continue
        best = min(
            (_segment(form, command, points, here, last, decimals) for form in "ra"), key=lambda one: len(one[0])
        )
        written, last, here = written + best[0], best[1], points[-1]
        if command == "M":
            start = here
    return written


def _segments(tokens: list[str], fineness: float) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """Commands of a path with their points, in whole parts of a point."""
    at = 0
    while at < len(tokens):
        command = tokens[at].upper()
        count = 2 * POINTS[command]
        numbers = [round(float(token) * fineness) for token in tokens[at + 1 : at + 1 + count]]
        yield command, list(zip(numbers[::2], numbers[1::2], strict=True))
        at += 1 + count


def _segment(
    form: str, command: str, points: list[tuple[int, int]], here: tuple[int, int], last: str, decimals: int
) -> tuple[str, str]:
    """One command as text, relative or absolute, and the command that it is."""
    if form == "r":
        command, points = command.lower(), [(x - here[0], y - here[1]) for x, y in points]
        here = (0, 0)
    numbers = [n for point in points for n in point]
    if command in "Ll" and points[0][1] == here[1]:
        command, numbers = "h" if form == "r" else "H", numbers[:1]
    elif command in "Ll" and points[0][0] == here[0]:
        command, numbers = "v" if form == "r" else "V", numbers[1:]
    text = _joined([_parts(n, decimals) for n in numbers])
    # A command that is the same as the last one is understood; after a move, so is a line.
    understood = command == last != "m" != last.lower() or (last, command) in (("M", "L"), ("m", "l"))
    if not understood:
        return command + text, command
    return ("" if text.startswith("-") else " ") + text, command


def _joined(numbers: list[str]) -> str:
    text = ""
    for number in numbers:
        text += ("" if not text or number.startswith("-") else " ") + number
    return text


def _drop_blank_glyphs(root: ElementTree.Element) -> None:
    """Leave out glyphs without a line (blanks), and what uses them."""
    blank = {e.get("id") for e in root.iter(f"{{{SVG}}}path") if not e.get("d") and e.get("id")}
    for parent in root.iter():
        for child in list(parent):
            if child.get("id") in blank or child.get(HREF, "#")[1:] in blank:
                parent.remove(child)


def _share(root: ElementTree.Element, name: _Names) -> None:
    """Give what is referred to a short name made of its content, once for what is the same; drop all other ids."""
    whole = ElementTree.tostring(root, encoding="unicode")
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', whole))
    names: dict[str, str] = {}
    known: set[str] = set()
    for parent in list(root.iter()):
        for child in list(parent):
            old = child.attrib.pop("id", None)
            if _kind(child) in SPOKEN:
                child.set("id", _kind(child))
            elif old is not None and old in used:
                names[old] = new = name(ElementTree.tostring(child, encoding="unicode"))
                if new in known:
                    parent.remove(child)
                child.set("id", new)
                known.add(new)
    for element in root.iter():
        for key, value in element.attrib.items():
            if key == HREF and value.startswith("#"):
                element.set(key, "#" + names[value[1:]])
            elif "url(#" in value:
                element.set(key, re.sub(r"url\(#([^)]+)\)", lambda found: f"url(#{names[found.group(1)]})", value))


def _repeat_texts(root: ElementTree.Element, name: _Names) -> None:
    """Write a text out once, and refer to it where it stands again."""
    first: dict[str, ElementTree.Element] = {}
    for group in [e for e in root.iter(f"{{{SVG}}}g") if "scale(" in e.get("transform", "")]:
        for part in group.findall(f"{{{SVG}}}defs"):
            # What is referred to may lie anywhere, and a text that is repeated has signs alone in it.
            root.insert(_after_words(root), part)
            group.remove(part)
        told = {key: group.attrib.pop(key) for key in (SAID, FACE) if key in group.attrib}
        signs = list(group)
        if len(signs) < 2 or any(_kind(child) != "use" for child in signs):
            group.attrib.update(told)
            continue
        content = str([told, *(child.attrib for child in signs)])
        group[:] = []
        if content in first:
            first[content].set("id", name(content))
            ElementTree.SubElement(group, f"{{{SVG}}}use", {HREF: "#" + name(content)})
        else:
            first[content] = ElementTree.SubElement(group, f"{{{SVG}}}g", told)
            first[content].extend(signs)


def _after_words(root: ElementTree.Element) -> int:
    return sum(_kind(child) in SPOKEN for child in root)


def _name_styles(root: ElementTree.Element, name: _Names) -> None:
    """Move styles that several elements have into the style sheet, under a class."""
    styles: Counter[str] = Counter()
    for element in root.iter():
        if style := element.attrib.get("style"):
            element.set("style", _style(style))
            styles[element.attrib["style"]] += 1
    for element in root.iter():
        style = element.get("style", "")
        if styles[style] > 1:
            element.set("class", name(style))
            del element.attrib["style"]
    sheet = root.find(f".//{{{SVG}}}style")
    if sheet is not None:
        rules = "".join(f".{name(style)}{{{style}}}" for style, count in styles.items() if count > 1)
        sheet.text = _style(sheet.text or "") + rules


def _style(text: str) -> str:
    text = re.sub(r"\s*([:;,{}])\s*", r"\1", text.strip()).rstrip(";")
    text = re.sub(r"#([0-9a-f])\1([0-9a-f])\2([0-9a-f])\3\b", r"#\1\2\3", text)
    return re.sub(r"(?<![\d#\w])0\.(?=\d)", ".", text)


def _drop_idle_groups(element: ElementTree.Element) -> None:
    """Let children of groups that say nothing stand in their place; join neighbours that are clipped alike."""
    children: list[ElementTree.Element] = []
    for child in list(element):
        _drop_idle_groups(child)
        if _kind(child) in ("g", "defs") and not len(child):
            continue
        if _kind(child) == "g" and not child.attrib:
            children.extend(child)
        elif children and _kind(child) == "g" and _joins(child, children[-1]):
            children[-1].extend(child)
        else:
            children.append(child)
    element[:] = children


def _joins(group: ElementTree.Element, before: ElementTree.Element) -> bool:
    return (
        _kind(before) in ("g", "defs")
        and group.tag == before.tag
        and group.attrib == before.attrib
        and set(group.attrib) == {"clip-path"}
    )
