"""Small archives that imitate the layouts of the running and the walking data; every number is made up."""

from __future__ import annotations

import zipfile
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CMC = "cmc_multipleSteps_v24_Tendon_040_Vmax_15_Passive_10_2X"
EMG = [
    *("bflh_r", "gaslat_r", "gasmed_r", "glmax1_r", "glmax2_r", "glmax3_r", "glmed1_r", "glmed2_r", "glmed3_r"),
    *("recfem_r", "semimem_r", "semiten_r", "soleus_r", "tibant_r", "vaslat_r", "vasmed_r"),
]
PINS = [f"Pin {number}" for number in range(1, 12)]
MUSCLES = [
    *("bifemlh_r", "lat_gas_r", "med_gas_r", "glut_max1_r", "glut_max2_r", "glut_max3_r", "glut_med1_r", "glut_med2_r"),
    *("glut_med3_r", "rect_fem_r", "semimem_r", "semiten_r", "soleus_r", "tib_ant_r", "vas_lat_r", "vas_med_r"),
    "psoas_l",
]
ARMS = [f"{joint}_{side}" for side in "rl" for joint in ("arm_flex", "arm_add", "arm_rot", "elbow_flex", "pro_sup")]
COORDINATES = ["pelvis_tilt", "pelvis_tx", "hip_flexion_r"]
STRIKES = (0.199, 0.962, 1.754, 2.526)


def sto(labels: list[str], time: Array, values: Array, name: str = "table") -> str:
    """An OpenSim table as version 1 files are written."""
    head = [name, "version=1", f"nRows={len(time)}", f"nColumns={len(labels) + 1}", "inDegrees=no", "endheader"]
    rows = ["\t".join(f"{x:.8f}" for x in (t, *row)) for t, row in zip(time, values, strict=True)]
    return "\n".join([*head, "\t".join(["time", *labels]), *rows]) + "\n"


def states(start: float, end: float, below: float = -0.002) -> str:
    """CMC states at uneven steps, with activations that start slightly below 0."""
    steps = np.cumsum(np.tile([0.004, 0.011, 0.007, 0.002], 60))
    time = np.unique(np.concatenate([[start], start + steps[start + steps < end], [end]]))
    phase = 2 * np.pi * (time - start) / (end - start)
    labels = [*COORDINATES, *(f"{name}_u" for name in COORDINATES)]
    columns = [np.sin(phase) for _ in labels]
    for index, muscle in enumerate(MUSCLES):
        labels += [f"{muscle}.activation", f"{muscle}.fiber_length"]
        columns += [0.3 + 0.25 * np.sin(phase + index), np.full_like(time, 0.1)]
    columns[labels.index("bifemlh_r.activation")][0] = below
    return sto(labels, time, np.column_stack(columns), "states")


def controls(start: float, end: float) -> str:
    time = np.linspace(start, end, 40)
    labels = [*MUSCLES, *ARMS]
    return sto(labels, time, np.tile(np.linspace(0.1, 0.9, len(labels)), (40, 1)), "controls")


def setup(start: float, end: float, tool: str = "CMCTool") -> str:
    """A set-up with a comment above its XML declaration."""
    return (
        f'<!-- made by a script: <initial_time>9</initial_time> -->\n<?xml version="1.0"?>\n<OpenSimDocument>\n'
        f'<{tool} name="x">\n<initial_time> {start} </initial_time>\n<final_time>{end}</final_time>\n</{tool}>\n'
        "</OpenSimDocument>\n"
    )


def raw_emg(labels: list[str], end: float = 2.8, copies: bool = True) -> str:
    """Raw EMG at 1000 Hz, rows that end in a tab; glmax1-3, glmed1-3 and the semi-muscles are copies."""
    rng, time = np.random.default_rng(len(labels)), np.arange(0, end, 0.001)
    noise = {label: rng.normal(size=len(time)) * (1.2 + np.sin(8 * time + i)) for i, label in enumerate(labels)}
    for label in labels if copies else ():
        source = {"glmax": "glmax1_r", "glmed": "glmed1_r", "semit": "semimem_r"}.get(label[:5], label)
        noise[label] = noise[source]
    head = ["EMG", "version=1", f"nRows={len(time)}", f"nColumns={len(labels) + 1}", "inDegrees=no", "endheader"]
    body = ["\t".join(f"{x:.5f}" for x in row) + "\t" for row in np.column_stack([time, *noise.values()])]
    return "\n".join([*head, "\t".join(["time", *labels]) + "\t", *body]) + "\n"


