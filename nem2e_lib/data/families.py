"""Families of musculoskeletal models: the muscles that each names, and which of them are one and the same.

A family is a set of models that share their muscles' names. What a muscle of one family is in another is told by way
of gait2392: only where both have that very muscle. A muscle that one model lumps (``vasti``) or splits (adductor magnus
in three parts or in four, psoas in one or in eleven) has no counterpart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from nem2e_lib.data.labels import muscle_name, word_set
from nem2e_lib.data.muscles import LEG, TRUNK, candidates
from nem2e_lib.data.tables import near
from nem2e_lib.error import Nem2eError

_SIDED = re.compile(r"(.+?)_([rl])", re.IGNORECASE)


@dataclass(frozen=True)
class Family:
    """Models that share the names of their muscles.

    Attributes
    ----------
    name : str
        What the family is called by, as in ``--names``.
    also : tuple of str
        Other names that it goes by.
    source : str
        Author, year and doi.
    counterparts : dict
        Muscle without side, in lower case, to the same muscle of gait2392, or to nothing where there is none.
    pattern : re.Pattern, optional
        Further names without side, of muscles that gait2392 does not have.
    """

    name: str
    also: tuple[str, ...]
    source: str
    counterparts: Mapping[str, str] = field(repr=False)
    pattern: re.Pattern[str] | None = field(default=None, repr=False)

    def has(self, muscle: str) -> bool:
        """Whether the family names a muscle so; letter case does not matter, nor that a side is missing."""
        base = _parts(muscle)[0]
        return base in self.counterparts or (self.pattern is not None and self.pattern.fullmatch(base) is not None)

    def canonical(self, muscle: str) -> str:
        """Return gait2392's name of a muscle of the family; empty where it has no one counterpart."""
        base, side = _parts(muscle)
        found = self.counterparts.get(base, "")
        return f"{found}_{side}" if found and side else found


def _parts(muscle: str) -> tuple[str, str]:
    """Name without side and side, in lower case."""
    sided = _SIDED.fullmatch(muscle)
    return (sided.group(1).lower(), sided.group(2).lower()) if sided else (muscle.lower(), "")


_RAJAGOPAL = {
    **dict.fromkeys(("addmagdist", "addmagisch", "addmagmid", "addmagprox"), ""),
    "addbrev": "add_brev",
    "addlong": "add_long",
    "bflh": "bifemlh",
    "bfsh": "bifemsh",
    "edl": "ext_dig",
    "ehl": "ext_hal",
    "fdl": "flex_dig",
    "fhl": "flex_hal",
    "gaslat": "lat_gas",
    "gasmed": "med_gas",
    "gem": "gem",
    **{f"gl{short}{part}": f"glut_{short}{part}" for short in ("max", "med", "min") for part in "123"},
    "grac": "grac",
    "iliacus": "iliacus",
    "pect": "pect",
    "perbrev": "per_brev",
    "perlong": "per_long",
    "pertert": "per_tert",
    "piri": "peri",
    "psoas": "psoas",
    "quadfem": "quad_fem",
    "recfem": "rect_fem",
    "sart": "sar",
    "semimem": "semimem",
    "semiten": "semiten",
    "soleus": "soleus",
    "tfl": "tfl",
    "tibant": "tib_ant",
    "tibpost": "tib_post",
    "vasint": "vas_int",
    "vaslat": "vas_lat",
    "vasmed": "vas_med",
}
"""40 muscles of a leg, and four that Arnold's model has besides (gem, pect, pertert, quadfem)."""
_LUMPED = {
    **dict.fromkeys(("hamstrings", "glut_max", "iliopsoas", "vasti", "gastroc", "abd", "add"), ""),
    **{muscle: muscle for muscle in ("bifemsh", "rect_fem", "soleus", "tib_ant")},
}
_SPINE = re.compile(
    r"il_[lr]\d+|ltp[tl]_[tlr]\d+|ql_(?:ant|mid|post)_.+|mf_m\d(?:s|t[._]\d|[._]laminar)"
    r"|ps_l\d(?:_l\d)?_(?:vb|tp|ivd)|[ei][o0]_?\d|e[o0]_r\d+|tr\d|rect_abd(?:ominis)?|ld_(?:[ltr]\d+|il)"
    r"|multifidus_t\d+_[tc]\d+|(?:sup|deep)mult[-_].+|(?:ext|int)ic_.+|serrant.*|trap_.+|rhomb.*|transversus.*"
    r"|stern_mast|cleid_(?:mast|occ)|scal_(?:ant|med|post)|long_(?:col|cap)_.+|semi_(?:cap|cerv)_.+"
    r"|splen_(?:cap|cerv)_.+|levator_scap|longissi_(?:cap|cerv)_.+|iliocost_cerv_.+"
)
_ARM = word_set("""
    delt1 delt2 delt3 supsp infsp subsc tmin tmaj pecm1 pecm2 pecm3 lat1 lat2 lat3 corb trilong trilat trimed trilon anc
    sup biclong bicshort biclon bicsht bra brd ecrl ecrb ecu fcr fcu pl pt pq fdsl fdsr fdsm fdsi fdpl fdpr fdpm fdpi
    edcl edcr edcm edci edm eip epl epb fpl apl
    """)

