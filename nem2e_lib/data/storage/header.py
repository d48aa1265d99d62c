"""The head of an OpenSim storage file: its header in all its spellings, and the line of labels."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from nem2e_lib.data.files import HEAD_BYTES, decode_plain, refuse_other_text
from nem2e_lib.error import Nem2eError

_END = re.compile(rb'^[ \t]*"?endheader"?[ \t]*$', re.IGNORECASE | re.MULTILINE)
_TIME = re.compile(rb'[ \t]*(?:time|"time"|"?time ?[\[(].*)(?:[ \t].*)?', re.IGNORECASE)
_LINE = re.compile(rb"[^\n]+")
_SIMM = re.compile(r"(name|datacolumns|datarows|otherdata|range|nrows|ncolumns|indegrees)[ \t]+(.*)", re.IGNORECASE)
_ANSWERS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_VERSIONS = {"0", "1", "2", "3", "4"}
_COMPONENTS = {"vec3": 3, "unitvec3": 3, "quaternion": 4, "spatialvec": 6}
_MAX_COLUMNS = 100_000
_SHOWN = 5


@dataclass
class Header:
    """What stands above the numbers.

    Attributes
    ----------
    name : str
        First line, or the entry ``name`` of a SIMM file.
    labels : list of str
        Column labels without time, unique.
    in_degrees : bool
        False where the header does not say.
    metadata : dict
        Entries not told by another field; free text under ``text``.
    declared : dict
        Numbers of rows and columns (with time) as the header states them.
    damaged : bool
        Whether the header was overwritten by another one.
    body : int
        Where the numbers start in the bytes.
    cells : list of str
        Labels of the cells, which `labels` are where a cell is one number (`split_vectors`).
    size : int
        Numbers in a cell: 3 in a table of Vec3.
    """

    name: str = ""
    labels: list[str] = field(default_factory=list)
    in_degrees: bool = False
    metadata: dict[str, str] = field(default_factory=dict)
    declared: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    damaged: bool = False
    body: int = 0
    cells: list[str] = field(default_factory=list)
    size: int = 1


def parse_header(raw: bytes, path: str) -> Header:
    r"""Read the header of a storage file (bytes with line ends ``\n``).

    Raises
    ------
    Nem2eError
        If there is no ``endheader``, no label line that starts with ``time``, or an entry cannot be understood.
    """
    end = _find_end(raw, path)
    lines = _lines_to_labels(raw[:HEAD_BYTES], end.end(), path)
    if lines[-1].end() == HEAD_BYTES and not raw.startswith(b"\n", HEAD_BYTES):
        raise Nem2eError(f"{path}: the labels reach beyond the first {HEAD_BYTES >> 20} MiB; shorten them.")
    header = Header(body=lines[-1].end())
    texts, odd = _decoded([raw[: end.start()], *(line.group() for line in lines)])
    header.warnings.extend(odd)
    _entries(header, texts[0], path)
    header.labels, odd_labels = _parse_labels(texts[-1], path)
    header.warnings.extend(odd_labels)
    _between(header, texts[1:-1])
    return header


def _find_end(head: bytes, path: str) -> re.Match[bytes]:
    """Find the line ``endheader`` in the first 2 MiB of a file; Nem2eError where there is none."""
    end = _END.search(head[:HEAD_BYTES])
    if end is None:
        refuse_other_text(head[:HEAD_BYTES], path)
        within = f" in its first {HEAD_BYTES >> 20} MiB" if len(head) >= HEAD_BYTES else ""
        raise Nem2eError(
            f"{path}: no line 'endheader' found{within}; an OpenSim .sto or .mot file is expected, "
            "where that word stands alone on the line above the labels."
        )
    return end


def _lines_to_labels(window: bytes, start: int, path: str) -> list[re.Match[bytes]]:
    """Lines that hold something, from ``endheader`` to the last one before the numbers that starts with time."""
    lines, labels = [], 0
    for line in _LINE.finditer(window, start):
        if _is_row(line.group()):
            break
        if line.group().strip(b" \t"):
            lines.append(line)
        if _is_time_line(line.group()):
            labels = len(lines)
    if not labels:
        found = window[start : start + 2000].strip()[:40].split(b"\n")[0].decode("utf-8", "replace")
        advice = "separate them by tabs" if re.match("time *[,;]", found, re.IGNORECASE) else "put time in s there"
        raise Nem2eError(
            f"{path}: no column 'time': the labels after 'endheader' start with {found!r}, "
            f"but the first column must be labelled 'time'; {advice}."
        )
    return lines[:labels]


def _is_row(line: bytes) -> bool:
    """Whether the first two cells of a line are numbers."""
    cells = line.split(None, 2)[:2]
    try:
        return len([float(cell) for cell in cells]) > 1
    except ValueError:
        return False


def _is_time_line(line: bytes) -> bool:
    """Whether `line` starts with the label ``time``."""
    return _TIME.fullmatch(line) is not None


def _decoded(parts: list[bytes]) -> tuple[list[str], tuple[str, ...]]:
    text, odd = decode_plain(b"\0".join(parts))
    return text.split("\0"), odd


def _entries(header: Header, text: str, path: str) -> None:
    first, *rest = text.split("\n")
    free, seen = [], dict[str, str]()
    if "=" in first or _SIMM.fullmatch(bare(first)):
        rest.insert(0, first)
    else:
        header.name = bare(first)
    for line in map(bare, rest):
        simm = _SIMM.fullmatch(line)
        if "=" in line:
            _entry(header, *line.split("=", 1), seen=seen, path=path)
        elif simm:
            _entry(header, *simm.groups(), seen=seen, path=path)
        elif line:
            free.append(line)
    if free:
        header.metadata["text"] = "\n".join(free)


def _entry(header: Header, key: str, value: str, *, seen: dict[str, str], path: str) -> None:
    key, value = key.strip(" \t"), value.strip(" \t")
    _twice(header, key, value, seen, path)
    match key.lower():
        case "name":
            header.name = header.name or value
        case "nrows" | "datarows":
            header.declared["rows"] = bare(value)
        case "ncolumns" | "datacolumns":
            header.declared["columns"] = bare(value)
        case "indegrees":
            header.in_degrees = _in_degrees(bare(value), path)
        case "datatype":
            header.metadata["DataType"] = bare(value)
        case "version":
            _version(header, bare(value))
        case _:
            header.metadata[key] = value


def _twice(header: Header, key: str, value: str, seen: dict[str, str], path: str) -> None:
    before = seen.setdefault(key.lower(), value)
    if before.lower() == value.lower():
        return
    if key.lower() == "indegrees":
        raise Nem2eError(f"{path}: the header says inDegrees={shown(before)} and {shown(value)}; keep the right one.")
    header.warnings.append(f"The header has more than one entry {shown(key)}; the last one, {shown(value)}, was taken.")
    seen[key.lower()] = value


def _in_degrees(value: str, path: str) -> bool:
    if value.lower() not in _ANSWERS:
        told = value if value.isalnum() and len(value) < 20 else shown(value)
        raise Nem2eError(f"{path}: the header says inDegrees={told}, but yes or no is expected.")
    return _ANSWERS[value.lower()]


def _version(header: Header, value: str) -> None:
    if value not in _VERSIONS:
        header.warnings.append(f"The header says version={shown(value)}, but versions 1 to 4 are known.")
    if value != "1":  # the writer's default
        header.metadata["version"] = value


def _between(header: Header, lines: list[str]) -> None:
    """What stands between ``endheader`` and the labels: nothing, or what OpenSim 4.6 leaves there."""
    if not lines:
        return
    if any(_is_time_line(line.encode()) for line in lines):
        header.damaged = True
        header.declared.clear()
        header.warnings.append(
            "The header was overwritten (OpenSim 4.6 can do this when it exits): its name, counts and "
            "inDegrees are not the original ones; the last line that starts with time has the labels."
        )
    else:
        header.warnings.append(
            f"Between 'endheader' and the labels stand {len(lines)} lines that were not read: {shown(lines[0])}."
        )


def _parse_labels(line: str, path: str) -> tuple[list[str], list[str]]:
    """Labels without time, unique, and what is odd about them, one sentence each.

    Tabs separate where the line has them, so that a label may hold blanks; else blanks do.

    Raises
    ------
    Nem2eError
        If there are more than 100,000 columns, or the first label is time with a unit beside it.
    """
    tokens = [bare(token) for token in line.split("\t")]
    if re.match(r"time ?[\[(]", tokens[0], re.IGNORECASE):
        raise Nem2eError(
            f"{path}: the first column is labelled {shown(tokens[0])}, but 'time' is expected, in s; rename it."
        )
    if tokens[0].lower() != "time":  # tabs and blanks mixed
        tokens = [bare(token) for token in re.split(r"[ \t]+", line.strip(" \t"))]
    while tokens and not tokens[-1]:
        tokens.pop()
    if len(tokens) > _MAX_COLUMNS:
        raise Nem2eError(
            f"{path}: the label line names {len(tokens)} columns, but at most {_MAX_COLUMNS} are read; split the table."
        )
    odd = []
    if tokens[0] != "time":
        odd.append(f"The time column is labelled {shown(tokens[0])}; OpenSim expects 'time'.")
    if "" in tokens:
        odd.append("The label line has tabs with no label between them; they were left out.")
    labels = [token for token in tokens[1:] if token]
    renamed = unique_labels(labels)
    return renamed, odd + _told(labels, renamed)


def _told(labels: list[str], renamed: list[str]) -> list[str]:
    pairs = [(old, new) for old, new in zip(labels, renamed, strict=True) if old != new]
    if not pairs:
        return []
    repeated = Counter(old for old, _ in pairs)
    names = ", ".join(shown(label) for label in list(repeated)[:_SHOWN]) + (" …" if len(repeated) > _SHOWN else "")
    chosen = ", ".join(shown(new) for _, new in pairs[:_SHOWN]) + (" …" if len(pairs) > _SHOWN else "")
    if len(pairs) == 1:
        return [f"Column label {names} occurs more than once; one was renamed {chosen}."]
    what = f"Column label {names} occurs" if len(repeated) == 1 else f"Column labels {names} ({len(repeated)}) occur"
    return [f"{what} more than once; {len(pairs)} were renamed: {chosen}."]


def split_vectors(header: Header, path: str) -> None:
    """Give each number of a cell a label of its own (``name_1``, ``name_2``, …), where cells hold vectors.

    Raises
    ------
    Nem2eError
        If the ``DataType`` is not known.
    """
    kind = header.metadata.get("DataType", "double")
    header.cells, header.size = header.labels, _cell_size(kind, path)
    if header.size == 1:
        return
    header.warnings.append(
        f"Cells hold {header.size} numbers (DataType={kind}): "
        f"each column was split into {header.size}, with _1 to _{header.size} after its label."
    )
    header.labels = unique_labels([f"{label}_{i}" for label in header.cells for i in range(1, header.size + 1)])
    header.metadata["DataType"] = "double"
    header.declared.pop("columns", None)


def _cell_size(data_type: str, path: str) -> int:
    """Numbers in one cell of a table of this ``DataType`` (``double``: 1, ``Vec3``: 3, …)."""
    kind = data_type.lower()
    if kind == "double":
        return 1
    vec = re.fullmatch(r"vec([2-9])", kind)
    if kind not in _COMPONENTS and not vec:
        told = data_type if data_type.isalnum() and len(data_type) < 40 else shown(data_type)
        raise Nem2eError(f"{path}: the header says DataType={told}, but double or Vec3 is expected.")
    return int(vec.group(1)) if vec else _COMPONENTS[kind]


def unique_labels(labels: Sequence[str]) -> list[str]:
    """Return `labels` with a suffix ``_2``, ``_3``, … after each that was there before, or is ``time``."""
    taken, seen, next_number = {"time", *labels}, {"time"}, dict[str, int]()
    renamed = []
    for label in labels:
        chosen = label
        if label in seen:
            number = next_number.get(label, 2)
            while (chosen := f"{label}_{number}") in taken:
                number += 1
            next_number[label] = number + 1
        taken.add(chosen)
        seen.add(chosen)
        renamed.append(chosen)
    return renamed


def shown(text: object, length: int = 40) -> str:
    """Return `text` quoted on one line for a message, cut after `length` characters."""
    told = str(text)
    return repr(told[:length] + "…" if len(told) > length else told)


def bare(token: str) -> str:
    """Return `token` without outer blanks and one pair of outer quotes."""
    token = token.strip(" \t")
    return token[1:-1].strip(" \t") if len(token) > 1 and token[0] == token[-1] == '"' else token
