"""``nem2e study from-archive``: what a layout finds in a folder, and the study made of it."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from nem2e_lib.data.check import check_study
from nem2e_lib.data.families import measurable
from nem2e_lib.data.intake.convert import EmgFiles, Made, convert, tables
from nem2e_lib.data.intake.layout import KINDS, Layout, read_layout
from nem2e_lib.data.intake.match import Matched, match
from nem2e_lib.data.intake.source import Source, open_source
from nem2e_lib.data.study.settings import Line, Section, settings_text
from nem2e_lib.error import Nem2eError

_SOME = 12


@dataclass(frozen=True)
class Built:
    """What was found and, unless it was only shown, written; `todo` is what the study still lacks."""

    layout: Layout
    source: Source
    found: Matched
    told: tuple[str, ...] = ()
    todo: tuple[str, ...] = ()
    out: Path | None = None


def from_archive(folder: str | Path, layout: str, out: str | Path | None = None) -> Built:
    """Make a study folder of downloaded archives, zipped or not; without `out`, only look.

    Parameters
    ----------
    folder : str or Path
        Where the archives are, or one zip.
    layout : str
        ``running``, ``walking``, or a file of one's own.
    out : str or Path, optional
        Study folder to write, which must not exist.

    Raises
    ------
    Nem2eError
        If an archive is damaged or unsafe, nothing fits the layout, or a file is not what the layout says.
    """
    rules = read_layout(layout)
    target = Path(out) if out is not None else None
    if target is not None and target.exists():
        raise Nem2eError(f"{target}: exists already; name a new folder with --out.")
    with open_source(Path(folder)) as source:
        found = match(rules, source.entries)
        if target is None:
            return Built(rules, source, found)
        if not found.rows:
            raise Nem2eError(
                f"{folder}: none of {len(source.entries)} files is an activation file by {rules.path}; "
                "see --show, and correct [files] in a copy of the layout."
            )
        return _write(rules, source, found, target)


def _write(layout: Layout, source: Source, found: Matched, target: Path) -> Built:
    if not target.parent.is_dir():
        raise Nem2eError(f"{target}: its folder {target.parent} does not exist; make it first.")
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent, ignore_cleanup_errors=True) as spare:
        partial = Path(spare)
        made, emg = convert(layout, found, partial)
        tables(made, partial)
        (partial / "study.toml").write_text(_settings(layout, made, emg), encoding="utf-8")
        (partial / "layout.toml").write_text(layout.text, encoding="utf-8")
        (partial / "archives.json").write_text(json.dumps(source.archives, indent=2) + "\n", encoding="utf-8")
        partial.chmod(0o755)
        partial.rename(target)
    if unknown := emg.unknown():
        who = ", ".join(dict.fromkeys(subject for name in unknown for subject in emg.subjects[name]))
        made.told.append(
            f"{target / 'study.toml'}: which muscle {', '.join(map(repr, unknown))} of {who} measured is not known; "
            "give it in [emg] there, or where only some subjects have such channels in [emg_of.SUBJECT] of the layout; "
            "to go on without them, take their rows out of trials.csv."
        )
    return Built(layout, source, found, tuple(made.told), tuple(check_study(target)), target)


def _settings(layout: Layout, made: Made, emg: EmgFiles) -> str:
    """The text of ``study.toml``; a channel whose muscle is not known is left to a person."""
    top = [Line(key, layout.say(key)) for key in ("name", "motion", "simulated_by")]
    top += [Line("cycle", "right-right"), Line("synthetic", False)]
    top += [Line(key, layout.say(key)) for key in ("citation", "licence")]
    targets, electrodes, processing = emg.targets(), emg.electrodes(), layout.table("emg_processing")
    channels = [Line(name, muscle) for name, muscle in targets.items()]
    channels += [_unknown(name, emg.channels[name], measurable(name, made.muscles)) for name in emg.unknown()]
    sections = [Section("", top), Section("emg", channels, quoted=True)]
    if electrodes:
        copies = [Line(name, other) for name, other in electrodes.items() if name in targets]
        copies += [Line(name, other, left=True) for name, other in electrodes.items() if name not in targets]
        sections.append(Section("electrodes", copies, "channels with identical recordings", quoted=True))
    if processing:
        sections.append(Section("emg_processing", [Line(key, value) for key, value in processing.items()]))
    threshold = float(layout.table("cycles").get("threshold_n", 20.0))
    what = f"{len(made.muscles)} muscles" + (f" and {len(made.extra)} other actuators" if made.extra else "")
    sections.append(Section("grf", [Line("threshold_n", threshold)]))
    sections.append(Section("activation", [Line("columns", [*made.muscles, *made.extra])], what))
    return settings_text(sections)


def _unknown(channel: str, files: int, fits: Sequence[str]) -> Line:
    hint = f"perhaps {' or '.join(fits)}?" if fits else "ask who recorded it"
    return Line(channel, "…", f"in {files} EMG files: which muscle? {hint}", left=True)


def facts(built: Built) -> dict[str, Any]:
    """Return everything that was found, for JSON."""
    found = built.found
    return {
        "layout": built.layout.path,
        "about": built.layout.say("about"),
        "guess": bool(built.layout.content.get("guess", False)),
        "archives": built.source.archives,
        "files": found.counts,
        "trials": [
            {"trial": row.name, "subject": row.subject, "speed": row.speed}
            | {kind: entry.path for kind, entry in row.files.items()}
            | ({"doubts": list(row.doubts)} if row.doubts else {})
            for row in found.rows
        ],
        "expected": found.expected,
        "missing": found.missing,
        "left_by_rule": found.ruled_out,
        "left": found.left,
        "told": [*built.source.told, *built.told],
        "todo": list(built.todo),
        "study": str(built.out) if built.out else None,
    }


def show(built: Built, as_json: bool) -> None:
    """Print what was found and made."""
    typer.echo(json.dumps(facts(built), indent=2, ensure_ascii=False) if as_json else "\n".join(_lines(built)))


def _lines(built: Built) -> list[str]:
    found = built.found
    lines = [f"layout    {built.layout.path}: {built.layout.say('about')}"]
    for each in built.source.archives:
        lines.append(f"archive   {each['name']}: {each['bytes']} bytes, SHA-256 {each['sha256']}")
    lines += [f"{kind:<10} {found.counts[kind]} files" for kind in KINDS]
    of = f" of {found.expected} expected" if found.expected is not None else ""
    lines.append(f"trials    {len(found.rows)}{of}")
    for (subject, speed), number in found.table.items():
        numbers = [
            row.parts["cycle"]
            for row in found.rows
            if (row.subject, row.speed) == (subject, speed) and "cycle" in row.parts
        ]
        lines.append(f"  {subject}, speed {speed}: {number}" + (f" (cycles {', '.join(numbers)})" if numbers else ""))
    doubts = [f"{row.name}: {doubt}" for row in found.rows for doubt in row.doubts]
    lines += [*_some("missing", found.missing, 200), *_some("in doubt", doubts, 200)]
    lines += [*_some("left by rule", found.ruled_out), *_left(found.left)]
    lines += [f"note: {text}" for text in (*built.source.told, *built.told)]
    if built.out is not None:
        lines += [f"to do: {problem}" for problem in built.todo]
        lines.append(f"{built.out}: " + ("see what is to do." if built.todo else "no problem found."))
    return lines


def _some(what: str, items: list[str], most: int = _SOME) -> list[str]:
    more = [f"  … and {len(items) - most} more (--json lists all)"] if len(items) > most else []
    return [f"{what} ({len(items)})", *(f"  {item}" for item in items[:most]), *more] if items else []


def _left(paths: list[str]) -> list[str]:
    kinds = Counter(Path(path).suffix.lower() or "no suffix" for path in paths)
    told = _some("fits no pattern", paths)
    return [*told, "  by kind: " + ", ".join(f"{kind} {n}" for kind, n in kinds.most_common())] if told else []
