"""Names of muscles: gait2392's, the paper's EMG channels, regions, and what the labels of other files may mean."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.labels import muscle_name

LEG = tuple(
    """
    glut_med1 glut_med2 glut_med3 glut_min1 glut_min2 glut_min3 semimem semiten bifemlh bifemsh sar add_long
    add_brev add_mag1 add_mag2 add_mag3 tfl pect grac glut_max1 glut_max2 glut_max3 iliacus psoas quad_fem gem peri
    rect_fem vas_med vas_int vas_lat med_gas lat_gas soleus tib_post flex_dig flex_hal tib_ant per_brev per_long
    per_tert ext_dig ext_hal
    """.split()  # noqa: SIM905
)
"""The 43 muscles of one leg, without side, in gait2392's order (Delp et al. 1990, doi:10.1109/10.102791)."""
TRUNK = ("ercspn", "intobl", "extobl")
"""The three muscles of one side of the lumbar spine, without side."""

GAIT2392 = (
    *(f"{muscle}_r" for muscle in LEG),
    *(f"{muscle}_l" for muscle in LEG),
    *(f"{muscle}_{side}" for muscle in TRUNK for side in "rl"),
)
"""The 92 muscles of gait2392: 43 a leg and 6 of the lumbar spine."""

_ARM = ("arm_flex", "arm_add", "arm_rot", "elbow_flex", "pro_sup")
ARM_ACTUATORS = tuple(f"{joint}_{side}" for side in "rl" for joint in _ARM)
"""The 10 actuators of the arms that make 102 columns of the running data (Hamner et al. 2010)."""

RUNNING_EMG = {
    "soleus": "soleus_r",
    "bi": "bifemlh_r",
    "sem": "semimem_r",
    "tib": "tib_ant_r",
    "rect": "rect_fem_r",
    "semit": "semiten_r",
    "glmax1": "glut_max1_r",
    "glmax2": "glut_max2_r",
    "glmax3": "glut_max3_r",
    "glmed1": "glut_med1_r",
    "glmed2": "glut_med2_r",
    "glmed3": "glut_med3_r",
    "gaslat": "lat_gas_r",
    "gasmed": "med_gas_r",
    "vaslat": "vas_lat_r",
    "vasmed": "vas_med_r",
}
"""The paper's running EMG channels and the muscles they measure (Teramae et al. 2025, section 3.2.2)."""

WALKING_EMG = {name: RUNNING_EMG[name] for name in ("soleus", "bi", "sem", "tib", "rect")}
"""The paper's walking EMG channels and the muscles they measure."""

RUNNING_ELECTRODES = {
    "glmax2": "glmax1",
    "glmax3": "glmax1",
    "glmed2": "glmed1",
    "glmed3": "glmed1",
    "semit": "sem",
}
"""Running channels that copy another channel's electrode: 16 channels, 11 electrodes."""

_THIGH = {"semimem", "semiten", "bifemlh", "bifemsh", "sar", "grac", "rect_fem", "vas_med", "vas_int", "vas_lat"}
_SHANK = set(LEG[LEG.index("med_gas") :])


def base(muscle: str) -> str:
    """Return a muscle's name without its side."""
    return muscle[:-2] if muscle.endswith(("_r", "_l")) else muscle


def side(muscle: str) -> str:
    """Return `right`, `left`, or `none` for a name without side."""
    return {"_r": "right", "_l": "left"}.get(muscle[-2:], "none")


def region(muscle: str) -> str:
    """Return `hip`, `thigh`, `shank`, `trunk`, `arm`, or `other` for a name that gait2392 does not have."""
    name = base(muscle)
    if name in TRUNK:
        return "trunk"
    if name in _ARM:
        return "arm"
    if name in _THIGH:
        return "thigh"
    if name in _SHANK:
        return "shank"
    return "hip" if name in LEG else "other"


