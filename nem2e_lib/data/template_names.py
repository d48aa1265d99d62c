"""Which muscle an EMG channel may measure, by the names that laboratories and OpenSim's models use."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nem2e_lib.data.columns import muscle_name
from nem2e_lib.data.muscles import LEG, TRUNK

_ALIASES = {
    "soleus": "sol soleus",
    "med_gas": "medgas gasmed mgas gasm mg gm gastrocnemius medialgastrocnemius gastrocnemiusmedialis gastrocmed",
    "lat_gas": "latgas gaslat lgas gasl lg gl gastrocnemius lateralgastrocnemius gastrocnemiuslateralis gastroclat",
    "tib_ant": "ta tib tibant tibialisanterior",
    "tib_post": "tp tibpost tibialisposterior",
    "per_long": "pl perlong peroneuslongus peroneus fibularislongus",
    "per_brev": "pb perbrev peroneusbrevis fibularisbrevis",
    "rect_fem": "rf rect rectfem recfem rectusfemoris",
    "vas_lat": "vl vaslat vastuslateralis",
    "vas_med": "vm vmo vasmed vastusmedialis vastusmedius",
    "vas_int": "vi vasint vastusintermedius",
    "bifemlh": "bf bi bflh biceps bicepsfemoris bicepsfemorislonghead lateralhamstring lateralhamstrings",
    "bifemsh": "bfsh bicepsfemorisshorthead",
    "semimem": "sm sem semimem semimembranosus medialhamstring medialhamstrings mh",
    "semiten": "st semit semiten semitendinosus medialhamstring medialhamstrings mh",
    "glut_max1": "gm gmax glmax glmax1 glutmax glutmax1 gluteusmaximus gluteusmax",
    "glut_max2": "glmax2",
    "glut_max3": "glmax3",
    "glut_med1": "gm gmed glmed glmed1 glutmed glutmed1 gluteusmedius gluteusmed",
    "glut_med2": "glmed2",
    "glut_med3": "glmed3",
    "glut_min1": "glmin1",
    "glut_min2": "glmin2",
    "glut_min3": "glmin3",
    "tfl": "tensorfasciaelatae tensorfascialatae",
    "add_long": "al addlong adductorlongus",
    "grac": "gr gracilis",
    "sar": "sart sartorius",
    "ercspn": "es erectorspinae",
    "extobl": "eo externaloblique obliquusexternus",
    "intobl": "io internaloblique obliquusinternus",
}
_SIDES = {"r": "r", "right": "r", "l": "l", "left": "l"}
_NOISE = {"emg", "raw", "env", "envelope", "ch", "channel", "m", "muscle", "activation"}


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
    if not found and not sides and rest and rest[0][:1] in "RL" and len(rest[0]) > 1:
        found = _MEANINGS.get(_plain("".join(rest)[1:]), [])
        sides = [rest[0][0].lower()] if found else []
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