FAMILIES = {
    family.name: family
    for family in (
        Family(
            "gait2392",
            ("gait2354", "hamner", "delp"),
            "Delp et al. 1990, doi:10.1109/10.102791; Hamner et al. 2010, doi:10.1016/j.jbiomech.2010.06.025",
            {muscle: muscle for muscle in (*LEG, *TRUNK)},
        ),
        Family(
            "rajagopal",
            ("rajagopal2015", "rajagopal2016", "rajagopal2023", "lai", "lai2017", "laiuhlrich2022", "arnold"),
            "Rajagopal et al. 2016, doi:10.1109/TBME.2016.2586891; Lai et al. 2017, doi:10.1007/s10439-017-1920-7; "
            "Arnold et al. 2010, doi:10.1007/s10439-009-9852-5",
            {**_RAJAGOPAL, **{f"{muscle}140": of for muscle, of in _RAJAGOPAL.items()}},
        ),
        Family(
            "gait10dof18musc",
            ("gait10dof18", "gait9dof18musc", "gait14dof22musc", "gait2d"),
            "Ong et al. 2019, doi:10.1371/journal.pcbi.1006993",
            _LUMPED,
        ),
        Family(
            "spine",
            ("lumbar", "thoracolumbar", "fullbodylumbar"),
            "Christophy et al. 2012, doi:10.1007/s10237-011-0290-6; Bruno et al. 2015, doi:10.1115/1.4030408; "
            "Raabe and Chaudhari 2016, doi:10.1016/j.jbiomech.2016.02.046",
            {},
            _SPINE,
        ),
        Family(
            "arm",
            ("arm26", "mobl", "saul"),
            "Holzbaur et al. 2005, doi:10.1007/s10439-005-3320-7; Saul et al. 2015, doi:10.1080/10255842.2014.916698",
            dict.fromkeys(_ARM, ""),
        ),
    )
}
"""Every family by its name, the one of most counterparts first."""


def family(name: str, where: str = "names") -> Family:
    """Return a family by one of its names; Nem2eError with all of them for another."""
    for one in FAMILIES.values():
        if name.lower() in (one.name, *one.also):
            return one
    known = [name for one in FAMILIES.values() for name in (one.name, *one.also)]
    hint = near(name, known) or f"; known are {', '.join(FAMILIES)}."
    raise Nem2eError(f"{where} is {name!r}, but a family of models is expected{hint}")


@lru_cache(maxsize=65536)
def is_known(muscle: str) -> bool:
    """Whether any family names a muscle so."""
    return any(one.has(muscle) for one in FAMILIES.values())


def whose(muscle: str) -> str:
    """Return the name of the first family that names a muscle so; empty if none does."""
    return next((one.name for one in FAMILIES.values() if one.has(muscle)), "")


def canonical(muscle: str) -> str:
    """Return gait2392's name of a muscle of any family; empty where it has no one counterpart."""
    return next((found for one in FAMILIES.values() if (found := one.canonical(muscle))), "")


def pairs(wanted: Iterable[str], there: Sequence[str], names: Family) -> dict[str, list[str]]:
    """Return which of the muscles `there`, named as a family does, are the ones wanted under any family's names.

    A muscle that is there under the wanted name is itself; one without counterpart is left out; more than one name
    means that it is there twice.
    """
    under: dict[str, list[str]] = {}
    for muscle in there:
        if own := names.canonical(muscle):
            under.setdefault(own, []).append(muscle)
    found = {muscle: [muscle] if muscle in there else under.get(canonical(muscle), []) for muscle in wanted}
    return {muscle: same for muscle, same in found.items() if same}


def likely(wanted: Sequence[str], there: Sequence[str]) -> tuple[Family, dict[str, list[str]]]:
    """Return the family under whose names most of the muscles wanted are there, and these pairs."""
    every = [(one, pairs(wanted, there, one)) for one in FAMILIES.values()]
    return max(every, key=lambda found: len(found[1]))


def counterpart(muscle: str, there: Sequence[str]) -> str:
    """Return the name that a muscle has among those `there`, by the one family that knows it; empty if by none."""
    same = likely([muscle], there)[1].get(muscle, [])
    return same[0] if len(same) == 1 else ""


def measurable(channel: str, muscles: Sequence[str], side: str = "r") -> list[str]:
    """Return the muscles of a model, under any family's names, that an EMG channel may measure; see `candidates`."""
    if muscle_name(channel) in muscles:
        return [muscle_name(channel)]
    own = {canonical(muscle) or muscle: muscle for muscle in muscles}
    return [own[muscle] for muscle in candidates(channel, list(own), side)]
