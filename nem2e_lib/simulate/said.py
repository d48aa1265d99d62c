"""What OpenSim says when it gives up, in one sentence with what to do; its own words where nothing better is known."""

from __future__ import annotations

import re
from pathlib import Path

_LONGEST = 240
"""Characters of OpenSim's own words in a sentence."""
UNBALANCED = "have no equilibrium"
_KNOWN = (
    (
        r"equilibrium[\s\S]*In Object '(?P<a>[^']*)' of type \w*Muscle",
        f"fibre and tendon of muscle {{a!r}} {UNBALANCED}; correct its optimal_fiber_length and tendon_slack_length",
    ),
    (r"equilibrateMuscles\(\)", f"fibre and tendon of a muscle {UNBALANCED}"),
    (
        r"Unable to find a feasible solution at time = (?P<a>-?\d+(?:\.\d+)?(?:e-?\d+)?)",
        "no muscle forces give the accelerations of the motion at {a} s; give more reserve (--reserve) or strength "
        "(--strength), smooth the motion more (--cutoff), or look at motion and forces there",
    ),
    (
        r"joint task '(?P<a>[^']*)'\s+references invalid coordinate '(?P<b>[^']*)'",
        "task {a!r} follows the coordinate {b!r}, which the model does not have; correct the tasks of the set-up",
    ),
    (
        r"Invalid coordinate \((?P<a>[^)]*)\) specified in Actuator (?P<b>\S+)",
        "actuator {b!r} acts on the coordinate {a!r}, which the model does not have; correct the set-up's actuators",
    ),
    (
        r"Unable to advance time past (?P<a>-?\d+(?:\.\d+)?(?:e-?\d+)?)",
        "the integration got stuck at {a} s; look at motion and forces there, or start later",
    ),
    (
        r"ArrayPtrs.get\(aName\): No object with name (?P<a>\S+)",
        "the set-up names {a!r}, which the model does not have",
    ),
    (
        r"object type '\{?(?P<a>\w+)\}?' is not a registered Object",
        "it has objects of type {a}, which this OpenSim does not know; replace them, or use a model without the plugin "
        "that they are of",
    ),
    (
        r"overdetermined system",
        "there are fewer muscles and actuators than free coordinates; name actuators for all of them in the set-up, or "
        "leave out its force_set_files",
    ),
)
_PRELUDE = re.compile(
    r"^((std::exception in '.*?':|SimTK Exception thrown at [^:]*:\d+:?|Exception:|\[error\]|Error detected by Simbody "
    r"method [\w:]+\(\):)\s*)+"
)
_REQUIRED = re.compile(r"\(Required condition '.*?' was not met\.?\)")
_WHERE = re.compile(r"^(file=|line=|Thrown at|In Object|In Component|\[(info|warning|debug)\]|nem2e:)")


def explained(exception: str, log: str) -> str:
    """Return why a tool gave up.

    Parameters
    ----------
    exception : str
        What it threw; empty where it only returned.
    log : str
        What it wrote since it began.
    """
    for pattern, sentence in _KNOWN:
        found = re.search(pattern, f"{exception}\n{log}")
        if found:
            return sentence.format(**found.groupdict())
    words = _words(exception) or _words(_last_error(log))
    return f"OpenSim says: {words}" if words else "the tool gave up without a word"


def errors(log: str) -> list[str]:
    """Return the lines that OpenSim marks as errors, each once."""
    return list(dict.fromkeys(line[7:].strip() for line in log.splitlines() if line.startswith("[error]")))


def _last_error(log: str) -> str:
    """From the last line that begins an error to the end."""
    starts = [found.start() for found in re.finditer(r"^(\[error\]|Exception:)", log, re.MULTILINE)]
    return log[starts[-1] :] if starts else ""


def _words(text: str) -> str:
    """OpenSim's words without where in its own files they come from, on one line."""
    lines = [line.strip() for line in text.splitlines()]
    lines = [_PRELUDE.sub("", line).strip() for line in lines if line and not _WHERE.match(line)]
    told = " ".join(line for line in lines if line)
    told = _REQUIRED.sub("", _PRELUDE.sub("", told)).strip().rstrip(".")
    return told if len(told) <= _LONGEST else f"{told[:_LONGEST]} …"


def since(log: Path, place: int) -> str:
    """Return what was written into a log after so many bytes; empty where there is none."""
    if not log.is_file():
        return ""
    with log.open("rb") as file:
        file.seek(place)
        return file.read().decode("utf-8", errors="replace")


def size(log: Path) -> int:
    """Bytes of a log so far."""
    return log.stat().st_size if log.is_file() else 0
