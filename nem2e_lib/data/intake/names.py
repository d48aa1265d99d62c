"""What names tell: which files are of one trial, who moved, how fast, and which muscle a channel may measure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from nem2e_lib.data.columns import muscle_name
from nem2e_lib.data.muscles import LEG, TRUNK

# --- Words of a file's path: which files are of one trial, who moved, and how fast ---

_NO_WORD = frozenset(
    """
    activation activations states controls solution emg raw env envelope envelopes processed filtered normalized
    normalised electromyography grf grfs grd force forces ground reaction fp plate plates static optimization
    optimisation staticoptimization so cmc rra moco inverse results result analyze data opensim newcop3 v24 v240
    """.split()  # noqa: SIM905
)
_WHO = r"subject|subj|sub|participant|part|patient|pt|person|proband|volunteer|athlete|runner|s|p|ab|gil"
_SUBJECT = re.compile(rf"(?:{_WHO})0*\d+", re.IGNORECASE)
_SPLIT = re.compile(r"[^A-Za-z0-9.]+|(?<!\d)\.|\.(?!\d)")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z][a-z])")
_SPEED = re.compile(r"(?:x|v|very)?(?:slow|fast)|free|comfortable|preferred|normal|self|sprint", re.IGNORECASE)
_RATE = re.compile(r"(?:v|speed)?(\d+(?:[.p]\d+)?)(ms|mps|kmh|kph)", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:[.p]\d+)?")


def words(relative: Path) -> tuple[str, ...]:
    """Words of a path that may name the trial, in lower case; what names a kind of file is left out.

    A number belongs to the word for a person before it: ``Subject 01`` and ``sub-01`` are one word each.
    """
    found: list[str] = []
    for part in [*relative.parent.parts, relative.stem]:
        before = ""
        for word in _split(part):
            if word.isdigit() and re.fullmatch(_WHO, before) and found and found[-1] == before:
                found[-1] += word
            elif word not in _NO_WORD:
                found.append(word)
            before = word
    return tuple(dict.fromkeys(found))


def _split(part: str) -> list[str]:
    pieces = [piece for piece in _SPLIT.split(part) if piece]
    split = [[piece] if piece.lower() in _NO_WORD else _CAMEL.split(piece) for piece in pieces]
    return [word.lower() for some in split for word in some]


def keys(relative: Path) -> frozenset[str]:
    """The words as they are compared: ``walk 01``, ``walk_1`` and ``Walk01`` are all ``walk1``."""
    found: list[str] = []
    for part in [*relative.parent.parts, relative.stem]:
        before = ""
        for word in _split(part):
            if word.isdigit() and before and found:
                found[-1] += str(int(word))
                before = ""
            elif word not in _NO_WORD:
                found.append(re.sub(r"(?<![\d.])0+(?=\d)", "", word))
                before = word if word.isalpha() else ""
            else:
                before = ""
    return frozenset(found)


def covers(mine: frozenset[str], theirs: frozenset[str]) -> bool:
    """Whether every key of the other is here; a bare number may be that of one word here that names no person."""
    return all(key in mine or _numbered(mine, key) for key in theirs)


def _numbered(mine: frozenset[str], key: str) -> bool:
    ends = [word for word in mine if re.fullmatch(rf"[a-z]+{key}", word) and not _SUBJECT.fullmatch(word)]
    return key.isdigit() and len(ends) == 1


def only_here(mine: Sequence[frozenset[str]], others: Iterable[frozenset[str]]) -> frozenset[str]:
    """Words without number that all files of one kind have and none of another kind: they tell no trial apart."""
    if len(mine) < 2:
        return frozenset()
    shared = frozenset.intersection(*mine) - frozenset().union(*others)
    return frozenset(word for word in shared if word.isalpha())


def subject(words: Sequence[str]) -> str:
    """The word that names who moved; empty if none does."""
    return next((word for word in words if _SUBJECT.fullmatch(word)), "")


def speed(words: Sequence[str]) -> tuple[str, str]:
    """Label of the speed and its value in m/s as text; empty where no word says them.

    ``3.5ms`` and ``12.6kmh`` have a unit; ``speed 3.0`` has none, so that it is a label only.
    """
    for before, word in zip(["", *words], words, strict=False):
        if rate := _RATE.fullmatch(word):
            metres = float(rate.group(1).replace("p", ".")) / (3.6 if rate.group(2).startswith("k") else 1)
            return word, f"{metres:.4g}"
        if label := _SPEED.match(word):
            return label.group(0), ""
        if before in ("speed", "velocity") and _NUMBER.fullmatch(word):
            return word, ""
    return "", ""


# --- Which muscle an EMG channel may measure, by the names that laboratories and OpenSim's models use ---

_ALIASES = {
    "soleus": "sol soleus sole",
    "med_gas": "medgas gasmed mgas gasm mg gm gastrocnemius medialgastrocnemius gastrocnemiusmedialis gastrocmed "
    "medgastroc medialgastroc gastrocmedialis gastrocnemiusmedial gastrocnemiusmed medgastrocnemius gastroc gas gast "
    "gasmedialis gastrocmedial",
    "lat_gas": "latgas gaslat lgas gasl lg gl gastrocnemius lateralgastrocnemius gastrocnemiuslateralis gastroclat "
    "latgastroc lateralgastroc gastroclateralis gastrocnemiuslateral gastrocnemiuslat latgastrocnemius gastroc gas "
    "gast gaslateralis gastroclateral",
    "tib_ant": "ta tib tibant tibialisanterior tiba tibialisant tibanterior anteriortibialis",
    "tib_post": "tp tibpost tibialisposterior",
    "per_long": "pl perlong perl peroneuslongus peroneus fibularislongus peronaeuslongus pero",
    "per_brev": "pb perbrev peroneusbrevis fibularisbrevis",
    "rect_fem": "rf rect rectfem recfem rectusfemoris rfem rectus rectusfem rectusfemor",
    "vas_lat": "vl vaslat vastuslateralis vlat vastlat vastuslat vastlateralis vastuslateral vasti vastus",
    "vas_med": "vm vmo vasmed vastusmedialis vastusmedius vmed vastmed vastusmed vastmedialis vastusmedial vasti "
    "vastus",
    "vas_int": "vi vasint vastusintermedius vasti",
    "bifemlh": "bf bi bflh biceps bicepsfemoris bicepsfemorislonghead bicepsfemorislh bicepsfemorislong "
    "lateralhamstring lateralhamstrings lathamstrings latham bfl bflong bfem bicfem bicepsfem bifem hamstrings "
    "hamstring hams ham",
    "bifemsh": "bfsh bicepsfemorisshorthead bicepsfemorissh",
    "semimem": "sm sem semimem semimembranosus medialhamstring medialhamstrings medhamstrings medham mh semimembr "
    "hamstrings hamstring hams ham",
    "semiten": "st semit semiten semitendinosus medialhamstring medialhamstrings medhamstrings medham mh semitend semt "
    "semitendinous hamstrings hamstring hams ham",
    "glut_max1": "gm gmax glmax glmax1 glutmax glutmax1 gluteusmaximus gluteusmax gluteusmaxim glumax gluteus",
    "glut_max2": "glmax2",
    "glut_max3": "glmax3",
    "glut_med1": "gm gmed glmed glmed1 glutmed glutmed1 gluteusmedius gluteusmed glumed gluteus",
    "glut_med2": "glmed2",
    "glut_med3": "glmed3",
    "glut_min1": "glmin1",
    "glut_min2": "glmin2",
    "glut_min3": "glmin3",
    "tfl": "tensorfasciaelatae tensorfascialatae tensor",
    "add_long": "al addlong adductorlongus",
    "grac": "gr gracilis",
    "sar": "sart sartorius",
    "ercspn": "es erectorspinae erecsp erectors",
    "extobl": "eo externaloblique obliquusexternus",
    "intobl": "io internaloblique obliquusinternus",
}
_SIDES = {
    **dict.fromkeys(("r", "rt", "right", "rechts", "dx"), "r"),
    **dict.fromkeys(("l", "lt", "left", "links", "sx"), "l"),
}
_NOT_OF_A_MUSCLE = {"emg", "raw", "env", "envelope", "ch", "channel", "m", "muscle", "activation"}
_DEVICE = re.compile(
    r"\d+|sensor|avanti|trigno|delsys|noraxon|ultium|emg\d+|ch\d+|[mu]?v|volts?|rms|filt(?:ered)?|norm", re.IGNORECASE
)
"""Words of an amplifier, left aside only where the label means nothing with them."""


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


_MEANINGS: dict[str, list[str]] = {}
for _muscle in (*LEG, *TRUNK):
    for _spelling in {_plain(_muscle), *_ALIASES.get(_muscle, "").split()}:
        _MEANINGS.setdefault(_spelling, []).append(_muscle)


def meaning(label: str) -> tuple[list[str], str]:
    """Muscles (gait2392's names without side) that a label may mean, and its side: ``r``, ``l`` or nothing.

    ``R_TibAnt``, ``tibant_r``, ``/forceset/tib_ant_r/activation`` and ``EMG tibialis anterior right`` all mean
    tib_ant of the right leg; ``GM`` means three muscles.
    """
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", muscle_name(label))
    words = [word for word in re.split(r"[^A-Za-z0-9]+", name) if word]
    sides = [_SIDES[word.lower()] for word in words if word.lower() in _SIDES]
    rest = [word for word in words if word.lower() not in _SIDES and word.lower() not in _NOT_OF_A_MUSCLE]
    found = _MEANINGS.get(_plain("".join(rest)), [])
    if not found:
        rest = [word for word in rest if not _DEVICE.fullmatch(word)]
        found = _MEANINGS.get(_plain("".join(rest)), [])
    first, other = "".join(rest)[:1], "".join(rest)[1:]
    if not found and not sides and (first in ("R", "L") or (first in ("r", "l") and len(other) > 2)):
        found = _MEANINGS.get(_plain(other), [])
        sides = [first.lower()] if found else []
    return found, sides[0] if len(set(sides)) == 1 else ""


def is_muscle(label: str) -> bool:
    """Whether a label means a muscle of the leg or trunk under any known name."""
    return bool(meaning(label)[0])


def candidates(channel: str, muscles: Sequence[str], side: str = "r") -> list[str]:
    """Columns of an activation file that an EMG channel may measure.

    Parameters
    ----------
    channel : str
        Column label of the EMG file.
    muscles : sequence of str
        Muscle names of the activation file.
    side : str
        Taken where the channel's name has none.
    """
    if muscle_name(channel) in muscles:
        return [muscle_name(channel)]
    wanted, own = meaning(channel)
    return [
        muscle
        for muscle in muscles
        if (known := meaning(muscle))[0] and set(known[0]) & set(wanted) and known[1] in ("", own or side)
    ]
