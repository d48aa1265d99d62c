"""Marker trajectories as OpenSim reads them: .trc, in metres."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.files import write_text

Array = NDArray[np.float64]


def write_trc(path: Path, time: Array, places: Mapping[str, Array]) -> None:
    """Write markers, whole or not at all.

    Parameters
    ----------
    path : Path
    time : float64 array, shape (frames,)
        In s, even.
    places : mapping
        Name to places in m, shape (frames, 3), x forward, y up, z right; a blank cell where they are NaN.
    """
    rate = (len(time) - 1) / float(time[-1] - time[0]) if len(time) > 1 else 0.0
    count, names = len(places), list(places)
    head = [
        f"PathFileType\t4\t(X/Y/Z)\t{path.name}",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"{rate:.6g}\t{rate:.6g}\t{len(time)}\t{count}\tm\t{rate:.6g}\t1\t{len(time)}",
        "Frame#\tTime\t" + "\t\t\t".join(names) + "\t\t",
        "\t\t" + "\t".join(f"{axis}{number}" for number in range(1, count + 1) for axis in "XYZ"),
        "",
    ]
    table = np.concatenate([places[name] for name in names], axis=1)
    rows = [
        "\t".join([str(frame), f"{moment:.6f}", *("" if np.isnan(each) else f"{each:.6f}" for each in row)])
        for frame, (moment, row) in enumerate(zip(time.tolist(), table.tolist(), strict=True), start=1)
    ]
    write_text(path, "\n".join([*head, *rows]) + "\n")
