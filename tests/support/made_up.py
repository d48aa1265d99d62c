"""Made-up results in the layout of docs/architecture.md: numbers drawn at random, shapes as the paper's."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import xarray as xr

LEG = [
    "glut_med1",
    "glut_med2",
    "glut_med3",
    "glut_min1",
    "glut_min2",
    "glut_min3",
    "semimem",
    "semiten",
    "bifemlh",
    "bifemsh",
    "sar",
    "add_long",
    "add_brev",
    "add_mag1",
    "add_mag2",
    "add_mag3",
    "tfl",
    "pect",
    "grac",
    "glut_max1",
    "glut_max2",
    "glut_max3",
    "iliacus",
    "psoas",
    "quad_fem",
    "gem",
    "peri",
    "rect_fem",
    "vas_med",
    "vas_int",
    "vas_lat",
    "med_gas",
    "lat_gas",
    "soleus",
    "tib_post",
    "flex_dig",
    "flex_hal",
    "tib_ant",
    "per_brev",
    "per_long",
    "per_tert",
    "ext_dig",
    "ext_hal",
]
TRUNK = ["ercspn_r", "ercspn_l", "intobl_r", "intobl_l", "extobl_r", "extobl_l"]
ARMS = [f"{n}_{s}" for s in "rl" for n in ("arm_flex", "arm_add", "arm_rot", "elbow_flex", "pro_sup")]
MUSCLES = [f"{m}_r" for m in LEG] + [f"{m}_l" for m in LEG] + TRUNK
WALKING = {
    "soleus": "soleus_r",
    "bi": "bifemlh_r",
    "sem": "semimem_r",
    "tib": "tib_ant_r",
    "rect": "rect_fem_r",
}
RUNNING = WALKING | {
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
ELECTRODES = {"semit": "sem"} | {f"{g}{n}": g for g in ("glmax", "glmed") for n in "123"}
CONDITIONS = ("one_quarter", "one_entire", "all_entire")
PAIRS = tuple(itertools.combinations(CONDITIONS, 2))
GAIN = {"one_quarter": 0.6, "one_entire": 0.5, "all_entire": 0.4}


def _grid(subjects: int, numbers: int) -> dict[str, list[object]]:
    rows = list(itertools.product([f"subject{s + 1:02d}" for s in range(subjects)], range(4), range(1, numbers + 1)))
    speeds = ("2", "3", "4", "5")
    return {
        "subject": [r[0] for r in rows],
        "speed": [speeds[r[1]] for r in rows],
        "trial": [f"{r[0]}_{r[1]}" for r in rows],
        "number": [r[2] for r in rows],
    }


def _curves(rng: np.random.Generator, channels: int, cycles: int) -> np.ndarray:
    phase = np.linspace(0, 1, 20)
    centres = rng.uniform(0.1, 0.9, (channels, 1, 1)) + rng.normal(0, 0.03, (channels, cycles, 1))
    bump = np.exp(-(((phase - centres) / 0.15) ** 2))
    return np.clip(0.05 + rng.uniform(0.3, 0.9, (channels, cycles, 1)) * bump, 0, None)


def _softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def make_results(
    study: str,
    condition: str,
    *,
    subjects: int,
    numbers: int,
    emg: dict[str, str],
    tokens: list[str],
    sharpness: float = 2.0,
    synthetic: bool = True,
    epochs: int = 20,
    unit: str = "subject",
) -> xr.Dataset:
    """Return a trained condition with random numbers."""
    rng = np.random.default_rng(len(study) + 7 * len(condition))
    grid = _grid(subjects, numbers)
    n, c = len(grid["subject"]), len(emg)
    sample = np.linspace(0, 100, 20)
    measured = _curves(rng, c, n)
    simulated = np.clip(np.roll(measured, -2, -1) * 0.8 + rng.normal(0, 0.05, measured.shape), 0, None)
    share = rng.uniform(-0.35, 0.35, (c, subjects, 1)) + rng.normal(0, 0.1, (c, 1, 1)) + GAIN[condition]
    share = share[:, np.array([int(s[-2:]) - 1 for s in grid["subject"]])]
    refined = (measured + share * (simulated - measured) + rng.normal(0, 0.03, measured.shape))[None]
    token: np.ndarray = {"all_entire": np.array(tokens), "one_quarter": sample[:5]}.get(condition, sample)
    width = len(token)
    scores = rng.normal(0, sharpness, (1, c, n, 20, width))
    if condition == "one_entire":
        lag = np.arange(20)[:, None] + 2 - np.arange(20)[None]
        scores = scores + sharpness * 4 * np.exp(-(lag**2) / 8)
    if condition == "all_entire":
        scores = scores + rng.normal(0, 2 * sharpness, (1, c, 1, 20, width)).cumsum(-2) / 3
    grid_folds = sorted(set(grid[unit]))
    fall = np.exp(-np.arange(1, epochs + 1) / 6)
    loss = rng.lognormal(-4, 0.3, (1, c, len(grid_folds), 1)) * (0.2 + fall)
    coords = {k: ("cycle", np.array(v)) for k, v in grid.items()}
    return xr.Dataset(
        {
            "refined": (("seed", "channel", "cycle", "sample"), refined),
            "simulated": (("channel", "cycle", "sample"), simulated),
            "measured": (("channel", "cycle", "sample"), measured),
            "mean_curve": (
                ("channel", "cycle", "sample"),
                np.broadcast_to(measured.mean(1, keepdims=True), measured.shape).copy(),
            ),
            "training_loss": (("seed", "channel", "fold", "epoch"), loss),
            "validation_loss": (
                ("seed", "channel", "fold", "epoch"),
                loss * 1.2 + (0.01 * (1 - fall) if study == "walking" else 0),
            ),
            "attention": (("seed", "channel", "cycle", "output", "token"), _softmax(scores)),
            "gradient": (
                ("seed", "channel", "fold", "output", "token"),
                np.abs(rng.normal(0, 0.1, (1, c, len(grid_folds), 20, width))),
            ),
        },
        coords=coords
        | {
            "seed": [0],
            "channel": list(emg),
            "target": ("channel", list(emg.values())),
            "electrode": ("channel", [ELECTRODES.get(m, m) for m in emg]),
            "cycle": np.arange(n),
            "sample": sample,
            "output": sample,
            "token": token,
            "fold": grid_folds,
            "epoch": np.arange(1, epochs + 1),
            "fold_of_cycle": ("cycle", [list(grid_folds).index(label) for label in grid[unit]]),
        },
        attrs={
            "study": study,
            "condition": condition,
            "unit": unit,
            "profile": "demo",
            "configuration": "{}",
            "updates": 2000,
            "data_hash": "0" * 64,
            "synthetic": int(synthetic),
            "motion": study if study in ("walking", "running") else "running",
        },
    )


def make_errors(results: xr.Dataset) -> pd.DataFrame:
    """Return the tidy errors of one condition (plain numpy, mean over cycles)."""
    rows = []
    refined = results["refined"].mean("seed")
    folds = enumerate(results["fold"].values)
    for channel, (fold, label) in itertools.product(results["channel"].values, folds):
        here = (results["fold_of_cycle"] == fold).values
        pick = {"channel": channel}
        measured = results["measured"].sel(pick).values[here]

        def rmse(values: xr.DataArray, pick=pick, here=here, measured=measured) -> float:
            return float(np.sqrt(((values.sel(pick).values[here] - measured) ** 2).mean(-1)).mean())

        raw, new, flat = rmse(results["simulated"]), rmse(refined), rmse(results["mean_curve"])
        rows.append(
            {
                "study": results.attrs["study"],
                "condition": results.attrs["condition"],
                "muscle": channel,
                "electrode": str(results["electrode"].sel(pick).values),
                "unit": results.attrs["unit"],
                "label": label,
                "n_cycles": int(here.sum()),
                "rmse_opensim": raw,
                "rmse_refined": new,
                "rmse_mean_curve": flat,
                "er": new / raw - 1,
                "er_mean_curve": flat / raw - 1,
                "r2_pearson": 0.5,
                "r2_sse": 0.3,
                "correlation_raw": 0.5,
            }
        )
    return pd.DataFrame(rows)


def make_summary(errors: pd.DataFrame) -> pd.DataFrame:
    """Return one row per study, muscle, condition."""
    keys = ["study", "muscle", "condition"]
    table = (
        errors.groupby(keys, sort=False)
        .agg(
            er_mean=("er", "mean"),
            sd=("er", "std"),
            n_units=("er", "size"),
            unit=("unit", "first"),
            r2_pearson=("r2_pearson", "mean"),
            r2_sse=("r2_sse", "mean"),
            electrode=("electrode", "first"),
        )
        .reset_index()
    )
    half = 2.26 * table["sd"] / np.sqrt(table["n_units"])
    return table.assign(
        ci_low=table["er_mean"] - half,
        ci_high=table["er_mean"] + half,
        cohen_d=table["er_mean"] / table["sd"],
        p_value=np.clip(np.abs(table["er_mean"]) / 20, 1e-5, 1),
    ).drop(columns="sd")


def make_tukey(errors: pd.DataFrame) -> pd.DataFrame:
    """Return pairs of conditions with p-values of every size."""
    muscles = errors[["study", "muscle"]].drop_duplicates().itertuples(index=False)
    rows = [(s, m, a, b, -0.1) for (s, m), (a, b) in itertools.product(list(muscles), PAIRS)]
    table = pd.DataFrame(rows, columns=["study", "muscle", "a", "b", "difference"])
    return table.assign(p_value=np.resize([0.0005, 0.005, 0.03, 0.2, 0.7], len(table)))


def make_grid(study: str, **changes: object) -> dict[str, xr.Dataset]:
    """Return the three conditions of one study in the paper's shape."""
    shapes = {
        "running": {"subjects": 10, "numbers": 3, "emg": RUNNING, "tokens": MUSCLES + ARMS},
        "walking": {"subjects": 8, "numbers": 1, "emg": WALKING, "tokens": MUSCLES},
    }
    return {c: make_results(study, c, **(shapes[study] | changes)) for c in CONDITIONS}  # type: ignore[arg-type]
