"""Every doubt about a sound study's signals."""

from __future__ import annotations

from nem2e_lib.data.checks import SKIPPED, Note, heeded
from nem2e_lib.data.cycles.find import find_cycles
from nem2e_lib.data.quality import activation, emg, force
from nem2e_lib.data.study.study import Study


def quality_notes(study: Study) -> list[str]:
    """Return what is doubtful in a sound study's signals, one sentence each with the name of its check.

    `data.checks` lists what is looked for; what ``[checks]`` of ``study.toml`` ignores is counted in a last sentence.

    Raises
    ------
    Nem2eError
        If the study cannot be read.
    """
    return heeded(doubts(study), study.settings.ignored, str(study.folder / "study.toml"))


def doubts(study: Study) -> list[Note]:
    """Return the same with the check of each, nothing ignored."""
    report = find_cycles(study)
    notes = [*activation.notes(study, report), *emg.notes(study, report), *force.notes(study)]
    skipped = int((~report["kept"]).sum())
    if skipped:
        told = f"{study.folder}: {skipped} of {len(report)} cycles are skipped; "
        notes.append(SKIPPED.note(told + "`nem2e study segment --report FILE` tells why."))
    return notes
