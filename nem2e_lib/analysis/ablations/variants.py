"""What is varied: choices of the network, choices before training that cut the study anew, choices after training.

Each choice is an option of `Configuration`, `Cutting` or `Reading`; its values are those that the option's own type
names, or `LEVELS` and `TIMES` where it is a number, so that a new value of an option is a new variant.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, get_args, get_type_hints

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.analysis.metrics import Ratio
from nem2e_lib.data.cycles.segment import segment
from nem2e_lib.data.gait import CYCLES
from nem2e_lib.data.muscles import region
from nem2e_lib.data.study.settings import RESAMPLING
from nem2e_lib.data.study.study import Study
from nem2e_lib.error import Nem2eError
from nem2e_lib.training.conditions import CONDITIONS
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.folds import Folds, leave_one_out

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


@dataclass(frozen=True)
class Reading:
    """The choices after training.

    Attributes
    ----------
    er
        A subject's Er as ratio of the means over speeds, or as mean of the speeds' ratios.
    r2
        Squared Pearson correlation, or 1 − SSE/SST.
    ensemble
        Whether the seeds' predictions are averaged before errors are taken, or their errors after.
    """

    er: Ratio = "ratio_of_means"
    r2: Literal["pearson", "sse"] = "pearson"
    ensemble: bool = False


Needs = Literal["retrain", "recut", "reanalyse"]

LEVELS: dict[str, tuple[Any, ...]] = {
    "units": (16, 32, 64, 128, 700),
    "layers": (2,),
    "learning_rate": (3e-4, 3e-3),
    "forget_bias": (0.0,),
    "samples": (50, 101),
}
"""Values of the options that are numbers, beside the default."""

TIMES: dict[str, tuple[float, ...]] = {"updates": (0.25, 0.5, 2, 4)}
"""Values that are told as so many times the default."""

MAIN = (
    "layers",
    "output",
    "targets",
    "score",
    "decoder_state",
    "decoder_input",
    "input_feeding",
    "quarter",
    "spatial",
    "token_order",
    "input_scaling",
)
"""Readings of what the network is: varied on real people, too."""

AT_LENGTH = ("layers", "output", "targets")
"""Those that are varied at the published length of training, where the others would take a night more."""

WHERE: dict[str, tuple[str, ...]] = {
    "quarter": ("one_quarter",),
    **dict.fromkeys(("spatial", "token_order", "arms"), ("all_entire",)),
    **dict.fromkeys(
        ("layers", "output", "score", "decoder_state", "decoder_input", "input_feeding"), ("one_entire", "all_entire")
    ),
    **dict.fromkeys(("targets", "er", "r2", "ensemble"), CONDITIONS),
}
"""Conditions in which an option is varied, where that is not `ELSEWHERE`."""
ELSEWHERE = ("one_entire",)
"""What is the matter of no condition in particular is varied where models train fastest."""

FEW = {("units", 700): 1}
"""Variants so dear that they are trained for this many muscles, in One-Entire alone, and compared on the same."""


KINDS: dict[Needs, type[Any]] = {"retrain": Configuration, "recut": Cutting, "reanalyse": Reading}


@dataclass(frozen=True)
class Variant:
    """One option of one condition at another value than its default, and what finding out needs.

    `muscles` is how many of the bench's muscles it is trained for; None for all.
    """

    condition: str
    option: str
    value: Any
    needs: Needs
    muscles: int | None = None


def variants(base: Configuration) -> list[Variant]:
    """Return every variant around a default configuration: all values that the options' types name, and `LEVELS`."""
    return [
        Variant(condition, option, value, needs, FEW.get((option, value)))
        for needs, kind in KINDS.items()
        for option, default in defaults(kind, base).items()
        for value in _values(kind, option, default)
        if value != default
        for condition in (("one_entire",) if (option, value) in FEW else WHERE.get(option, ELSEWHERE))
    ]


def defaults(kind: type[Any], base: Configuration) -> dict[str, Any]:
    """Return the default of each option of `Configuration`, `Cutting` or `Reading`."""
    source = base if kind is Configuration else kind()
    return {field.name: getattr(source, field.name) for field in fields(kind)}


def _values(kind: type[Any], option: str, default: Any) -> Iterator[Any]:
    yield from LEVELS.get(option, ())
    yield from (round(default * times) for times in TIMES.get(option, ()) if default is not None)
    declared = next(field for field in fields(kind) if field.name == option).metadata
    hint = get_type_hints(kind)[option]
    named = (False, True) if hint is bool else declared.get("choices", get_args(hint))
    yield from (value for value in named if isinstance(value, bool | str))


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
