"""Which open recordings there are: every file with its repository, commit, size, SHA-256, licence and what it is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from urllib.parse import quote

import pandas as pd

from nem2e_lib.data.tables import near, read_table
from nem2e_lib.error import Nem2eError

TABLE = Path(__file__).with_name("sources.csv")
"""The table of files that comes with the library."""
SETS = TABLE.with_name("sets.csv")
"""Who was recorded, and what to cite: one row a set."""


@dataclass(frozen=True)
class Source:
    """One file, and where it lies for good.

    Attributes
    ----------
    here
        Its place in the folder that `fetch_open` fills, with ``/`` between the parts; the first part names its set.
    repository, commit, path
        ``owner/name`` on GitHub, the commit (40 hexadecimal digits), and the file's path there.
    size
        Bytes.
    sha256
        64 hexadecimal digits.
    licence, what
        For people to read.
    """

    here: str
    repository: str
    commit: str
    path: str
    size: int
    sha256: str
    licence: str = ""
    what: str = ""

    @property
    def set(self) -> str:
        """Name of the set that it belongs to."""
        return self.here.partition("/")[0]

    @property
    def place(self) -> str:
        """Where it lies below the root of all repositories: ``repository/commit/path``."""
        return f"{self.repository}/{self.commit}/{self.path}"

    def address(self, root: str) -> str:
        """Return its URL below `root`."""
        return f"{root.rstrip('/')}/{quote(self.place)}"


_COLUMNS = ("here", "repository", "commit", "path", "bytes", "sha256")
_EXPECTED: dict[str, tuple[Callable[[str], object], str]] = {
    "here": (lambda text: _inside(text), "a path below the folder"),
    "repository": (re.compile(r"[\w.-]+/[\w.-]+").fullmatch, "owner/name"),
    "commit": (re.compile(r"[0-9a-f]{40}").fullmatch, "40 hexadecimal digits"),
    "path": (lambda text: _inside(text), "a path below the repository"),
    "bytes": (re.compile(r"\d{1,12}").fullmatch, "a number of bytes"),
    "sha256": (re.compile(r"[0-9a-f]{64}").fullmatch, "64 hexadecimal digits"),
}


def _inside(text: str) -> bool:
    path = PurePosixPath(text)
    return str(path) == text != "." and not path.is_absolute() and ".." not in path.parts and "\\" not in text


def read_sources(path: str | Path = TABLE) -> tuple[Source, ...]:
    """Read a table of sources: CSV with columns here, repository, commit, path, bytes, sha256 (licence, what).

    Raises
    ------
    Nem2eError
        If it is no such table; every cell that cannot be used is named.
    """
    table = read_table(Path(path), _COLUMNS, ("licence", "what"))
    wrong = [
        f"row {row + 1}: {name} is {text!r}, but {expected} is expected"
        for name, (fits, expected) in _EXPECTED.items()
        for row, text in enumerate(table[name])
        if not fits(text)
    ]
    wrong += [f"{name!r} stands in two rows" for name in table["here"][table["here"].duplicated()].unique()]
    if wrong:
        raise Nem2eError(f"{path}: {'; '.join(wrong)}; mend the table.")
    fields = table.rename(columns={"bytes": "size"}).assign(size=table["bytes"].astype(int))
    return tuple(Source(**{str(name): value for name, value in row.items()}) for row in fields.to_dict("records"))


def chosen(names: str | Iterable[str] | None, sources: Sequence[Source]) -> list[Source]:
    """Return the sources that are named, in the order of the table; all of them where nothing is named.

    Parameters
    ----------
    names : str or iterable of str, optional
        A set, a folder, a file, or any part of their path (``children_walk``, ``HC030A``, ``Static``); or a pattern
        (``*.osim``, ``*/Turn/*``). One text may hold several, comma between.
    sources : sequence of Source

    Raises
    ------
    Nem2eError
        If a name fits no source.
    """
    given = (names,) if isinstance(names, str) else names or ()
    asked = [name for text in given for part in text.split(",") if (name := part.strip().strip("/"))]
    found = {name: [source for source in sources if _named(source.here, name)] for name in asked}
    if unknown := [name for name, fitting in found.items() if not fitting]:
        parts = dict.fromkeys(part for source in sources for part in source.here.split("/"))
        hint = near(unknown[0], parts) if len(unknown) == 1 else ""
        sets = ", ".join(dict.fromkeys(source.set for source in sources))
        raise Nem2eError(
            f"{', '.join(map(repr, unknown))}: no open recording is called so; the sets are {sets}, and "
            f"`nem2e fetch --list` tells what is in them{hint or '.'}"
        )
    wanted = {source.here for fitting in found.values() for source in fitting}
    return [source for source in sources if not asked or source.here in wanted]


def _named(here: str, name: str) -> bool:
    return f"/{name}/" in f"/{here}/" or fnmatchcase(here, name) or fnmatchcase(here, f"*/{name}")


def recordings(sources: Sequence[Source] | None = None) -> pd.DataFrame:
    """List the sets of open recordings.

    Returns
    -------
    DataFrame
        Columns set, who, people, what, files, MB, licence, from, cite: one row a set. ``from`` holds the repositories'
        pages at the commit that is fetched. What is not known of a set is left empty.
    """
    told = pd.read_csv(SETS).set_index("set").to_dict("index")
    groups: dict[str, list[Source]] = {}
    for source in read_sources() if sources is None else sources:
        groups.setdefault(source.set, []).append(source)
    rows = [
        {
            "set": name,
            **{column: told.get(name, {}).get(column, "") for column in ("who", "people", "what")},
            "files": len(files),
            "MB": round(sum(source.size for source in files) / 1e6, 1),
            "licence": _each(source.licence for source in files),
            "from": _each(f"https://github.com/{source.repository}/tree/{source.commit}" for source in files),
            "cite": told.get(name, {}).get("cite", ""),
        }
        for name, files in groups.items()
    ]
    return pd.DataFrame(rows)


def as_text(sources: Sequence[Source]) -> str:
    """Return the sets of these files, and the files, for a terminal."""
    lines = []
    for row in recordings(sources).to_dict("records"):
        lines += [f"{row['set']}: {row['files']} files, {row['MB']} MB, {row['licence']}"]
        lines += [f"  {name:<9}{row[name]}" for name in ("who", "people", "what", "from", "cite") if row[name]]
        lines += [f"    {each.here}: {each.what}" for each in sources if each.set == row["set"]]
    return "\n".join(lines)


def as_json(sources: Sequence[Source]) -> str:
    """Return the same as JSON."""
    sets = recordings(sources).to_dict("records")
    return json.dumps({"sets": sets, "files": [asdict(each) for each in sources]}, indent=2)


def _each(words: Iterable[str]) -> str:
    return ", ".join(sorted({word for word in words if word}))
