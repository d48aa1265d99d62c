"""Where a trial is simulated: its folder, the model and motion that the next step starts from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from nem2e_lib.errors import Nem2eError
from nem2e_lib.simulate.facts import ModelFacts, describe
from nem2e_lib.simulate.options import Options
from nem2e_lib.simulate.trial import SimulatedTrial


@dataclass
class Workplace:
    """State of one trial between steps.

    Attributes
    ----------
    folder : Path
        Folder of the trial; every step has one of its own in it.
    model, motion : Path
        What the next step starts from.
    smooth : bool
        Whether the motion needs no low-pass any more.
    asked : (start, end) in s
        What results shall cover.
    window : (start, end) in s
        What is simulated: with the margins that computed muscle control loses.
    notes : list of str
        What the user should know, one sentence each.
    """

    folder: Path
    trial: SimulatedTrial
    options: Options
    model: Path
    motion: Path | None = None
    smooth: bool = False
    asked: tuple[float, float] = (0.0, 0.0)
    window: tuple[float, float] = (0.0, 0.0)
    notes: list[str] = field(default_factory=list)
    _facts: dict[Path, ModelFacts] = field(default_factory=dict)

    @property
    def facts(self) -> ModelFacts:
        """Description of the present model."""
        if self.model not in self._facts:
            self._facts[self.model] = describe(self.model)
        return self._facts[self.model]

    @property
    def cutoff_hz(self) -> float:
        """Low-pass that the motion still needs; -1 for none."""
        return -1.0 if self.smooth else self.options.cutoff_hz

    @property
    def inputs(self) -> Path:
        """Folder of the trial's inputs as the steps read them."""
        return self.folder / "inputs"

    def step_folder(self, step: str) -> Path:
        """Return the folder of a step, made where it is not there."""
        folder = self.folder / step
        (folder / "results").mkdir(parents=True, exist_ok=True)
        return folder

    def needs_motion(self) -> Path:
        """Return the motion; Nem2eError where the trial has none."""
        if self.motion is None:
            raise Nem2eError(
                f"Trial {self.trial.trial!r} has neither a motion nor the step ik before; give motion= (.mot, .sto)."
            )
        return self.motion
