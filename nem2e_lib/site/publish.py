"""Hand a finished site over to its folder, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path

from nem2e_lib.error import Nem2eError

MARKER = "made_by_nem2e.json"
LITTER = frozenset({".DS_Store", "Thumbs.db"})


def publish(site: Path | str, out: Path | str) -> Path:
    """Copy `site` to `out` through a temporary folder beside it and a swap; return `out`.

    A folder that an earlier call made (it holds a marker that lists its files) is replaced. Any other folder
    with something in it is left alone. A site that was published into a folder of `out` stays as it is.

    Raises
    ------
    Nem2eError
        When `site` has no index.html, when one folder holds the other, when `out` is a file, or when `out` holds files
        that this function did not write.
    """
    source, target = Path(site).resolve(), Path(out).resolve()
    _check_source(source, target)
    check_target(target)
    guests = _guests(target)
    if taken := [guest.name for guest in guests if (source / guest.name).exists()]:
        raise Nem2eError(
            f"{target / taken[0]} is a site of its own, but {source} has a folder of that name; move the one away or "
            "give another OUT."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        shutil.copytree(source, fresh, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*", MARKER))
        _mark(fresh)
        for guest in guests:
            shutil.copytree(guest, fresh / guest.name)
        fresh.chmod(0o755)
        _swap(fresh, target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return target


def check_target(out: Path | str) -> None:
    """Raise Nem2eError when `publish` would refuse this folder: worth knowing before hours of training."""
    target = Path(out).resolve()
    if target.exists() and not target.is_dir():
        raise Nem2eError(f"{target} is a file; expected a folder for the pages: give another OUT.")
    found = files_in(target) - {MARKER}
    strangers = sorted(found - _listed(target))
    if strangers:
        raise Nem2eError(
            f"{target} holds '{strangers[0]}', which nem2e did not write there; expected an empty folder "
            "or one made by nem2e: move the file away or give another OUT."
        )


def note(folder: Path | str, name: str) -> None:
    """List a file that nem2e wrote into a published folder afterwards, so that the next `publish` may replace it.

    A folder without a marker gets one.
    """
    path = Path(folder) / MARKER
    files = json.loads(path.read_text(encoding="utf-8"))["files"] if path.exists() else {}
    files[name] = hashlib.sha256((Path(folder) / name).read_bytes()).hexdigest()
    _write_marker(path, files)


def files_in(folder: Path) -> set[str]:
    """Return every file below `folder`, relative, without what file browsers leave behind and sites of their own."""
    guests = _guests(folder)
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if not path.is_dir() and path.name not in LITTER and not any(guest in path.parents for guest in guests)
    }


def _guests(folder: Path) -> list[Path]:
    """Folders in `folder` that hold a site which was published into them."""
    return sorted(path.parent for path in folder.glob(f"*/{MARKER}"))


def _listed(target: Path) -> set[str]:
    marker = target / MARKER
    if not marker.exists():
        return set()
    try:
        return set(json.loads(marker.read_text(encoding="utf-8"))["files"])
    except (ValueError, KeyError, TypeError) as error:
        raise Nem2eError(
            f"{marker} cannot be read as the list of files that nem2e writes; expected JSON with the key "
            "'files': remove the folder or give another OUT."
        ) from error


def _check_source(source: Path, target: Path) -> None:
    if not (source / "index.html").is_file():
        raise Nem2eError(f"{source} has no index.html; expected a finished site: run every notebook first.")
    if source == target or source in target.parents or target in source.parents:
        raise Nem2eError(f"{target} and the site at {source} hold one another; expected two separate folders.")


def _mark(folder: Path) -> None:
    files = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in sorted(files_in(folder))}
    _write_marker(folder / MARKER, files)


def _write_marker(path: Path, files: dict[str, str]) -> None:
    text = json.dumps({"made_by": "nem2e", "files": dict(sorted(files.items()))}, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def _swap(fresh: Path, target: Path) -> None:
    if not target.exists():
        os.rename(fresh, target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}.old.", dir=target.parent))
    os.rename(target, old / "site")
    try:
        os.rename(fresh, target)
    except OSError:
        os.rename(old / "site", target)
        raise
    finally:
        if target.exists():
            shutil.rmtree(old, ignore_errors=True)
