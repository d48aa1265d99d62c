"""A trained STDR-Net as a thing: load it, look at it, refine a recording with it, save it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.data.families import family
from nem2e_lib.data.storage.storage import Storage, read_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner import archive, spans
from nem2e_lib.refiner.manifest import Manifest
from nem2e_lib.refiner.recording import blank, in_range, require_cycles, require_fit, segmented, with_targets
from nem2e_lib.refiner.refined import Refined, notes_on
from nem2e_lib.training.conditions import Examples, examples, join_quarters
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.engine import Shape, refiner, weight_shapes
from nem2e_lib.training.numerics import pinned

SHIFT, SCALE = "input.shift", "input.scale"


@dataclass(frozen=True, eq=False)
class Refiner:
    """A refiner: what it says of itself, and the weights of its networks.

    Attributes
    ----------
    manifest : Manifest
    weights : dict
        float32 arrays by name, leading axes (seed, output, part of the cycle).
    """

    manifest: Manifest
    weights: dict[str, NDArray[np.float32]]

    def __post_init__(self) -> None:
        """Refuse weights that are not those of the network that the manifest describes."""
        lead = len(self.manifest.training.seeds), len(self.manifest.outputs), self._parts
        for name, shape in self._expected().items():
            found = self.weights[name].shape if name in self.weights else "nothing"
            if found != (*lead, *shape):
                raise Nem2eError(
                    f"refiner of study {self.manifest.origin.study}: weights {name} have shape {found}, but its "
                    f"manifest asks for {(*lead, *shape)}; get the file anew."
                )

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

    @property
    def configuration(self) -> Configuration:
        """Options of network and training."""
        return Configuration().with_options(**self.manifest.training.configuration)

    def only(self, outputs: Sequence[str]) -> Refiner:
        """Return the refiner of some muscles, by EMG name; Nem2eError for one that it does not refine."""
        have = self.manifest.names
        for name in outputs:
            if name not in have:
                raise Nem2eError(f"The refiner has no muscle {name!r}; it refines {', '.join(have)}.")
        rows = [index for index, name in enumerate(have) if name in outputs]
        return Refiner(self.manifest.only(list(outputs)), {name: w[:, rows] for name, w in self.weights.items()})

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
        found = in_range(self.manifest, read, spans.usable(cut_as.spans, read, where))
        kept = [span for span in found if not span.reason]
        if not kept:
            raise Nem2eError(
                f"{where}: none of {len(found)} cycles can be refined; cycle {found[0].number}, "
                f"{found[0].start_s:.6g} to {found[0].end_s:.6g} s: {found[0].reason}."
            )
        cut = segmented(self.manifest, read, kept, where)
        curves = self.predict(cut)
        told = definition is not None or grf is not None
        notes = (*notes_on(self.manifest, storage, read, found, curves, told=told), *map(str, cut_as.notes))
        return Refined(self.manifest, where, storage, read, found, cut, curves, notes)

    @pinned()
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
        read = with_targets(self.manifest, cycles)
        made = examples(read, self.manifest.training.condition, self.configuration)
        refined = np.stack([np.stack([self._one(made, s, c) for c in self._outputs]) for s in self._seeds])
        if self.manifest.training.condition == "one_quarter":
            quarters = refined.reshape(*refined.shape[:2], -1, made.per_cycle, refined.shape[-1])
            refined = join_quarters(quarters, read.sample.values)
        for channel, out in enumerate(self.manifest.outputs):
            refined[np.isin(self.manifest.training.seeds, out.diverged), channel] = np.nan
        return xr.DataArray(
            refined.astype(np.float64),
            dims=("seed", "channel", "cycle", "sample"),
            coords={
                "seed": list(self.manifest.training.seeds),
                "channel": list(self.manifest.names),
                "cycle": cycles.cycle,
                "sample": read.sample,
            },
        )

    def with_training_errors(self, errors: Iterable[float]) -> Refiner:
        """Return the refiner with its root mean square errors on the training cycles in the manifest."""
        outputs = tuple(
            replace(out, training_rmse=error) for out, error in zip(self.manifest.outputs, errors, strict=True)
        )
        return replace(self, manifest=replace(self.manifest, outputs=outputs))

    @property
    def _seeds(self) -> range:
        return range(len(self.manifest.training.seeds))

    @property
    def _outputs(self) -> range:
        return range(len(self.manifest.outputs))

    @property
    def _parts(self) -> int:
        quartered = self.manifest.training.condition == "one_quarter"
        return 4 if quartered and self.configuration.quarter == "separate" else 1

    def _shape(self, made: Examples) -> Shape:
        return Shape(made.inputs.shape[-1], made.targets.shape[-1], self.configuration, False, made.muscles)

    def _expected(self) -> dict[str, tuple[int, ...]]:
        """Shapes of one model's weights."""
        made = examples(blank(self.manifest), self.manifest.training.condition, self.configuration)
        shapes = weight_shapes(self._shape(made))
        scaled = self.configuration.input_scaling != "none"
        return shapes | (dict.fromkeys((SHIFT, SCALE), made.inputs.shape[-2:]) if scaled else {})

    def _one(self, made: Examples, seed: int, output: int) -> NDArray[np.float32]:
        """What the models of one seed and muscle make of all sequences, shape (sequences, steps)."""
        refined = np.empty(made.targets.shape[1:], np.float32)
        inputs = made.inputs[made.set_of_channel[output]]
        for part in range(self._parts):
            rows = np.flatnonzero(made.part == part)
            refined[rows] = self._run(made, (seed, output, part), inputs[rows])
        return refined

    def _run(self, made: Examples, model: tuple[int, int, int], inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        own = {name: values[model] for name, values in self.weights.items()}
        shift, scale = own.pop(SHIFT, np.float32(0)), own.pop(SCALE, np.float32(1))
        scaled = (inputs - shift) / scale
        # One compiled program serves every recording up to a power of two of cycles.
        spare = (1 << max(3, (len(scaled) - 1).bit_length())) - len(scaled)
        padded = np.concatenate([scaled, np.repeat(scaled[-1:], spare, axis=0)])
        return np.asarray(refiner(own, self._shape(made))(padded))[: len(scaled)]
