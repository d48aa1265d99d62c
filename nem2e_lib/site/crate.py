"""What machines read of an archive, an RO-Crate: each file in words, who made it, of what and with what."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from nem2e_lib.site.contents import Contents
from nem2e_lib.site.saving import Entry, entries, manifest_pages

if TYPE_CHECKING:
    from rocrate.rocrate import ROCrate

CRATE_VERSION = "1.2"
SITE, PDF = "figures", "pdf"
"""Folders of an archive."""
FORMATS = {
    ".csv": "text/csv",
    ".js": "text/javascript",
    ".json": "application/json",
    ".mot": "text/tab-separated-values",
    ".refiner": "application/zip",
    ".sto": "text/tab-separated-values",
    ".svg": "image/svg+xml",
    ".tex": "application/x-tex",
    ".yml": "application/yaml",
    ".zip": "application/zip",
}
"""What machines call formats; the rest is as Python knows it, the same on every machine."""


@dataclass(frozen=True)
class Part:
    """A site, or one that was published into a folder of it.

    Attributes
    ----------
    place
        Its folder in the archive.
    folder
        Where it lies.
    contents
        What it says of itself; None where it is but the front page around others.
    """

    place: str
    folder: Path
    contents: Contents | None

    @property
    def printed(self) -> str:
        """Folder in the archive for PDF of figures that the site has none of."""
        return PDF + self.place.removeprefix(SITE)

    @property
    def listed(self) -> Iterator[Entry]:
        """Every figure, chart and table."""
        for page in manifest_pages(self.folder):
            yield from entries(self.folder, page)


def crate(parts: list[Part], packed: Mapping[str, bytes], cited: Mapping[str, Any]) -> ROCrate:
    """Return the crate of an archive.

    Parameters
    ----------
    parts
        The sites in it.
    packed
        Content of each file by its name in the archive.
    cited
        What CITATION.cff says.
    """
    from rocrate.rocrate import ROCrate

    made = ROCrate(version=CRATE_VERSION)
    told = [part.contents for part in parts if part.contents]
    licence = _add(made, f"https://spdx.org/licenses/{cited['license']}", "CreativeWork", name=cited["license"])
    authors = [_person(made, one) for one in cited["authors"]]
    made.name = f"{cited['title']}: every table and figure"
    made.description = " ".join([*_said(told), *dict.fromkeys(one.lead for one in told)])
    made.license = licence
    made.root_dataset["author"] = authors
    made.root_dataset["version"] = cited["version"]
    made.root_dataset["citation"] = [_paper(made, one) for one in cited["references"] if one.get("doi")]
    made.root_dataset["datePublished"] = max(one.source.date for one in told)
    made.root_dataset["keywords"] = ["electromyography", "musculoskeletal simulation", *_synthetic(told)]
    words = _words(parts)
    described = {
        name: made.add_file(dest_path=name, properties=_file(name, packed[name], words)) for name in sorted(packed)
    }
    for part in parts:
        if part.contents:
            results = [described[name] for name in _words([part]) if name in packed]
            _tell_making(made, part.place, part.contents, results, {"author": authors, "license": licence})
    return made


def _add(made: ROCrate, identifier: str, kind: str, /, **told: Any) -> Any:
    """Add something that is no file; return it, or what is known under that identifier."""
    from rocrate.model.contextentity import ContextEntity

    return made.dereference(identifier) or made.add(ContextEntity(made, identifier, properties={"@type": kind, **told}))


def _person(made: ROCrate, author: Mapping[str, str]) -> Any:
    if "family-names" not in author:
        return _add(made, f"#{author['name'].replace(' ', '-')}", "Organization", name=author["name"])
    name = f"{author['given-names']} {author['family-names']}"
    return _add(made, author.get("orcid", f"#{name.replace(' ', '-')}"), "Person", name=name)


def _paper(made: ROCrate, cited: Mapping[str, Any]) -> Any:
    """The paper whose method this is."""
    paper = _add(
        made,
        f"https://doi.org/{cited['doi']}",
        "ScholarlyArticle",
        name=cited["title"],
        identifier=f"https://doi.org/{cited['doi']}",
        datePublished=str(cited["year"]),
        isPartOf=cited["journal"],
    )
    paper["author"] = [_person(made, one) for one in cited["authors"]]
    return paper


def _said(told: list[Contents]) -> list[str]:
    """Whose data they are."""
    runs = [(study, bool(run.get("synthetic"))) for one in told for study, run in one.runs.items()]
    measured, made = ([study for study, synthetic in runs if synthetic is kind] for kind in (False, True))
    said = [f"Recordings of real people: {', '.join(measured)}."] if measured else []
    return [*said, f"SYNTHETIC data, made by a program and measured on nobody: {', '.join(made)}."] if made else said


def _synthetic(told: list[Contents]) -> list[str]:
    return ["SYNTHETIC data"] if any(one.is_synthetic for one in told) else []


def _words(parts: list[Part]) -> dict[str, tuple[str, str]]:
    """Title and caption of each file of a figure or a table."""
    words = {}
    for part in parts:
        for entry in part.listed:
            names = [
                *(f"{part.place}/{file}" for file in (*entry.files, entry.page)),
                f"{part.printed}/{entry.name}.pdf",
            ]
            words.update(dict.fromkeys(names, (entry.title, entry.caption or entry.alt)))
    return words


def _file(name: str, content: bytes, words: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    suffix = PurePosixPath(name).suffix
    title, description = words.get(name, (PurePosixPath(name).name, ""))
    kind = FORMATS.get(suffix) or mimetypes.types_map.get(suffix, "text/plain")
    told = {"name": title, "encodingFormat": kind, "contentSize": str(len(content))}
    return {
        **told,
        **({"description": description} if description else {}),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _tell_making(made: ROCrate, place: str, told: Contents, results: list[Any], whose: Mapping[str, Any]) -> None:
    """Say which program made a site's figures and tables, of which studies."""
    source = told.source
    software = _add(
        made,
        f"#nem2e-{source.commit}",
        "SoftwareSourceCode",
        name="nem2e",
        version=source.versions.get("nem2e", "unknown"),
        identifier=source.commit,
        dateModified=source.date,
        programmingLanguage="Python",
        **whose,
    )
    opening = {one.study: one for one in told.opening.studies} if told.opening else {}
    studies = []
    for study, run in told.runs.items():
        name = f"{'SYNTHETIC' if run.get('synthetic') else 'measured'} study {study}"
        studies.append(_add(made, f"#{place}-{study}", "CreativeWork", name=name))
        if "data_hash" in run:
            studies[-1]["identifier"] = f"sha256:{run['data_hash']}"
        if one := opening.get(study):
            told_of = {"description": one.who, "citation": one.citation, "license": one.licence}
            for key, text in told_of.items():
                if text:
                    studies[-1][key] = text
    action = _add(
        made, f"#making-{place}", "CreateAction", name=told.again, endTime=source.date, description=told.label
    )
    action["instrument"], action["object"], action["result"] = software, studies, results
