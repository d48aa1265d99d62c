"""A trained refiner as a thing: load it, look at it, refine a recording with it, save it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from nem2e_lib.data.cycles.segment import recorded
from nem2e_lib.data.families import family
from nem2e_lib.data.storage.storage import Storage, read_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner import archive, outside, spans
from nem2e_lib.refiner.archive import Weights
from nem2e_lib.refiner.manifest import Manifest
from nem2e_lib.refiner.person import adapted, changed, own_cycles, require_finite
from nem2e_lib.refiner.recording import in_range, read_inputs, require_cycles, require_fit, segmented, with_inputs
from nem2e_lib.refiner.refined import Refined, notes_on
from nem2e_lib.training.conditions import CONDITIONS

if TYPE_CHECKING:
    from nem2e_lib.refiner.methods import Methods
    from nem2e_lib.refiner.networks import Networks


@dataclass(frozen=True, eq=False)
class Refiner:
    """A refiner: what it says of itself, and the numbers that its method predicts from.

    Attributes
    ----------
    manifest : Manifest
    weights : dict
        float32 arrays by name; see `Manifest.weights`.
    """

    manifest: Manifest
    weights: Weights

    def __post_init__(self) -> None:
        """Refuse weights that are not those of what the manifest describes, and a damaged account of training."""
        self._model.require_whole()
        outside.reach_of(self.manifest)
        require_finite(self.manifest)

    @classmethod
    def load(cls, path: str | Path) -> Refiner:
        """Read a refiner's file; nothing in it is executed.

        Raises
        ------
        Nem2eError
            If there is no such file, it is no refiner, or it is damaged.
        """
        return cls(*archive.load(path))

    def save(self, path: str | Path, dtype: str = "float32") -> Path:
        """Write the refiner to one file, whole or not at all, and return its path.

        Parameters
        ----------
        path
            Where; its folder must exist.
        dtype
            ``float16`` halves the size and rounds weights to three digits.
        """
        archive.save(path, self.manifest, self.weights, dtype)
        return Path(path)

    def __str__(self) -> str:
        """A few lines about it, for people."""
        return str(self.manifest)

    def only(self, outputs: Sequence[str]) -> Refiner:
        """Return the refiner of some muscles, by EMG name; Nem2eError for one that it does not refine."""
        have = self.manifest.names
        for name in outputs:
            if name not in have:
                raise Nem2eError(f"The refiner has no muscle {name!r}; it refines {', '.join(have)}.")
        rows = [index for index, name in enumerate(have) if name in outputs]
        return Refiner(self.manifest.only(list(outputs)), self._model.only(rows))

    def refine(
        self,
        activation: str | Path | Storage,
        *,
        grf: str | Path | None = None,
        cycles: str | Path | Sequence[spans.Span] | None = None,
        definition: str | None = None,
        columns: tuple[str, str] | None = None,
        threshold_n: float | None = None,
        names: str | None = None,
        speed_m_s: float | None = None,
        beside: Mapping[str, str | Path] | None = None,
        mass_kg: float | None = None,
    ) -> Refined:
        """Refine a recording that has no EMG.

        Parameters
        ----------
        activation
            Activation file (.sto, .mot), a file of states with activations in it, or a table already read.
        grf
            Ground reaction force: cycles are cut from it as the refiner's study was; where `cycles` are given too, they
            are checked against it.
        cycles
            Table (CSV: cycle, start_s, end_s) or list of cycles.
        definition
            What the cycles run between, such as ``right-right``, where it is known: another than the refiner's is
            refused.
        columns
            Names of the right and left vertical column of `grf`, where they are not known ones.
        threshold_n
            Force above which a foot is on the ground; the refiner's by default.
        names
            Family of models by whose names the recording calls its muscles (`nem2e_lib.data.families`), such as
            ``rajagopal``, where they are not the refiner's: each muscle is read from the column of the same muscle,
            and told.
        speed_m_s
            Of locomotion, m/s; needed by a refiner that reads it (`Manifest.needs_speed`).
        beside
            File of each set of inputs that the refiner reads beside activation (`Manifest.beside`), on the clock of
            the activation, as ``{"moment": "id.sto"}``.
        mass_kg
            Body mass, needed where moments or forces of training are by kg.

        Raises
        ------
        Nem2eError
            If the recording does not fit the refiner, a file is none, or no cycle can be refined.
        """
        storage = activation if isinstance(activation, Storage) else read_storage(activation)
        where = storage.name if isinstance(activation, Storage) else str(activation)
        read = require_fit(self.manifest, storage, where, None if names is None else family(names))
        cycle = spans.as_asked(self.manifest.cycle, definition, threshold_n)
        cut_as = spans.find(read, cycle, where, grf=grf, cycles=cycles, columns=columns)
        tables, there = read_inputs(self.manifest, beside or {}, mass_kg), spans.usable(cut_as.spans, read, where)
        for which, table in tables.items():
            there = spans.usable(there, table, where, which)
        found = in_range(self.manifest, read, there)
        kept = [span for span in found if not span.reason]
        if not kept:
            raise Nem2eError(
                f"{where}: none of {len(found)} cycles can be refined; cycle {found[0].number}, "
                f"{found[0].start_s:.6g} to {found[0].end_s:.6g} s: {found[0].reason}."
            )
        cut = with_inputs(self.manifest, segmented(self.manifest, read, kept, where, speed_m_s), kept, tables)
        curves = self.predict(cut)
        told = definition is not None or grf is not None
        far = outside.distances(self.manifest, cut, kept)
        notes = (*notes_on(self.manifest, storage, read, found, curves, told=told, far=far), *map(str, cut_as.notes))
        return Refined(self.manifest, where, storage, read, found, cut, curves, notes, far)

    def predict(self, cycles: xr.Dataset) -> xr.DataArray:
        """Refined activity of segmented cycles.

        Parameters
        ----------
        cycles
            As `nem2e_lib.data.cycles.segment` gives them; measured EMG is neither needed nor read.

        Returns
        -------
        DataArray
            Dims (seed, channel, cycle, sample), in the unit of the EMG that the refiner was trained on; NaN for a seed
            whose training diverged.

        Raises
        ------
        Nem2eError
            If the cycles lack a muscle, are cut in another way, or hold other than numbers.
        """
        require_cycles(self.manifest, cycles)
        return xr.DataArray(
            changed(self.manifest, self._model.curves(cycles), cycles),
            dims=("seed", "channel", "cycle", "sample"),
            coords={
                "seed": list(self.manifest.training.seeds),
                "channel": list(self.manifest.names),
                "cycle": cycles.cycle,
                "sample": cycles.sample,
            },
        )

    def adapt(self, cycles: xr.Dataset, count: int | None = None, same: bool = False) -> Refiner:
        """Return the refiner adapted to a person by one to ten own cycles: gain, delay and shape (`adapting`).

        Parameters
        ----------
        cycles
            Segmented cycles of the person, with EMG (`nem2e_lib.segment`).
        count
            Take the first so many; all by default.
        same
            Whether it will be for the speed and condition of the own cycles alone, which are then believed further.

        Raises
        ------
        Nem2eError
            If the refiner does not fit the cycles, does not know how people differ or is adapted already, or cycles are
            of more than one person, too many, or without EMG of what it refines.
        """
        own = own_cycles(self.manifest, cycles, count, same)
        return replace(self, manifest=adapted(self.manifest, own, self.predict(own).mean("seed"), same))

    def with_training_errors(self, cycles: xr.Dataset) -> Refiner:
        """Return the refiner with its root mean square errors on the cycles that it was trained on in the manifest."""
        refined = self.predict(cycles).mean("seed").transpose("channel", "cycle", "sample").values
        emg = cycles.emg.sel(channel=list(self.manifest.names)).transpose("channel", "cycle", "sample")
        parts = zip(refined, emg.values, recorded(emg), strict=True)
        errors = [np.sqrt(((guess[there] - own[there]) ** 2).mean()) for guess, own, there in parts]
        told = zip(self.manifest.outputs, errors, strict=True)
        outputs = tuple(replace(out, training_rmse=float(error)) for out, error in told)
        return replace(self, manifest=replace(self.manifest, outputs=outputs))

    @cached_property
    def _model(self) -> Networks | Methods:
        """What predicts; JAX is loaded only for what needs it."""
        if self.manifest.training.method in CONDITIONS:
            from nem2e_lib.refiner.networks import Networks

            return Networks(self.manifest, self.weights)
        from nem2e_lib.refiner.methods import Methods

        return Methods(self.manifest, self.weights)
