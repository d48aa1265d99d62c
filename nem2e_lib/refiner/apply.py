"""A refiner applied to a recording: which cycles, what came out, how far it may be off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from nem2e_lib.data.storage import Storage, read_storage
from nem2e_lib.errors import Nem2eError
from nem2e_lib.refiner import spans as finding
from nem2e_lib.refiner.manifest import GaitCycle, Manifest
from nem2e_lib.refiner.notes import notes_on
from nem2e_lib.refiner.recording import require_fit, segmented
from nem2e_lib.refiner.spans import Span

if TYPE_CHECKING:
    from nem2e_lib.refiner.refiner import Refiner


@dataclass(frozen=True, eq=False)
class Refined:
    """A recording and its refined activity.

    Attributes
    ----------
    manifest : Manifest
        Of the refiner.
    name : str
        Of the recording.
    source : Storage
        The recording, every column.
    read : Storage
        What the refiner read of it, in its order.
    spans : list of Span
        Every cycle; those with a reason were not refined.
    cycles : Dataset
        The refined cycles as the networks read them.
    curves : DataArray
        What every seed made of them, dims (seed, channel, cycle, sample), as it came out.
    notes : tuple of str
        What a reader of the result must know.
    """

    manifest: Manifest
    name: str
    source: Storage
    read: Storage
    spans: list[Span]
    cycles: xr.Dataset
    curves: xr.DataArray
    notes: tuple[str, ...]

    @property
    def refined(self) -> list[Span]:
        """The cycles that were refined."""
        return [span for span in self.spans if not span.reason]

    @property
    def synthetic(self) -> bool:
        """Whether the refiner or the recording is synthetic."""
        return self.manifest.synthetic or is_synthetic(self.source)

    @cached_property
    def mean(self) -> xr.DataArray:
        """The prediction: mean over seeds, dims (channel, cycle, sample), not below 0 where EMG cannot be."""
        mean = self.curves.mean("seed")
        floors = [0.0 if out.emg_low >= 0 else -np.inf for out in self.manifest.outputs]
        return mean.clip(min=xr.DataArray(floors, dims="channel", coords={"channel": mean.channel}))

    @cached_property
    def spread(self) -> xr.DataArray:
        """Standard deviation between seeds (ddof 1), same dims; NaN with one seed."""
        if self.curves.sizes["seed"] < 2:
            return self.mean * np.nan
        return self.curves.std("seed", ddof=1)

    def table(self) -> pd.DataFrame:
        """Every cycle: number, start_s, end_s, refined, reason."""
        rows = [
            {"cycle": s.number, "start_s": s.start_s, "end_s": s.end_s, "refined": not s.reason, "reason": s.reason}
            for s in self.spans
        ]
        return pd.DataFrame(rows)

    def storage(self, rest: str = "simulated") -> Storage:
        """Refined activity over the recording's own time; see `nem2e_lib.refiner.output.refined_storage`."""
        from nem2e_lib.refiner.output import refined_storage

        return refined_storage(self, rest)

    def save(self, path: str | Path, rest: str = "simulated") -> list[Path]:
        """Write refined activity, its band and the table of cycles; see `nem2e_lib.refiner.output.save`."""
        from nem2e_lib.refiner.output import save

        return save(self, Path(path), rest)

    def facts(self) -> dict[str, Any]:
        """What a program may want to know, ready for JSON."""
        return {
            "recording": self.name,
            "synthetic": self.synthetic,
            "muscles": {out.name: out.muscle for out in self.manifest.outputs},
            "refined_cycles": len(self.refined),
            "cycles": self.table().to_dict("records"),
            "notes": list(self.notes),
        }


def is_synthetic(storage: Storage) -> bool:
    """Whether a file says in its first line that it is synthetic, as those of this project do."""
    return "SYNTHETIC" in storage.name


def refine(
    refiner: Refiner,
    activation: str | Path | Storage,
    *,
    grf: str | Path | None = None,
    cycles: str | Path | Sequence[Span] | None = None,
    definition: str | None = None,
    columns: tuple[str, str] | None = None,
    threshold_n: float | None = None,
) -> Refined:
    """Refine a recording that has no EMG.

    Parameters
    ----------
    refiner
        What to refine with.
    activation
        Activation file (.sto, .mot), a file of states with activations in it, or a table already read.
    grf
        Ground reaction force: cycles are cut from it as the refiner's study was; where `cycles` are given too, they are
        checked against it.
    cycles
        Table (CSV: cycle, start_s, end_s) or list of cycles.
    definition
        What the cycles run between, such as ``right-right``, where it is known: another than the refiner's is refused.
    columns
        Names of the right and left vertical column of `grf`, where they are not known ones.
    threshold_n
        Force above which a foot is on the ground; the refiner's by default.

    Raises
    ------
    Nem2eError
        If the recording does not fit the refiner, a file is none, or no cycle can be refined.
    """
    storage = activation if isinstance(activation, Storage) else read_storage(activation)
    where = storage.name if isinstance(activation, Storage) else str(activation)
    manifest = refiner.manifest
    read = require_fit(manifest, storage, where)
    finding.require_definition(definition, manifest.cycle)
    found = _spans(_with_threshold(manifest.cycle, threshold_n), read, where, grf, cycles, columns)
    found = finding.usable(found, read, where)
    kept = [span for span in found if not span.reason]
    if not kept:
        raise Nem2eError(
            f"{where}: none of {len(found)} cycles can be refined; cycle {found[0].number}, {found[0].start_s:.6g} to "
            f"{found[0].end_s:.6g} s: {found[0].reason}."
        )
    cut = segmented(manifest, read, kept, where)
    curves = refiner.predict(cut)
    notes = notes_on(manifest, storage, read, found, curves, told=definition is not None or grf is not None)
    return Refined(manifest, where, storage, read, found, cut, curves, notes)


def _with_threshold(cycle: GaitCycle, threshold_n: float | None) -> GaitCycle:
    if threshold_n is None:
        return cycle
    if not 0 < threshold_n < np.inf:
        raise Nem2eError(f"force threshold is {threshold_n}, but more than 0 N is expected.")
    return replace(cycle, threshold_n=threshold_n)


def _spans(
    cycle: GaitCycle,
    read: Storage,
    where: str,
    grf: str | Path | None,
    cycles: str | Path | Sequence[Span] | None,
    columns: tuple[str, str] | None,
) -> list[Span]:
    strikes = finding.read_strikes(grf, cycle, columns) if grf is not None else None
    if cycles is not None:
        given = finding.read_spans(cycles) if isinstance(cycles, str | Path) else finding.check_spans(cycles, where)
        if strikes is not None:
            finding.require_strikes(given, strikes, cycle)
        return given
    if strikes is None:
        raise Nem2eError(
            f"{where}: without heel strikes there are no cycles; give the ground reaction force (--grf) or a table "
            "with columns cycle, start_s and end_s (--cycles)."
        )
    return finding.of_force(strikes, read, cycle, where)
