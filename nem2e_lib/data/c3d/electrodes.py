"""Which EMG channels of a recording measure a muscle: not the noise, hum or rails of an electrode that came off."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nem2e_lib.data.c3d.recording import Recording

_PINNED = 0.005
"""Share of samples at a channel's highest or lowest value: an amplifier at its rails."""
_HUM = 0.5
"""Share of a channel's power that is mains hum."""


def live(values: NDArray[np.float64], rate_hz: float) -> bool:
    """Return whether a channel, shape (samples,), looks like EMG: not still, pinned, hum, or noise alone."""
    from nem2e_lib.data.quality.electrodes import noisy
    from nem2e_lib.data.quality.hum import MAINS_HZ, hum_share

    centred = values - values.mean()
    if not np.isfinite(centred).all() or np.ptp(centred) == 0:
        return False
    pinned = ((values == values.max()) | (values == values.min())).mean()
    column = centred[:, None]
    hums = max(float(hum_share(column, rate_hz, mains)[0]) for mains in MAINS_HZ)
    return bool(pinned <= _PINNED and hums <= _HUM and not noisy(column, rate_hz)[0])


def live_share(recordings: Sequence[Recording], names: Sequence[str]) -> float:
    """Return the share of some channels that are live, over all recordings that have them; 0 where none has."""
    found = [
        live(each.channel(name), each.analog_rate_hz) for each in recordings for name in names if name in each.channels
    ]
    return float(np.mean(found)) if found else 0.0