def force(strikes: tuple[float, ...] = STRIKES, names: tuple[str, str] = ("R_", "L_"), end: float = 2.8) -> str:
    """Vertical forces at 1000 Hz in a SIMM file: contact of 0.25 s after each strike, the left foot half-way."""
    time = np.arange(0, end, 0.001)
    halves = tuple((a + b) / 2 for a, b in pairwise(strikes))
    right, left = (
        sum(np.where((time >= s) & (time < s + 0.25), 900.0, 0.0) for s in side) for side in (strikes, halves)
    )
    labels = [f"{side}ground_force_v{axis}" for side in names for axis in "xyz"]
    zero = np.zeros_like(time)
    table = np.column_stack([time, zero, right, zero, zero, left, zero])
    head = ["name grf", f"datacolumns {len(labels) + 1}", f"datarows {len(time)}", f"range 0 {end}", "endheader", ""]
    rows = ["\t".join(f"{x:.4f}" for x in row) for row in table]
    return "\n".join([*head, "\t".join(["time", *labels]), *rows]) + "\n"


def running_subject(
    subject: str = "01",
    speeds: dict[str, tuple[str, tuple[int, ...]]] | None = None,
    labels: list[str] | None = None,
    arms: bool = False,
    setups: bool = True,
) -> dict[str, str]:
    """Paths and texts of a subject's folder; `speeds` has the trial tag and cycle numbers of each."""
    files = {}
    for speed, (tag, cycles) in (speeds or {"2": ("02", (2, 5, 6)), "3": ("04", (4, 5, 7))}).items():
        run, root = f"Run_{speed}00{tag}", f"subject{subject}"
        files[f"{root}/ExportedData/Run_{speed}00 {tag}_EMG_RAW.sto"] = raw_emg(labels or EMG, copies=labels is None)
        names = ("", "l_") if speed == "2" else ("R_", "L_")
        files[f"{root}/ExportedData/Run_{speed}00 {tag}_newCOP3_v24.mot"] = force(names=names)
        files[f"{root}/ik/Results_191/{run}.mot"] = sto(COORDINATES, np.array([0.0, 1.0]), np.zeros((2, 3)))
        for number, (start, end) in zip(cycles, pairwise(STRIKES), strict=False):
            name = f"{root}_{run}_cycle{number}"
            folder = f"{root}/{CMC}/CMC_Results_v240_{run}/CMC_Results_v240_{run}_cycle{number}"
            files[f"{folder}/{name}_states.sto"] = states(start, end)
            rra = f"{root}/rra_multipleSteps/RRA_Results_v240_{run}_cycle{number}"
            files[f"{rra}/{name}_states.sto"] = sto(COORDINATES, np.array([start, end]), np.zeros((2, 3)))
            if arms:
                files[f"{folder}/{name}_controls.sto"] = controls(start, end)
            if setups:
                files[f"{root}/{CMC}/{root}_Setup_CMC_{run}_cycle{number}_v240.xml"] = setup(start, end)
    return files


def walking_files(subjects: tuple[str, ...] = ("GIL01", "GIL06"), emg: bool = True) -> dict[str, str]:
    """One stride a trial with 153 columns: repeated marker names padded with blanks, a tab at the end of rows."""
    files = {}
    for subject in subjects:
        for speed in ("xslow2", "slow1", "FREE2", "fast3"):
            name = f"{subject}_{speed}"
            files[f"{subject}/{name}.mot"] = motion()
            files[f"{subject}/CMC/{name}_states.sto"] = states(0.2, 1.3)
            if emg:
                files[f"{subject}/EMG/{name}_EMG.sto"] = envelopes()
    return files


def motion() -> str:
    """A SIMM motion file of 153 columns at 120 Hz, with force in it."""
    labels = [*COORDINATES, "ground_force_vy", "l_ground_force_vy"]
    markers = [name for number in range(37) for name in [f"M{number}"] * 4][: 152 - len(labels)]
    time = np.arange(0, 1.5, 1 / 120)
    strikes = ((0.2, 1.3), (0.7, 9))
    right, left = (np.where((time >= a) & (time < a + 0.25) | (time >= b), 700.0, 0.0) for a, b in strikes)
    values = np.zeros((len(time), 152))
    values[:, 3:5] = np.column_stack([right, left])
    head = ["name motion", "datacolumns 153", f"datarows {len(time)}", "range 0 1.5", "endheader", ""]
    shown = "\t".join(f"{label:>12}" for label in ["time", *labels, *markers]) + "\t"
    rows = ["\t".join(f"{x:.6f}" for x in (t, *row)) + "\t" for t, row in zip(time, values, strict=True)]
    return "\n".join([*head, shown, *rows]) + "\n"


def envelopes() -> str:
    time = np.arange(0, 1.5, 0.01)
    labels = ["soleus", "bi", "sem", "tib", "rect"]
    return sto(labels, time, np.column_stack([0.4 + 0.3 * np.sin(5 * time + i) for i in range(5)]))


def write_tree(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def write_zip(path: Path, files: dict[str, str | bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path
