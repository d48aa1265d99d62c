"""Names of the muscles: gait2392's actuators, the paper's EMG channels, and the region of each muscle.

Which muscle a label of somebody's file may mean is `intake.names`.
"""

from __future__ import annotations

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
