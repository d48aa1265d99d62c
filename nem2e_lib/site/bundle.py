"""A published site as one archive for deposit: with PDF of every figure, environment, data hashes and an RO-Crate.

``python -m nem2e_lib.site.bundle SITE FOLDER``, which is `make bundle`, writes ``FOLDER/nem2e-<version>-<commit>.zip``,
the same bytes for the same site. What is in it, and how to deposit it, docs/hosting.md tells.
"""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

from nem2e_lib.data import files
from nem2e_lib.error import Nem2eError
from nem2e_lib.figures.printed import COLUMNS_MM, pdf
from nem2e_lib.project import ROOT
from nem2e_lib.site.contents import read_contents
from nem2e_lib.site.crate import CRATE_VERSION, PDF, SITE, Part, crate
from nem2e_lib.site.publish import MARKER, files_in
from nem2e_lib.terminal import program

BESIDE = ("requirements.lock", "environment.yml", "CITATION.cff", "LICENSE")
"""Files of the project that stand beside the site."""
METADATA, HASHES = "ro-crate-metadata.json", "data_hashes.json"
"""Names in the archive."""
EPOCH = (1980, 1, 1, 0, 0, 0)
"""When every file of an archive was written: the first moment that a zip can say."""
WHERE = f"""
- `{SITE}/index.html` opens in a browser, without a network or a server; each figure and table has a page of its own
  with what is seen, its data as CSV, and how to make it again.
- `{PDF}/` has every figure as PDF, {COLUMNS_MM:.0f} mm wide, fonts inside, but for those that `{SITE}/` has already.
- Tables are there as `.tex`, too: they need the packages booktabs and longtable.
- `{SITE}/results.json` holds every number with the commit and the data hash that made it; `{HASHES}` lists these.
- `requirements.lock` and `environment.yml` are the environment, `CITATION.cff` and `LICENSE` how to cite and use it.
- `{METADATA}` says the same to machines (RO-Crate {CRATE_VERSION}), with a SHA-256 of each file.
"""


def bundle(site: Path | str, folder: Path | str, *, root: Path = ROOT) -> Path:
    """Write the archive of a site into a folder, and return its path.

    Parameters
    ----------
    site
        A folder that `publish` made.
    folder
        Made where it is missing.
    root
        The project, whose environment, licence and citation go with it.

    Raises
    ------
    Nem2eError
        When there is no site, or a file of it is not as it was published.
    """
    parts = parts_of(Path(site))
    source = next(part.contents.source for part in parts if part.contents)
    state = "-dirty" if source.commit.endswith("-dirty") else ""
    name = f"nem2e-{source.versions.get('nem2e', 'unknown')}-{source.commit[:10]}{state}"
    packed = _packed(parts, root)
    packed[HASHES] = _json(_hashes(parts))
    packed["README.md"] = _readme(parts, name).encode()
    packed[METADATA] = _json(crate(parts, packed, _citation(root)).metadata.generate())
    path = Path(folder) / f"{name}.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.replacing(path) as fresh, zipfile.ZipFile(fresh, "w") as archive:
        for file, content in sorted(packed.items()):
            told = zipfile.ZipInfo(f"{name}/{file}", EPOCH)
            told.external_attr = 0o644 << 16
            archive.writestr(told, content, zipfile.ZIP_DEFLATED, 9)
    return path


def parts_of(site: Path) -> list[Part]:
    """Return a site and those in its folders, each as it was published.

    Raises
    ------
    Nem2eError
        When there is none, or a file differs.
    """
    if not (site / MARKER).is_file() or not (site / "index.html").is_file():
        raise Nem2eError(f"{site} holds no site; expected one that nem2e published: run make paper first.")
    folders = [site, *sorted(path.parent for path in site.glob(f"*/{MARKER}"))]
    for folder in folders:
        _require_unchanged(folder)
    parts = [Part(f"{SITE}/{f.relative_to(site).as_posix()}".removesuffix("/."), f, read_contents(f)) for f in folders]
    if not any(part.contents for part in parts):
        raise Nem2eError(f"{site} does not say what it was made of; expected index.json: run make paper anew.")
    return parts


def _require_unchanged(folder: Path) -> None:
    known = json.loads((folder / MARKER).read_text(encoding="utf-8"))["files"]
    found = files_in(folder) - {MARKER}
    odd = dict.fromkeys(known.keys() - found, "is missing")
    odd |= dict.fromkeys(found - known.keys(), "is none of its files")
    changed = (name for name in sorted(found & known.keys()) if _sha256((folder / name).read_bytes()) != known[name])
    first = min(odd, default=None) or next(changed, None)
    if first is not None:
        raise Nem2eError(
            f"{folder / first} {odd.get(first, 'was changed after it was published')}, but an archive holds a site as "
            "it was published: run make paper anew."
        )


def _packed(parts: list[Part], root: Path) -> dict[str, bytes]:
    """Return the content of each file: those of the sites, PDF of figures without one, and what the project gives."""
    packed = {name: (root / name).read_bytes() for name in BESIDE}
    for part in parts:
        for name in sorted(files_in(part.folder)):
            packed[f"{part.place}/{name}"] = (part.folder / name).read_bytes()
        for entry in part.listed:
            if entry.picture and not any(file.endswith(".pdf") for file in entry.files):
                drawing = packed[f"{part.place}/{entry.picture}"].decode()
                packed[f"{part.printed}/{entry.name}.pdf"] = pdf(drawing)
    return packed


def _hashes(parts: list[Part]) -> dict[str, Any]:
    """What models were trained on, by folder of the site and study."""
    return {part.place: dict(part.contents.runs) for part in parts if part.contents}


def _citation(root: Path) -> dict[str, Any]:
    import yaml

    cited: dict[str, Any] = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    return cited


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _json(content: Any) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def _readme(parts: list[Part], name: str) -> str:
    """What a person finds who unpacks the archive."""
    lines = [f"# {name}", ""]
    for part in parts:
        if part.contents:
            lines += [
                f"`{part.place}/`: {part.contents.lead} {part.contents.label}. Made by `{part.contents.again}`.",
                "",
            ]
            lines += [
                f"- {study}{' (SYNTHETIC)' if run.get('synthetic') else ''}, data hash {run['data_hash']}"
                for study, run in part.contents.runs.items()
                if "data_hash" in run
            ]
            lines += [f"- code: commit {part.contents.source.commit} of {part.contents.source.date}", ""]
    return "\n".join(lines) + WHERE


def main(site: str, folder: str) -> None:
    """Write the archive and say where it is."""
    path = bundle(site, folder)
    print(f"{path}, {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    with program():
        main(*sys.argv[1:])
