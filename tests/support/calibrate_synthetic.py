"""Ridge regression in the network's place: what the synthetic studies hold, in seconds and without training.

python tests/support/calibrate_synthetic.py [--motion running] [--seeds 3] [--generator 2]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
import pandas as pd
import xarray as xr
from sklearn.linear_model import RidgeCV

from nem2e_lib.analysis.metrics import errors
from nem2e_lib.analysis.statistics import counts, paired, ranking, summary
from nem2e_lib.data.synthetic import Knobs, Knobs1, synthetic_cycles
from nem2e_lib.data.synthetic.knobs import GENERATORS
from nem2e_lib.training.folds import leave_one_out, mean_curves

CONDITIONS = ("one_quarter", "one_entire", "all_entire")
PAIRS = (("all_entire", "one_entire"), ("one_entire", "one_quarter"), ("all_entire", "mean_curve"))


def settings(kind: type[Knobs] | type[Knobs1]) -> dict[str, Knobs | Knobs1]:
    """All causes of a wrong simulation, one at a time, and none."""
    alone = {f"{name} alone": kind().only(name) for name in kind.causes}
    return {"default": kind(), **alone, "no cause": kind().only()}


_PENALTIES = np.logspace(-2.5, 2.5, 11)


def ridge(inputs: np.ndarray, targets: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Prediction for `held`, the penalty chosen by generalised cross-validation; all arrays (rows, features).

    Inputs stay on their common scale of 0 to 1: least effort leaves some muscles silent in training, and dividing by
    their spread would let a whisper in the held-out subject shout.
    """
    return RidgeCV(_PENALTIES).fit(inputs, targets).predict(held).reshape(len(held), -1)


def held_out(cycles: xr.Dataset, condition: str) -> xr.Dataset:
    """Leave-one-subject-out predictions, as a trained condition of one seed."""
    folds = leave_one_out(cycles)
    measured = cycles.emg.values.transpose(2, 0, 1)
    own = cycles.activation.sel(muscle=cycles.target).values.transpose(2, 0, 1)
    refined = np.empty_like(measured)
    for channel, held, guess in _predictions(cycles, condition, folds.of_cycle, own, measured):
        refined[channel, held] = guess
    dims = ("channel", "cycle", "sample")
    return xr.Dataset(
        {
            "refined": (("seed", *dims), refined[None]),
            "simulated": (dims, own),
            "measured": (dims, measured),
            "mean_curve": (dims, mean_curves(measured, folds.of_cycle)),
        },
        coords={
            **{name: cycles[name] for name in ("channel", "electrode", "sample", "cycle", "subject", "speed", "trial")},
            "fold": list(folds.labels),
            "fold_of_cycle": ("cycle", folds.of_cycle),
        },
        attrs={"study": cycles.attrs["study"], "condition": condition, "unit": folds.unit, "synthetic": 1},
    )


def _predictions(
    cycles: xr.Dataset, condition: str, fold_of: np.ndarray, own: np.ndarray, measured: np.ndarray
) -> Iterator[tuple[object, np.ndarray, np.ndarray]]:
    count = len(fold_of)
    for fold in np.unique(fold_of):
        held, kept = fold_of == fold, fold_of != fold
        if condition == "all_entire":
            inputs = cycles.activation.values.reshape(count, -1)
            targets = measured.transpose(1, 0, 2).reshape(count, -1)
            guess = ridge(inputs[kept], targets[kept], inputs[held])
            yield slice(None), held, guess.reshape(held.sum(), len(own), -1).transpose(1, 0, 2)
            continue
        length = 5 if condition == "one_quarter" else own.shape[-1]
        for channel, (x, y) in enumerate(zip(own, measured, strict=True)):
            pieces = [part.reshape(-1, length) for part in (x[kept], y[kept], x[held])]
            yield channel, held, ridge(*pieces).reshape(held.sum(), -1)


def measure(cycles: xr.Dataset) -> dict[str, float]:
    """Raw correlation, mean Er of every method, muscles improved, and muscles where one method lies below another."""
    table = pd.concat([errors(held_out(cycles, condition)) for condition in CONDITIONS])
    raw = table.groupby("muscle")["correlation_raw"].mean()
    rows = summary(table)
    found = {"r raw": raw.mean(), "r lowest": raw.min()}
    found |= {row.method: row.er_mean for row in ranking(table).itertuples()}
    found["improved"] = int(rows["improved_holm"].sum())
    return found | {f"{a} < {b}": int(counts(paired(table, a, b))["below_p05"].item()) for a, b in PAIRS}


def main() -> None:
    """Print one row a setting and seed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--motion", default="running", choices=("running", "walking"))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--generator", type=int, default=2, choices=(1, 2))
    options = parser.parse_args()
    rows = {
        (name, seed): measure(synthetic_cycles(options.motion, knobs, seed))
        for name, knobs in settings(GENERATORS[options.generator]).items()
        for seed in range(options.seeds)
    }
    print(f"SYNTHETIC {options.motion}, generator {options.generator}, ridge regression, leaving one subject out")
    print(pd.DataFrame(rows).T.round(2).to_string())


if __name__ == "__main__":
    main()