_SPELLINGS = {  # in lower case, without blanks; those of several muscles mean any of them
    "soleus": "sol soleus sole",
    "med_gas": "medgas gasmed mgas gasm mg gm gastrocnemius medialgastrocnemius gastrocnemiusmedialis gastrocmed "
    "medgastroc medialgastroc gastrocmedialis gastrocnemiusmedial gastrocnemiusmed medgastrocnemius gastroc gas gast "
    "gasmedialis gastrocmedial medgastro gastromed gastro medialgastro gastromedial gastromedialis caputmediale",
    "lat_gas": "latgas gaslat lgas gasl lg gl gastrocnemius lateralgastrocnemius gastrocnemiuslateralis gastroclat "
    "latgastroc lateralgastroc gastroclateralis gastrocnemiuslateral gastrocnemiuslat latgastrocnemius gastroc gas "
    "gast gaslateralis gastroclateral latgastro gastrolat gastro lateralgastro gastrolateral gastrolateralis",
    "tib_ant": "ta tib tibant tibialisanterior tiba tibialisant tibanterior anteriortibialis anttib tibialanterior",
    "tib_post": "tp tibpost tibialisposterior",
    "per_long": "pl perlong perl peroneuslongus peroneus fibularislongus peronaeuslongus pero peroneuslong",
    "per_brev": "pb perbrev perb peroneusbrevis fibularisbrevis",
    "rect_fem": "rf rect rectfem recfem rectusfemoris rfem rectus rectusfem rectusfemor",
    "vas_lat": "vl vaslat vastuslateralis vlat vastlat vastuslat vastlateralis vastuslateral vasti vastus vlo",
    "vas_med": "vm vmo vasmed vastusmedialis vastusmedius vmed vastmed vastusmed vastmedialis vastusmedial vasti "
    "vastus",
    "vas_int": "vi vasint vastusintermedius vasti",
    "bifemlh": "bf bi bflh biceps bicepsfemoris bicepsfemorislonghead bicepsfemorislh bicepsfemorislong "
    "bicepsfemoriscaputlongum bicepsfemoriscaputlongus lateralhamstring lateralhamstrings lathamstrings latham "
    "lateralham haml bfl bflong bfem bicfem bicepsfem bifem hamstrings hamstring hams ham",
    "bifemsh": "bfsh bicepsfemorisshorthead bicepsfemorissh",
    "semimem": "sm sem semimem semimembranosus medialhamstring medialhamstrings medhamstrings medham mham hamm mh "
    "semimembr hamstrings hamstring hams ham",
    "semiten": "st semit semiten semitendinosus medialhamstring medialhamstrings medhamstrings medham mham hamm mh "
    "semitend semt semitendinous hamstrings hamstring hams ham",
    "glut_max1": "gm gmax glmax glmax1 glutmax glutmax1 gluteusmaximus gluteusmax gluteusmaxim glumax gluteus "
    "maxgluteus",
    "glut_max2": "glmax2",
    "glut_max3": "glmax3",
    "glut_med1": "gm gmed glmed glmed1 glutmed glutmed1 gluteusmedius gluteusmed glumed gluteus",
    "glut_med2": "glmed2",
    "glut_med3": "glmed3",
    "glut_min1": "glmin1",
    "glut_min2": "glmin2",
    "glut_min3": "glmin3",
    "tfl": "tensorfasciaelatae tensorfascialatae tensor",
    "add_long": "al addlong adductorlongus adductor adductors add",
    "add_brev": "adductorbrevis adductor adductors add",
    "add_mag1": "adductormagnus adductor adductors add",
    "add_mag2": "adductormagnus adductor adductors add",
    "add_mag3": "adductormagnus adductor adductors add",
    "grac": "gr gracilis",
    "sar": "sart sartorius",
    "ercspn": "es erectorspinae erecsp erectors lumbares lumbarerectorspinae",
    "extobl": "eo externaloblique obliquusexternus extoblique",
    "intobl": "io internaloblique obliquusinternus intoblique",
}
_SIDES = {
    **dict.fromkeys(("r", "rt", "rgt", "right", "rechts", "dx", "droit", "droite", "derecho", "derecha"), "r"),
    **dict.fromkeys(("l", "lt", "lft", "left", "links", "sx", "gauche", "izquierdo", "izquierda"), "l"),
}
_GLUED = re.compile(r"(?i)(?<![a-z])(right|left)(?=[a-z]{3})")
"""A side that is written together with the muscle: ``rightexternaloblique``."""
_NOT_OF_A_MUSCLE = {"emg", "raw", "env", "envelope", "ch", "channel", "m", "muscle", "activation"}
_DEVICE = re.compile(
    r"\d+|sensors?|avanti|trigno|delsys|noraxon|ultium|myoresearch|vicon|[sd]?emg\d*|im|ch\d+|channels?|analog|[a-d]|mini|duo|"
    r"quattro|[mu]?v|volts?|voltage|electric|potential|tracks?|leg|rms|filt(?:ered)?|norm",
    re.IGNORECASE,
)
"""Words of an amplifier, left aside only where the label means nothing with them."""


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


