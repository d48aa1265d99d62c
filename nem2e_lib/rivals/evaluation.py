# mypy: allow-untyped-calls
"""A rival under the very same folds as STDR-Net, laid out as a trained condition, so that all are read alike."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from nem2e_lib.data.cycles.segment import CYCLE_COORDS, data_hash
from nem2e_lib.error import Nem2eError
from nem2e_lib.rivals.protocol import Array, Fitted, Rival, Simulated, simulated_cycles
from nem2e_lib.training.conditions import own_muscle
from nem2e_lib.training.folds import Folds, leave_one_out, mean_curves
from nem2e_lib.training.numerics import altered, pinned
from nem2e_lib.training.results import STUDY_ATTRS, load_results, save_results

RIVALS_VERSION = "f809fa0dad8b7260"
"""Of what a rival gives for the same data: another value here makes every kept evaluation be made anew."""


def evaluate(cycles: xr.Dataset, rival: Rival, keep: Path | None = None) -> xr.Dataset:
    """Fit a rival once a fold of `leave_one_out` and let it refine the cycles that the fold holds out.

    Parameters
    ----------
    cycles
        Segmented cycles (see `nem2e_lib.data.cycles.segment`).
    rival
        Any method that keeps the `Rival` protocol.
    keep
        File to keep the result in. What it holds is read instead of made anew if it is of the same data, method,
        settings and `RIVALS_VERSION`.

    Returns
    -------
    xarray.Dataset
        Variables `refined` (seed, channel, cycle, sample), `simulated`, `measured`, `mean_curve` and `diverged` (a
        prediction is no finite number; seed, channel, fold), and `attention` for rivals that have one, with the
        coordinates of a trained condition, so that `analysis.metrics.errors` reads it. Attributes `condition` (the
        rival's name), `parameters` (mean over folds, all channels), `seconds` (fitting and refining, all folds),
        `settings` and `chosen` (hyper-parameters by fold), both JSON, and `code`.

    Raises
    ------
    Nem2eError
        If nothing can be left out, a value is not finite, or the rival's prediction has another shape.
    """
    stored = None if keep is None else _stored(keep, cycles, rival)
    if stored is not None:
        return stored
    result = _evaluated(cycles, rival)
    if keep is not None:
        save_results(result, keep)
    return result


def chosen(result: xr.Dataset) -> list[dict[str, Any]]:
    """Return what an evaluated rival has chosen or learned inside the training cycles of each fold, one row a fold."""
    by_fold: dict[str, dict[str, Any]] = json.loads(result.attrs["chosen"])
    return [{"study": result.attrs["study"], "held_out": label, **found} for label, found in by_fold.items()]


def settings(rival: Rival) -> str:
    """Return a rival's settings as JSON."""
    return json.dumps({f.name: getattr(rival, f.name) for f in dataclasses.fields(rival)})


def _stored(path: Path, cycles: xr.Dataset, rival: Rival) -> xr.Dataset | None:
    """Read what was kept of the same data, method and settings; None where there is no such thing."""
    if not path.exists():
        return None
    stored = load_results(path)
    expected = {
        "data_hash": data_hash(cycles),
        "condition": rival.name,
        "settings": settings(rival),
        "code": RIVALS_VERSION,
        "arithmetic": altered() or None,
    }
    return stored if all(stored.attrs.get(name) == value for name, value in expected.items()) else None


@pinned()
def _evaluated(cycles: xr.Dataset, rival: Rival) -> xr.Dataset:
    simulated, folds = simulated_cycles(cycles), leave_one_out(cycles)
    measured = cycles.emg.transpose("cycle", "sample", "channel").values.astype(float)
    refined, fitted, attention = np.full_like(measured, np.nan), {}, {}
    begun = time.perf_counter()
    with threadpool_limits(1):  # the matrices are small: threads would wait for each other longer than they compute
        for fold, label in enumerate(folds.labels):
            held = folds.of_cycle == fold
            fitted[label] = rival.fit(simulated.take(~held), measured[~held])
            refined[held] = _checked(fitted[label].predict(simulated.take(held)), refined[held], rival)
            attention[label] = _attention(fitted[label], simulated.take(held))
    seconds = time.perf_counter() - begun
    result = _laid_out(cycles, refined).assign_attrs(_attributes(cycles, rival, fitted, seconds))
    return _with_attention(result, attention)


def _checked(guess: Array, expected: Array, rival: Rival) -> Array:
    if guess.shape != expected.shape:
        raise Nem2eError(
            f"rival {rival.name}: its prediction has shape {guess.shape}, expected {expected.shape} (cycles, samples, "
            "channels); mend its predict."
        )
    return guess


def _attention(fitted: Fitted, held: Simulated) -> Array | None:
    return None if fitted.attention is None else fitted.attention(held)


def _with_attention(result: xr.Dataset, by_label: dict[str, Array | None]) -> xr.Dataset:
    """Add the attention of rivals that have one; it is the same for all channels, and laid out as theirs."""
    found = {label: weights for label, weights in by_label.items() if weights is not None}
    if not found:
        return result
    samples = result.sample.values
    weights = np.empty((result.sizes["cycle"], len(samples), len(samples)), np.float32)
    for fold, label in enumerate(result.fold.values):
        weights[result.fold_of_cycle.values == fold] = found[str(label)]
    every = np.broadcast_to(weights, (1, result.sizes["channel"], *weights.shape))
    dims = ("seed", "channel", "cycle", "output", "token")
    return result.assign(attention=(dims, every)).assign_coords(output=samples, token=samples)


def _laid_out(cycles: xr.Dataset, refined: Array) -> xr.Dataset:
    folds = leave_one_out(cycles)
    measured = cycles.emg.transpose("channel", "cycle", "sample").values
    dims = ("channel", "cycle", "sample")
    return xr.Dataset(
        {
            "refined": (("seed", *dims), refined.transpose(2, 0, 1)[None]),
            "simulated": (dims, own_muscle(cycles).values),
            "measured": (dims, measured),
            "mean_curve": (dims, mean_curves(measured, folds.of_cycle)),
            "diverged": (("seed", "channel", "fold"), _not_finite(refined, folds)[None]),
        },
        coords={
            "seed": [0],
            "fold": list(folds.labels),
            "fold_of_cycle": ("cycle", folds.of_cycle),
            **{name: cycles[name] for name in ("sample", "channel", "cycle", "target", "electrode", *CYCLE_COORDS)},
        },
    )


def _not_finite(refined: Array, folds: Folds) -> NDArray[np.bool_]:
    """Tell which channels of which folds have a prediction that is no number; shape (channels, folds)."""
    bad = np.array(np.logical_not(np.isfinite(refined)).any(axis=1), bool)
    by_fold = [bad[folds.of_cycle == fold].any(axis=0) for fold in range(len(folds.labels))]
    return np.stack(by_fold, axis=1)


def _attributes(cycles: xr.Dataset, rival: Rival, fitted: dict[str, Fitted], seconds: float) -> dict[str, Any]:
    return {
        **{name: cycles.attrs[name] for name in STUDY_ATTRS},
        "condition": rival.name,
        "profile": "",
        "unit": leave_one_out(cycles).unit,
        "models": len(fitted),
        "seconds": seconds,
        "parameters": float(np.mean([one.parameters for one in fitted.values()])),
        "settings": settings(rival),
        "code": RIVALS_VERSION,
        "data_hash": data_hash(cycles),
        "chosen": json.dumps({label: dict(one.chosen) for label, one in fitted.items()}),
        **({"arithmetic": told} if (told := altered()) else {}),
    }
