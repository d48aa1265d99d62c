"""Families of models: each names its own muscles, and a pair is one muscle or none."""

from __future__ import annotations

import pytest

from nem2e_lib.data.families import FAMILIES, canonical, counterpart, family, is_known, likely, measurable, pairs, whose
from nem2e_lib.data.muscles import GAIT2392
from nem2e_lib.error import Nem2eError

RAJAGOPAL = """addbrev addlong addmagDist addmagIsch addmagMid addmagProx bflh bfsh edl ehl fdl fhl gaslat gasmed glmax1
glmax2 glmax3 glmed1 glmed2 glmed3 glmin1 glmin2 glmin3 grac iliacus perbrev perlong piri psoas recfem sart semimem
semiten soleus tfl tibant tibpost vasint vaslat vasmed"""
OWN = [f"{muscle}_r" for muscle in RAJAGOPAL.split()]
LUMPED = [
    "hamstrings_r",
    "bifemsh_r",
    "glut_max_r",
    "iliopsoas_r",
    "rect_fem_r",
    "vasti_r",
    "gastroc_r",
    "soleus_r",
    "tib_ant_r",
]


def test_every_muscle_of_gait2392_is_itself():
    assert [canonical(muscle) for muscle in GAIT2392] == list(GAIT2392)


def test_rajagopals_forty_have_thirty_six_counterparts_and_no_two_the_same():
    found = [canonical(muscle) for muscle in OWN]
    none = [muscle for muscle, other in zip(OWN, found, strict=True) if not other]
    assert none == [
        "addmagDist_r",
        "addmagIsch_r",
        "addmagMid_r",
        "addmagProx_r",
    ]  # four parts there, three in gait2392
    kept = [other for other in found if other]
    assert len(kept) == len(set(kept)) == 36
    assert set(kept) <= set(GAIT2392)
    assert (canonical("sart_l"), canonical("piri_r"), canonical("gaslat140_r")) == ("sar_l", "peri_r", "lat_gas_r")


def test_lumped_muscles_have_no_counterpart():
    assert [muscle for muscle in LUMPED if canonical(muscle)] == ["bifemsh_r", "rect_fem_r", "soleus_r", "tib_ant_r"]
    assert all(map(is_known, LUMPED))


@pytest.mark.parametrize("one", FAMILIES.values(), ids=lambda one: one.name)
def test_a_counterpart_is_a_muscle_of_gait2392_and_of_one_muscle_alone(one):
    whole = {name: other for name, other in one.counterparts.items() if other and not name.endswith("140")}
    assert {f"{other}_r" for other in whole.values()} <= set(GAIT2392)
    assert len(set(whole.values())) == len(whole)
    assert "doi:10." in one.source


@pytest.mark.parametrize(
    "name", ["value", "speed", "lumbar_ext", "hip_flexion_r", "knee_angle_l", "pro_sup_r", "FX", "PCL_r"]
)
def test_no_family_has_what_is_no_muscle(name):
    assert not is_known(name)


def test_pairs_of_a_recording_and_a_refiner():
    names = family("Rajagopal2016")
    found = pairs(["tib_ant_r", "soleus_r", "add_mag1_r"], OWN, names)
    assert found == {"tib_ant_r": ["tibant_r"], "soleus_r": ["soleus_r"]}
    back = pairs(["tibant_r", "addmagMid_r"], list(GAIT2392), family("gait2392"))
    assert back == {"tibant_r": ["tib_ant_r"]}
    assert pairs(["lat_gas_r"], ["gaslat_r", "gaslat140_r"], names) == {"lat_gas_r": ["gaslat_r", "gaslat140_r"]}
    assert pairs(["tib_ant_r"], ["tibant_l"], names) == {}


def test_the_likely_family_has_most_of_the_muscles():
    assert likely(GAIT2392[:43], OWN)[0].name == "rajagopal"
    assert len(likely(GAIT2392[:43], OWN)[1]) == 36
    assert counterpart("tib_ant_r", OWN) == "tibant_r"
    assert counterpart("tibant_r", list(GAIT2392)) == "tib_ant_r"
    assert counterpart("gastroc_r", OWN) == ""
    assert whose("tibant_r") == "rajagopal"


def test_a_family_that_is_not_known():
    with pytest.raises(
        Nem2eError, match="names is 'rajagopa', but a family of models is expected; did you mean 'rajagopal'"
    ):
        family("rajagopa")
    with pytest.raises(Nem2eError, match="known are gait2392, rajagopal, gait10dof18musc, spine, arm"):
        family("zzz")


def test_channels_fit_muscles_under_any_familys_name():
    assert measurable("R_TibAnt", OWN) == ["tibant_r"]
    assert measurable("BF_R", ["bflh140_r", "vaslat140_r"]) == ["bflh140_r"]
    assert measurable("tibant_r", OWN) == ["tibant_r"]
