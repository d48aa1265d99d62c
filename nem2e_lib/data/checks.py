"""What nem2e checks: every doubt about a recording by its name, with its threshold and where that comes from.

A check that is in doubt is told as a `Note`, or makes a cycle be skipped with the reason; ``[checks]`` of
``study.toml`` can have it ignored. ``docs/checks.md`` is written from here (``python tools/checks_page.py``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

OF = ("trials", "activation", "emg", "force", "cycles", "scaling")
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
SAME_LABEL = Check(
    "subject_case",
    "trials",
    "subjects, speeds or conditions whose labels differ in letter case, blanks or leading zeros only",
)
WITHOUT = Check("without", "trials", "EMG channels that a trial does without: what they miss of the study")
LEGS = Check("legs", "trials", "people whose EMG comes from both legs, so that each leg is normalised alone")
UNUSED = Check("unused", "trials", "a column of trials.csv that is not known")
LEFT_OUT = Check("no_muscle", "activation", "columns of the activation files that are not taken for muscles")
UNKNOWN_MUSCLE = Check(
    "unknown_muscle", "activation", "columns that no family of models knows, be they taken for muscles or left out"
)
MISSING_MUSCLE = Check("missing_muscle", "activation", "muscles of the model that the activation files lack")
SATURATED = Check("saturated", "activation", "a muscle above 0.99 for more than {:.0%} of the time", 0.05)
RANGE = Check(
    "activation_range",
    "activation",
    "activation outside 0 to 1 by more than {:g} within a cycle; [activation] tolerance sets another limit",
    0.05,
    "this project's choice: rounding and splines between frames stay far below, simulations that break down do not",
    skips=True,
)
OVERSHOOT = Check(
    "overshoot", "activation", "activation outside 0 to 1 by more than {:g} in a cycle that is used", 0.02
)
UNSETTLED = Check(
    "unsettled",
    "activation",
    "activation outside 0 to 1 by more than {:g} where no cycle is, as before a simulation has settled",
    RANGE.limit,
)
CONSTANT = Check("constant", "activation", "activation that is constant within a cycle, up to {:g} of its size", 1e-9)
DEAD = Check("dead", "emg", "a channel that varies by less than {:.0%} of the highest channel within its cycles", 0.02)
UNMODULATED = Check(
    "unmodulated",
    "emg",
    "a channel whose envelope stays level within cycles (sd below {:.2f} of its mean) and whose spectrum is noise's",
    0.45,
    "this project's choice: electrodes known to be dead in ten children have .12 to .43, working ones .37 and more",
)
ARTEFACT = Check(
    "artefact",
    "emg",
    "a cycle whose peak is over {:g} times that of the middle one of the subject's other cycles",
    4.0,
    "this project's choice: running at one of 2 to 5 m/s has up to 2.2",
)
GAIN = Check(
    "gain",
    "emg",
    "a channel that is over {:g} times larger in one recording of a subject than in another",
    6.0,
    "this project's choice: running at 2 to 5 m/s has up to 3.6",
)
GAINS = Check(
    "gains",
    "emg",
    "all channels together over {:g} times larger in one recording of a subject than in another",
    4.0,
    "this project's choice: running at 2 to 5 m/s has 1.9 in the median channel",
)
GAIN_STEP = Check(
    "gain_step",
    "emg",
    "a channel that is over {:g} times larger in all later cycles of a recording than in all earlier ones, or smaller",
    2.5,
    "this project's choice: running at one speed has up to 1.6",
)
REFERENCE_LOW = Check(
    "reference_low",
    "emg",
    "a channel whose middle cycle rises above {:g} times its reference, so that the reference was not maximal",
    1.2,
    "this project's choice; Besomi et al. (2020), doi:10.1016/j.jelekin.2020.102438, on maximal contractions",
)
REFERENCE_HIGH = Check(
    "reference_high",
    "emg",
    "a channel whose middle cycle does not rise to {:.0%} of its reference",
    0.02,
    "this project's choice: walking takes some 5 % of a maximal contraction and more",
)
REFERENCE_ARTEFACT = Check(
    "reference_artefact",
    "emg",
    "a reference over {:g} times what its recording holds for a quarter of a second in all",
    3.0,
    "this project's choice: a contraction that is held has 1.4, a jump 2",
)
PHASE = Check(
    "phase",
    "emg",
    "walking: a muscle whose activity centres outside its usual phases, if it is concentrated by over {:.2f} of 1",
    0.25,
    "phases after Winter (1991), Perry & Burnfield (2010), Hof et al. (2002), doi:10.1016/S0966-6362(01)00206-5",
)
UNSCALED = Check("unscaled", "emg", "envelopes whose median channel rises above {:g}, or not to 0.02", 1.5)
COPIED = Check("copied", "emg", "two channels that are copies of each other to {:g}, unless [electrodes] says so", 1e-6)
HUM = Check("hum", "emg", "mains hum: over {:.0%} of a channel's power steadily at 50 or 60 Hz and harmonics", 0.05)
PINNED = Check("clipped_emg", "emg", "over {:.1%} of a channel's samples are its highest or lowest value", 0.001)
SLOW = Check("rate", "emg", "raw EMG at less than {:g} Hz", 1000.0, "Merletti (1999), ISEK standards")
BRIDGED = Check(
    "bridged",
    "emg",
    "values that are no numbers in gaps of up to {:g} s, bridged linearly",
    0.02,
    "this project's choice: a 10 Hz envelope does not see such gaps",
)
UNEVEN = Check(
    "clock",
    "emg",
    "a clock further than {:g} s from an even one, resampled",
    1e-3,
    "this project's choice: times printed to 3 decimals are that uneven",
)
DROPOUT = Check(
    "dropout",
    "emg",
    "a channel without samples, or at one and the same value for {:g} s",
    0.1,
    "this project's choice: an amplifier's noise never rests that long",
)
CLIPPED = Check("clipped_force", "force", "vertical force at its highest value for {:g} s or longer", 0.01)
NO_FORCE = Check("no_force", "force", "force that is no number while no foot is on the plate, taken as 0")
SIDES = Check("sides", "force", "names that do not tell a plate's side, or tell another than the place of the pressure")
ZERO = Check("zero", "force", "a plate's zero in swing off by more than {:.2g} of the threshold, taken off", 0.25)
NOISE = Check(
    "noise", "force", "a plate's noise over {:.2g} of the threshold; contacts are found above five times it", 0.25
)
TOUCH = Check("touch", "force", "contacts under {:g} times as long and as strong as others, not taken for steps", 0.5)
COVERAGE = Check("coverage", "force", "{:g} or more strides without heel strike while somebody moves on the plates", 2)
OTHER_FOOT = Check(
    "other_foot",
    "force",
    "a cycle without the one contact of the other foot: between two heel strikes of a foot there is {:g}",
    1,
    "Perry & Burnfield (2010), Gait Analysis",
    skips=True,
)
LONG = Check("long_contact", "force", "a contact over {:g} times as long as those around it", 1.5, skips=True)
BRIEF = Check("brief_contact", "force", "a contact under {:g} times as long, or as strong, as others", 0.6, skips=True)
SPLIT = Check("split_contact", "force", "a swing under {:g} times as long as those around it", 0.5, skips=True)
EARLY = Check(
    "early_touch", "force", "a contact loaded {:g} s later than is usual after the heel strike", 0.06, skips=True
)
ALTERNATION = Check(
    "alternation", "force", "heel strikes that come when the other foot's is due, to {:g} of a cycle", 0.2, skips=True
)
RHYTHM = Check("rhythm", "force", "a cycle over {:g} times as long as those around it, or as short", 1.5, skips=True)
SKIPPED = Check("skipped", "cycles", "cycles that are found and cannot be used")
LEFT_RIGHT = Check(
    "left_right",
    "scaling",
    "a body whose right and left scale factors differ by more than {:.0%}",
    0.05,
    "this project's choice: 2 cm of a thigh; legs of most people differ by under 1 cm (Knutson 2005, "
    "doi:10.1186/1746-1340-13-11), landmarks are found again within 2 cm (Della Croce et al. 2005, "
    "doi:10.1016/j.gaitpost.2004.05.002)",
)
STATIC_FIT = Check(
    "static_fit",
    "scaling",
    "a marker of at least half the largest weight over {:g} m from where the scaled model has it in the static pose",
    0.02,
    "OpenSim documentation, Getting Started with Scaling (largest error of bony landmarks)",
)

CHECKS = {check.name: check for check in list(globals().values()) if isinstance(check, Check)}
"""Every check by its name."""


def heeded(notes: Iterable[Note], ignored: Iterable[str], where: str) -> list[str]:
    """Return the notes as text, each once, without those of ignored checks; how many these are is the last sentence."""
    every = list(dict.fromkeys(notes))
    left_out = Counter(note.check for note in every if note.check in set(ignored))
    told = ", ".join(f"{name} ({count})" for name, count in left_out.items())
    last = [f"{where}: [checks] has notes ignored: {told}."] if told else []
    return [str(note) for note in every if note.check not in left_out] + last
