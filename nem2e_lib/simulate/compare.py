"""Two sets of waveforms muscle by muscle: root mean square error and correlation over a cycle."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.error import Nem2eError

Array = NDArray[np.float64]

POINTS = 101


def waveforms(storage: Storage, start_s: float, end_s: float, points: int = POINTS) -> dict[str, Array]:
    """Return every column at `points` moments from start to end, shape (points,), linear between rows.

    Raises
    ------
    Nem2eError
        If the table does not cover the window.
    """
    time = storage.time
    if not len(time) or time[0] > start_s + 1e-3 or time[-1] < end_s - 1e-3:
        covered = f"{time[0]:.6g} to {time[-1]:.6g} s" if len(time) else "nothing"
        raise Nem2eError(
            f"Table {storage.name!r} covers {covered}, but {start_s:.6g} to {end_s:.6g} s are to be compared."
        )
    moments = np.linspace(start_s, end_s, points)
    return {label: np.interp(moments, time, storage.column(label)) for label in storage.labels}


def compare(first: Mapping[str, Array], second: Mapping[str, Array]) -> pd.DataFrame:
    """Compare the waveforms that both have under one name.

    Returns
    -------
    DataFrame, one row a name: muscle, rmse, correlation (NaN where one of them is constant), mean_first,
    mean_second, peak_first, peak_second.

    Raises
    ------
    Nem2eError
        If they have no name in common.
    """
    shared = [name for name in first if name in second]
    if not shared:
        raise Nem2eError(
            f"Nothing to compare: one side has {', '.join(list(first)[:5])}, the other {', '.join(list(second)[:5])}; "
            "muscles must go by the same names."
        )
    return pd.DataFrame([{"muscle": name, **_pair(first[name], second[name])} for name in shared])


def _pair(first: Array, second: Array) -> dict[str, float]:
    varying = min(np.ptp(first), np.ptp(second)) > 1e-12
    return {
        "rmse": float(np.sqrt(np.mean((first - second) ** 2))),
        "correlation": float(np.corrcoef(first, second)[0, 1]) if varying else float("nan"),
        "mean_first": float(first.mean()),
        "mean_second": float(second.mean()),
        "peak_first": float(first.max()),
        "peak_second": float(second.max()),
    }