_MEANINGS: dict[str, list[str]] = {}
for _muscle in (*LEG, *TRUNK):
    for _spelling in {_plain(_muscle), *_SPELLINGS.get(_muscle, "").split()}:
        _MEANINGS.setdefault(_spelling, []).append(_muscle)


_UNIT = re.compile(
    r"[\s,;_]*(?:[\[(]\s*(?:[mun\u00b5\u03bc]?V(?:olts?)?|%[^\])]*|a\.?u\.?)\s*[\])]|[,;_ ]\s*[mun\u00b5\u03bc]V)\s*$",
    re.I,
)
"""A unit at the end of a label."""
_SHARED = {"biceps": "biceps femoris or biceps brachii?", "bic": "biceps femoris or biceps brachii?"}
"""Names that a muscle of the leg shares with one elsewhere."""


def doubt(label: str) -> str:
    """Return what is to be asked of a label whose name is also that of a muscle elsewhere; empty for any other."""
    name = _plain("".join(_words(label)[1]))
    return _SHARED.get(name, _SHARED.get(name[1:], "") if name[:1] in ("r", "l") else "")


def meaning(label: str) -> tuple[list[str], str]:
    """Return the muscles (gait2392's names without side) that a label may mean, and its side: ``r``, ``l`` or nothing.

    ``R_TibAnt``, ``tibant_r``, ``/forceset/tib_ant_r/activation`` and ``EMG tibialis anterior right`` all mean
    tib_ant of the right leg; ``GM`` means three muscles.
    """
    sides, rest = _words(label)
    found = _MEANINGS.get(_plain("".join(rest)), [])
    first, other = "".join(rest)[:1], "".join(rest)[1:]
    if not found and not sides and (first in ("R", "L") or (first in ("r", "l") and len(other) > 2)):
        found = _MEANINGS.get(_plain(other), [])
        sides = [first.lower()] if found else []
    return found, sides[0] if len(set(sides)) == 1 else ""


def _words(label: str) -> tuple[list[str], list[str]]:
    """The sides that a label names, and its words that may name a muscle."""
    written = _UNIT.sub("", muscle_name(label))
    whole = re.split(r"[^A-Za-z0-9]+", _GLUED.sub(r"\1 ", written))
    told = [_SIDES[word.lower()] for word in whole if word.lower() in _SIDES]
    left = [word for word in whole if word and word.lower() not in _SIDES]
    if told and _plain("".join(left)) in _MEANINGS:  # HamL_r is the lateral hamstrings of the right leg
        return told, left
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", written)
    words = [word for word in re.split(r"[^A-Za-z0-9]+", name) if word]
    sides = [_SIDES[word.lower()] for word in words if word.lower() in _SIDES]
    rest = [word for word in words if word.lower() not in _SIDES and word.lower() not in _NOT_OF_A_MUSCLE]
    if _plain("".join(rest)) in _MEANINGS:
        return sides, rest
    return sides, [word for word in rest if not _DEVICE.fullmatch(word)]


def is_muscle(label: str) -> bool:
    """Whether a label means a muscle of the leg or trunk under any known name."""
    return bool(meaning(label)[0])


def candidates(channel: str, muscles: Sequence[str], side: str = "r") -> list[str]:
    """Return the columns of an activation file that an EMG channel may measure.

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


def same_leg(muscle: str, muscles: Sequence[str]) -> NDArray[np.bool_]:
    """Tell which of the muscles are of the leg that a muscle is of; shape (muscles,).

    Those with its side in their names and neither of the trunk nor of the arms: 43 in gait2392. Where names tell no
    side, all of them.
    """
    return np.array([side(one) == side(muscle) and region(one) not in ("trunk", "arm") for one in muscles])
