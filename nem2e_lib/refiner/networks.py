"""STDR-Net in a refiner: weights of its models, one a seed, muscle and part of the cycle, and what they predict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner.archive import Weights
from nem2e_lib.refiner.manifest import Manifest
from nem2e_lib.refiner.recording import blank, with_targets
from nem2e_lib.training.conditions import Examples, examples, join_quarters
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.engine import Shape, refiner, weight_shapes
from nem2e_lib.training.numerics import pinned

SHIFT, SCALE = "input.shift", "input.scale"


@dataclass(frozen=True, eq=False)
class Networks:
    """The networks of a manifest.

    Attributes
    ----------
    manifest : Manifest
    weights : dict
        float32 arrays by name, leading axes (seed, output, part of the cycle).
    """

    manifest: Manifest
    weights: Weights

    def require_whole(self) -> None:
        """Refuse weights that are not those of the network that the manifest describes."""
        lead = len(self.manifest.training.seeds), len(self.manifest.outputs), self._parts
        for name, shape in self._expected().items():
            found = self.weights[name].shape if name in self.weights else "nothing"
            if found != (*lead, *shape):
                raise Nem2eError(
                    f"refiner of study {self.manifest.origin.study}: weights {name} have shape {found}, but its "
                    f"manifest asks for {(*lead, *shape)}; get the file anew."
                )

    def only(self, outputs: Sequence[int]) -> Weights:
        """Return the weights of some of the refined muscles."""
        return {name: w[:, list(outputs)] for name, w in self.weights.items()}

    @pinned()
    def curves(self, cycles: xr.Dataset) -> NDArray[np.float64]:
        """Return what every seed makes of cycles, shape (seeds, outputs, cycles, samples); NaN of diverged seeds."""
        training = self.manifest.training
        read = with_targets(self.manifest, cycles)
        made = examples(read, training.method, self._configuration)
        refined = np.stack([np.stack([self._one(made, s, c) for c in self._outputs]) for s in self._seeds])
        if training.method == "one_quarter":
            quarters = refined.reshape(*refined.shape[:2], -1, made.per_cycle, refined.shape[-1])
            refined = join_quarters(quarters, read.sample.values)
        for channel, out in enumerate(self.manifest.outputs):
            refined[np.isin(training.seeds, out.diverged), channel] = np.nan
        return refined.astype(np.float64)

    @cached_property
    def _configuration(self) -> Configuration:
        return Configuration().with_options(**self.manifest.training.configuration)

    @property
    def _seeds(self) -> range:
        return range(len(self.manifest.training.seeds))

    @property
    def _outputs(self) -> range:
        return range(len(self.manifest.outputs))

    @property
    def _parts(self) -> int:
        quartered = self.manifest.training.method == "one_quarter"
        return 4 if quartered and self._configuration.quarter == "separate" else 1

    def _shape(self, made: Examples) -> Shape:
        return Shape(made.inputs.shape[-1], made.targets.shape[-1], self._configuration, False, made.muscles)

    def _expected(self) -> dict[str, tuple[int, ...]]:
        """Shapes of one model's weights."""
        made = examples(blank(self.manifest), self.manifest.training.method, self._configuration)
        shapes = weight_shapes(self._shape(made))
        scaled = self._configuration.input_scaling != "none"
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
