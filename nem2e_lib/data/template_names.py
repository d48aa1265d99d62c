"""Which muscle an EMG channel may measure, by the names that laboratories and OpenSim's models use."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nem2e_lib.data.columns import muscle_name
from nem2e_lib.data.muscles import LEG, TRUNK

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
_NOISE = {"emg", "raw", "env", "envelope", "ch", "channel", "m", "muscle", "activation"}
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
    rest = [word for word in words if word.lower() not in _SIDES and word.lower() not in _NOISE]
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
