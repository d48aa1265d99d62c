"""How a study becomes cycles: the choices before training, each an option that cuts the study anew."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.data.gait import CYCLES
from nem2e_lib.data.muscles import region
from nem2e_lib.data.segment import segment
from nem2e_lib.data.settings import RESAMPLING
from nem2e_lib.data.study import Study
from nem2e_lib.errors import Nem2eError
from nem2e_lib.refine.folds import Folds, leave_one_out

Normalisation = Literal["none", "subject", "training", "trial", "cycle"]
"""The set over which EMG's maximum is taken: none (as the study folder has it); all of a subject's trials, the held-out
subject's too; the training subjects' trials, one number for all subjects; each trial; each cycle."""


@dataclass(frozen=True)
class Piece:
    """Cycles that are trained on together, and which of them each fold holds out."""

    cycles: xr.Dataset
    folds: Folds


@dataclass(frozen=True)
class Cutting:
    """The choices before training.

    Attributes
    ----------
    cycle
        Cycle definition, of ``study.toml``.
    samples
        Points of a cycle.
    resampling
        `linear`: thinned without a filter; `mean`: the mean around each point.
    emg_normalisation
        See `Normalisation`; maxima are taken over the kept cycles' waveforms.
    arms
        Whether the arms' actuators stand among the muscles.
    """

    cycle: str = field(default=CYCLES[0], metadata={"choices": CYCLES[:2]})
    samples: int = 20
    resampling: str = field(default=RESAMPLING[0], metadata={"choices": RESAMPLING})
    emg_normalisation: Normalisation = "none"
    arms: bool = True

    def pieces(self, study: Study) -> list[Piece]:
        """Cut a study; one piece, or one a fold where normalisation depends on what is held out."""
        settings = replace(study.settings, cycle=self.cycle, resampling=self.resampling)
        cycles, _ = segment(replace(study, settings=settings), samples=self.samples)
        chosen = cycles if self.arms else cycles.isel(muscle=[region(str(m)) != "arm" for m in cycles.muscle.values])
        folds = leave_one_out(chosen)
        if self.emg_normalisation != "training":
            return [Piece(normalised(chosen, self.emg_normalisation), folds)]
        alone = [_alone(folds, fold) for fold in range(len(folds.labels))]
        return [Piece(normalised(chosen, "training", one.of_cycle < 0), one) for one in alone]


def _alone(folds: Folds, fold: int) -> Folds:
    held = folds.of_cycle == fold
    return Folds(folds.unit, (folds.labels[fold],), np.where(held, 0, -1).astype(np.int32))


def normalised(cycles: xr.Dataset, over: Normalisation, training: NDArray[np.bool_] | None = None) -> xr.Dataset:
    """Divide EMG by its maximum over a set of cycles.

    Parameters
    ----------
    cycles
        Segmented cycles.
    over
        The set.
    training
        Which cycles are trained on, shape (cycles,); needed for `training`.

    Raises
    ------
    Nem2eError
        If a channel is silent throughout a set.
    """
    if over == "none":
        return cycles
    peak = cycles.emg_waveform.max("phase")
    if over == "training":
        peak = peak.isel(cycle=training).max("cycle")
    elif over != "cycle":
        peak = peak.groupby(over).max().sel({over: cycles[over]}).drop_vars(over)
    if bool((peak <= 0).any()):
        silent = peak.channel.values[np.nonzero((peak.transpose(..., "channel") <= 0).values)[-1][0]]
        raise Nem2eError(
            f"study {cycles.attrs['study']}: EMG {silent!s} is silent throughout a {over} and has no maximum to be "
            "divided by; leave the channel out or choose another set."
        )
    names = ("emg", "emg_waveform")
    return cycles.assign({name: (cycles[name] / peak).transpose(*cycles[name].dims) for name in names})
