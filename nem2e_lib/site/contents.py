"""What a site says of itself, ``index.json``: its front page can be made anew from what lies in its folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from nem2e_lib.error import Nem2eError
from nem2e_lib.site.provenance import Provenance
from nem2e_lib.site.results import Runs
from nem2e_lib.site.saving import write_text

CONTENTS = "index.json"


@dataclass(frozen=True)
class Studied:
    """A study in the words of a front page: who was measured, and how the rest was made.

    Attributes
    ----------
    study
        Its short name in the run.
    who
        People, speeds, cycles and muscles, counted.
    unit
        What was left out at a time: ``subject``, ``speed``, ``block``.
    simulated_by, citation, licence
        Of the study.
    """

    study: str
    motion: str
    who: str
    unit: str
    simulated_by: str
    citation: str
    licence: str


@dataclass(frozen=True)
class Asked:
    """A question, its answer in a study (one of `contrasts.ANSWERS`), the page that shows it, and of which method.

    `short` is the question in few words; empty where it has none.
    """

    question: str
    study: str
    verdict: str
    page: str
    about: str = ""
    short: str = ""


@dataclass(frozen=True)
class Guided:
    """A reader's question, its answer in a sentence or two, and the file of the site that shows it."""

    question: str
    answer: str
    page: str


@dataclass(frozen=True)
class Opening:
    """What opens a site: what was done on whom, key verdicts, what came out, and where to go on.

    Attributes
    ----------
    said
        Sentences on what came out.
    figures, read_first
        Names of the figures that are shown first, the one to look at before them, and of the pages to read first.
    done
        What was done, in a sentence.
    guide
        The way to everything by question.
    """

    studies: list[Studied]
    asked: list[Asked]
    said: list[str]
    figures: list[str]
    read_first: list[str]
    done: str = ""
    guide: list[Guided] = field(default_factory=list)


@dataclass(frozen=True)
class Contents:
    """All that the front page of a site is made of, but for the figures and tables, which its manifests list.

    Attributes
    ----------
    title, lead
        Heading and what this is.
    pages
        Title by file name, in the order shown.
    runs
        ``synthetic``, ``profile`` and ``data_hash`` by study.
    source
        Commit of the code, its date, versions of libraries.
    sections
        Heading by manifest page; empty for every page that saved something, by name.
    claims
        ``id`` and ``verdict`` of each claim of the paper.
    opening
        None where a site was made before any had one.
    again
        The command that makes it anew.
    """

    title: str
    lead: str
    pages: dict[str, str]
    runs: Runs
    source: Provenance
    sections: dict[str, str] = field(default_factory=dict)
    claims: list[dict[str, str]] = field(default_factory=list)
    opening: Opening | None = None
    again: str = "make paper"

    @property
    def is_synthetic(self) -> bool:
        """Whether any of its studies is SYNTHETIC."""
        return any(run.get("synthetic") for run in self.runs.values())

    @property
    def label(self) -> str:
        """Whose data they are, and by which profile models were trained, in a few words."""
        profiles = dict.fromkeys(str(run["profile"]) for run in self.runs.values() if "profile" in run)
        return " · ".join(["SYNTHETIC" if self.is_synthetic else "Real people", *profiles])

    @property
    def claims_table(self) -> pd.DataFrame:
        """The claims as a table."""
        return pd.DataFrame(self.claims, columns=["id", "verdict"])


def write_contents(folder: Path | str, contents: Contents) -> Path:
    """Write ``index.json`` into a site's folder; return its path."""
    path = Path(folder) / CONTENTS
    write_text(path, json.dumps(asdict(contents), indent=1, ensure_ascii=False) + "\n")
    return path


def read_contents(folder: Path | str) -> Contents | None:
    """Read what a site says of itself; None where the folder holds no site that does.

    Raises
    ------
    Nem2eError
        When the file is there and cannot be read.
    """
    path = Path(folder) / CONTENTS
    if not path.exists():
        return None
    try:
        return _contents(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise Nem2eError(
            f"{path} cannot be read as the contents of a site; expected JSON as nem2e writes it: render the site anew."
        ) from error


def _contents(found: Mapping[str, Any]) -> Contents:
    opening = found["opening"]
    return Contents(
        **{
            **found,
            "source": Provenance(**found["source"]),
            "opening": opening if opening is None else _opening(opening),
        }
    )


def _opening(found: Mapping[str, Any]) -> Opening:
    studies, asked = [Studied(**one) for one in found["studies"]], [Asked(**one) for one in found["asked"]]
    guide = [Guided(**one) for one in found.get("guide", [])]
    return Opening(**{**found, "studies": studies, "asked": asked, "guide": guide})
