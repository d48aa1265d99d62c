"""What nem2e checks: every doubt about a recording by its name, with its threshold and where that comes from.

A check that is in doubt is told as a `Note`, or makes a cycle be skipped with the reason; ``[checks]`` of
``study.toml`` can have it ignored. ``docs/checks.md`` is written from here (``python tools/checks_page.py``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

OF = ("trials", "activation", "emg", "force", "cycles")
"""What a check looks at, in the order of docs/checks.md."""
IGNORE = "ignore"
"""What ``[checks]`` of ``study.toml`` says of a check that is not to be heeded."""
OWN = "this project's choice"


@dataclass(frozen=True)
class Check:
    """One thing that is looked for.

    Attributes
    ----------
    name : str
        As ``[checks]`` and the notes call it.
    of : str
        One of `OF`.
    asks : str
        What is found, in words; ``{}`` stands for the threshold.
    limit : float
        The threshold, in the unit that `asks` names; NaN-free, 0 where there is none.
    source : str
        Where the threshold comes from.
    skips : bool
        Whether it makes a cycle be skipped; else it is told only.
    """

    name: str
    of: str
    asks: str
    limit: float = 0.0
    source: str = OWN
    skips: bool = False

    def note(self, text: str) -> Note:
        """Return a sentence of this check's."""
        return Note(self.name, text)

    @property
    def said(self) -> str:
        """What is found, with the threshold in it."""
        return self.asks.format(self.limit)


@dataclass(frozen=True)
class Note:
    """What a biomechanist would want to know: one sentence, and the check that it is of."""

    check: str
    text: str

    def __str__(self) -> str:
        return f"{self.text} [{self.check}]"


FILE = Check("file", "trials", "what is odd in a file although it can be read (docs/storage.md)")
UNUSED = Check("unused", "trials", "a column of trials.csv that is not known")
LEFT_OUT = Check("no_muscle", "activation", "columns of the activation files that are not taken for muscles")
UNKNOWN_MUSCLE = Check(
    "unknown_muscle", "activation", "columns that no family of models knows, be they taken for muscles or left out"
)
MISSING_MUSCLE = Check("missing_muscle", "activation", "muscles of the model that the activation files lack")
SATURATED = Check("saturated", "activation", "a muscle above 0.99 for more than {:.0%} of the time", 0.05)
CONSTANT = Check("constant", "activation", "activation that is constant within a cycle, up to {:g} of its size", 1e-9)
DEAD = Check("dead", "emg", "a channel that varies by less than {:.0%} of the median channel", 0.02)
UNSCALED = Check("unscaled", "emg", "envelopes whose median channel rises above {:g}, or not to 0.02", 1.5)
COPIED = Check("copied", "emg", "two channels that are copies of each other to {:g}, unless [electrodes] says so", 1e-6)
HUM = Check("hum", "emg", "mains hum: over {:.0%} of a channel's power within 2 Hz of 50 or 60 Hz", 0.05)
PINNED = Check("clipped_emg", "emg", "over {:.1%} of a channel's samples are its highest or lowest value", 0.001)
SLOW = Check("rate", "emg", "raw EMG at less than {:g} Hz", 1000.0, "Merletti (1999), ISEK standards")
BRIDGED = Check("bridged", "emg", "values that are no numbers in gaps of up to {:g} s, bridged linearly", 0.02)
UNEVEN = Check("clock", "emg", "a clock further than {:g} s from an even one, resampled", 1e-3)
DROPOUT = Check("dropout", "emg", "a channel without samples, or at one and the same value for {:g} s", 0.1)
CLIPPED = Check("clipped_force", "force", "vertical force at its highest value for {:g} s or longer", 0.01)
SKIPPED = Check("skipped", "cycles", "cycles that are found and cannot be used")

CHECKS = {check.name: check for check in list(globals().values()) if isinstance(check, Check)}
"""Every check by its name."""


def heeded(notes: Iterable[Note], ignored: Iterable[str], where: str) -> list[str]:
    """Return the notes as text, each once, without those of ignored checks; how many these are is the last sentence."""
    every = list(dict.fromkeys(notes))
    left_out = Counter(note.check for note in every if note.check in set(ignored))
    told = ", ".join(f"{name} ({count})" for name, count in left_out.items())
    last = [f"{where}: [checks] has notes ignored: {told}."] if told else []
    return [str(note) for note in every if note.check not in left_out] + last
