"""What a refiner says of itself: what it takes, what it gives, what it was trained on and how far it is off."""

from __future__ import annotations

import json
import types
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np
import pandas as pd

from nem2e_lib.data.muscles import same_leg
from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner.adapting import Adaptation, Priors
from nem2e_lib.refiner.reach import Limits
from nem2e_lib.training.units import units_said

FORMAT, VERSION = "nem2e refiner", 2
SYNTHETIC = (
    "SYNTHETIC: trained on computed data of nobody; what it makes of a real recording shows how the tool works, "
    "not how a muscle did."
)
ONE_SPEED = "ONE PERSON AT ONE SPEED: nothing is known of how it does on other people or at other speeds."
OTHER_CYCLES = "Its error is that of other cycles of the same recording, which are much like those of training."
"""Warnings of a refiner of one recording; the second where its error is known."""
ERROR_BAND = "± the held-out error (root mean square at each sample)"
"""What the band is where there is none of a nominal level."""
KEEPS = "the file holds simulated activation of those whom it was trained on, as kernel ridge regression needs it"
"""What is told of a file that gives away more than what was learned."""
OWN, LEG, ALL = "own", "leg", "all"
"""Which muscles a refined one is made of: its own, those of its leg, all that are read."""


@dataclass(frozen=True)
class Manifest:
    """Everything that a person, or a program that applies the refiner, needs to know.

    Attributes
    ----------
    warning : str
        What to tell whenever it is used; empty if nothing.
    activation_unit, emg_unit : str
        Units of what it takes and gives.
    inputs, outputs : tuple
        Muscles read and refined, in the order of the weights.
    fits : tuple of Fit
        Fitted methods of the leaderboard; empty where the method is STDR-Net.
    verdict : Verdict or None
        Whether it is shown to beat the mean curve on those left out; None where nobody was, of the mean curve itself,
        and in files that do not tell.
    reach : Limits or None
        How far cycles may lie from those of training; None where that is not known.
    weights : dict
        Arrays by name. Of STDR-Net leading axes are seed, output and part of the cycle; else a name starts with the
        number of the fit.
    person : Person or None
        Whom it was adapted to; None where it is for everybody.
    """

    origin: Origin
    training: Training
    cycle: GaitCycle
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    versions: dict[str, str]
    warning: str = ""
    activation_unit: str = "activation, 0 to 1"
    emg_unit: str = "share of the EMG's reference (see origin: emg)"
    weights: dict[str, Array] | None = None
    fits: tuple[Fit, ...] = ()
    reach: Limits | None = None
    verdict: Verdict | None = None
    person: Person | None = None

    def __str__(self) -> str:
        """A few lines about the refiner, for people."""
        origin, training, cycle = self.origin, self.training, self.cycle
        left_out = f"leaving out {units_said(training.held_out_units, training.held_out_by)} one by one"
        lines = [
            f"refiner of {len(self.outputs)} muscles, {training.method}"
            + ("" if self.fits else f", {len(training.seeds)} seed(s)"),
            f"trained on {origin.study} ({origin.motion}, simulated by {origin.simulated_by}): {origin.cycles} cycles "
            f"of {len(origin.subjects)} subject(s)",
            f"reads the activation of {len(self.inputs)} muscles{self._beside_said} in {cycle.definition} cycles",
            f"held-out error: {left_out if training.held_out_by else 'unknown, nobody was left out'}",
            *([KEEPS] if any(fit.keeps_training for fit in self.fits) else []),
            *([self.verdict.sentence] if self.verdict else []),
            *([f"band: {self.band_said}"] if self.band_said else []),
            *([f"adapted to {self.person}"] if self.person else []),
        ]
        if self.reach:
            told = [self.reach.one, *([self.reach.alarms] if self.reach.alarms else [])]
            lines.append(f"distance to training: {'; '.join(told)}")
        return "\n  ".join([*lines, *([self.warning] if self.warning else [])])

    @property
    def names(self) -> tuple[str, ...]:
        """EMG names of the refined muscles."""
        return tuple(each.name for each in self.outputs)

    @property
    def muscles(self) -> tuple[str, ...]:
        """Muscles whose activation it reads."""
        return tuple(each.muscle for each in self.inputs)

    @property
    def reads_all(self) -> bool:
        """Whether every refined muscle is made of all muscles that it reads."""
        return self.training.reads == ALL

    @property
    def needs_speed(self) -> bool:
        """Whether it reads the speed of locomotion."""
        return any(fit.needs_speed for fit in self.fits)

    @property
    def beside(self) -> dict[str, str]:
        """Inputs that it reads beside activation, each with its unit; none is the rule."""
        return {name: unit for fit in self.fits for name, unit in fit.units.items()}

    @property
    def synthetic(self) -> bool:
        """Whether it was trained on synthetic data, or adapted to nobody's."""
        return self.origin.synthetic or (self.person is not None and self.person.synthetic)

    def errors(self) -> pd.DataFrame:
        """Return the error on those left out, a row a muscle; NaN where it is unknown.

        Returns
        -------
        DataFrame
            muscle (EMG name), of (muscle of the model), rmse_opensim, rmse_refined, er, er_low, er_high, units; see
            `HeldOut`.
        """
        told = ("rmse_opensim", "rmse_refined", "er", "er_low", "er_high", "units")
        rows = [
            {"muscle": o.name, "of": o.muscle, **{k: getattr(o.held_out, k, None) for k in told}} for o in self.outputs
        ]
        return pd.DataFrame(rows).astype(dict.fromkeys(told, float))

    @property
    def band_level(self) -> float | None:
        """Nominal share of samples within the band; None where it has none."""
        bands = [out.held_out.band for out in self.outputs if out.held_out and out.held_out.band]
        return bands[0].level if bands else None

    @property
    def band_said(self) -> str:
        """What the band about refined activity is, in a sentence or two; empty where the error is unknown."""
        told = [out.held_out for out in self.outputs if out.held_out]
        if not told:
            return ""
        if self.band_level is None:
            return f"{ERROR_BAND}, which has no nominal level."
        shares = [each.covered for each in told if each.covered is not None]
        measured = f"; it covers {_range(shares)} of held-out samples" if shares else ""
        notes = dict.fromkeys(each.band.note for each in told if each.band and each.band.note)
        return " ".join([f"{percent(self.band_level)} nominal{measured}.", *notes])

    def calibration(self) -> pd.DataFrame:
        """Return what bands of several nominal levels cover on those left out, a row a muscle and level.

        Returns
        -------
        DataFrame
            muscle (EMG name), of (muscle of the model), nominal, covered, low, high (see `Calibration`), units.
        """
        columns = ["muscle", "of", "nominal", "covered", "low", "high", "units"]
        rows = [
            (out.name, out.muscle, each.nominal, each.covered, each.low, each.high, out.held_out.units)
            for out in self.outputs
            if out.held_out and out.held_out.band
            for each in out.held_out.band.calibration
        ]
        return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[2:], float))

    @property
    def _beside_said(self) -> str:
        sets = list(dict.fromkeys(name.partition(":")[0] for name in self.beside))
        return "".join(f" and {one}" for one in [*sets, *(["speed"] if self.needs_speed else [])])

    def made_of(self, name: str) -> str:
        """Return what a refined muscle is a mean of, largest first: ``0.7 ridge_all, 0.3 mean_curve``; else empty."""
        fit = next((fit for fit in self.fits if name in fit.refines), None)
        if fit is None or "weights" not in fit.chosen:
            return ""
        place = fit.channels.index(name)
        shares = {method: each[place] for method, each in fit.chosen["weights"].items() if each[place] > 0}
        return ", ".join(f"{share:.2g} {one}" for one, share in sorted(shares.items(), key=lambda pair: -pair[1]))

    def only(self, outputs: list[str]) -> Manifest:
        """Return the manifest of some of the refined muscles; one-muscle conditions then read only these."""
        chosen = tuple(each for each in self.outputs if each.name in outputs)
        needed = {each.muscle for each in chosen}
        if self.training.reads == LEG:
            names = [each.muscle for each in self.inputs]
            legs = [same_leg(muscle, names) for muscle in needed]
            needed |= {name for name, own in zip(names, np.any(legs, axis=0), strict=True) if own}
        inputs = tuple(each for each in self.inputs if self.reads_all or each.muscle in needed)
        reach = self.reach.of_fewer() if self.reach and len(inputs) < len(self.inputs) else self.reach
        return replace(self, outputs=chosen, inputs=inputs, reach=reach)

    def to_json(self) -> str:
        """Return the manifest as JSON, two spaces deep, the same text for the same content."""
        return json.dumps({"format": FORMAT, "format_version": VERSION, **asdict(self)}, indent=2, allow_nan=False)


@dataclass(frozen=True)
class Verdict:
    """What a held-out comparison with the mean curve says.

    Attributes
    ----------
    method
        Its id.
    difference, ci_low, ci_high
        Er of the method minus Er of the mean curve, mean over held-out units, below 0 where the method is better; its
        95 % interval, corrected for training data that folds share (`analysis.statistics.over_folds`). None where there
        is no such number.
    p_value
        Of the same test; None where there is none.
    n
        Held-out units.
    state
        Of `analysis.contrasts.ANSWERS`: shown, not shown, shown otherwise (it is worse), cannot be told.
    sentence
        The same for people.
    """

    method: str
    difference: float | None
    ci_low: float | None
    ci_high: float | None
    p_value: float | None
    n: int
    state: str
    sentence: str

    @property
    def shown(self) -> bool:
        """Whether the method is shown to beat the mean curve."""
        return self.state == "shown"


@dataclass(frozen=True)
class Origin:
    """What a refiner was trained on, and whether that was synthetic."""

    study: str
    synthetic: bool
    motion: str
    simulated_by: str
    emg: str
    subjects: tuple[str, ...]
    speeds: tuple[str, ...]
    cycles: int
    citation: str
    licence: str
    data_hash: str


@dataclass(frozen=True)
class Person:
    """Whom a refiner was adapted to, whether synthetic, by how many own cycles of which speeds and conditions.

    `same` says that it is for the speed and condition of the own cycles alone.
    """

    name: str
    study: str
    synthetic: bool
    cycles: int
    circumstances: tuple[str, ...]
    same: bool = False

    def __str__(self) -> str:
        """Who, with how many cycles, and for what alone."""
        called = "SYNTHETIC " if self.synthetic else ""
        at = ", ".join(self.circumstances) or "the speed of these"
        alone = f" (for {at} alone)" if self.same else ""
        return f"{called}{self.name} of {self.study} with {self.cycles} own cycle{'s' * (self.cycles != 1)}{alone}"


@dataclass(frozen=True)
class Training:
    """How a refiner was trained, and by leaving out what its held-out error was taken.

    Attributes
    ----------
    method : str
        A condition of STDR-Net, or a method of the leaderboard.
    configuration : dict
        Options of STDR-Net, or settings of the method.
    profile, seeds, epochs, updates
        Of STDR-Net; a method of the leaderboard has one seed and no epochs.
    held_out_by, held_out_units
        What was left out one by one, and how many of these there are.
    reads : str
        Which muscles a refined one is made of: `own`, `leg` or `all`.
    """

    method: str
    configuration: dict[str, Any]
    profile: str
    seeds: tuple[int, ...]
    epochs: int
    updates: int
    held_out_by: str
    held_out_units: int
    reads: str = OWN


@dataclass(frozen=True)
class Fit:
    """A method fitted to the cycles that its channels share.

    Attributes
    ----------
    channels, targets : tuple of str
        EMG names that it was fitted to, and their muscles.
    refines : tuple of str
        Those that are taken from it: where a person lacks a channel, each comes from the fit to all cycles it has.
    muscles : tuple of str
        Muscles whose activation it was fitted to, in the order of its arrays.
    cycles : int
        How many it was fitted to.
    facts : dict
        What of its state is no array.
    chosen : dict
        Hyper-parameters chosen inside the training cycles.
    needs_speed : bool
        Whether it reads the speed of locomotion.
    keeps_training : bool
        Whether its arrays hold the simulated activation of the people that it was trained on.
    inputs : dict
        Sets that it reads and how they are scaled (`nem2e_lib.rivals.inputs.Inputs`).
    units : dict
        Inputs beside activation that it reads (``moment:knee_angle_r``), each with its unit.
    """

    channels: tuple[str, ...]
    targets: tuple[str, ...]
    refines: tuple[str, ...]
    muscles: tuple[str, ...]
    cycles: int
    facts: dict[str, Any]
    chosen: dict[str, Any]
    needs_speed: bool = False
    keeps_training: bool = False
    inputs: dict[str, Any] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class GaitCycle:
    """How cycles are cut: definition, force threshold, resampling, samples, and what they lasted in training."""

    definition: str
    threshold_n: float
    min_stance_s: float
    min_swing_s: float
    resampling: str
    samples: int
    phases: int
    shortest_s: float
    longest_s: float


@dataclass(frozen=True)
class Input:
    """A muscle whose simulated activation is read, and what it had in training.

    Attributes
    ----------
    muscle : str
    low, high : float
        Its range.
    mean, spread : tuple of float
        Mean curve, and standard deviation between units, at each sample of the cycle (`reach.Reach`); empty where they
        are not known.
    """

    muscle: str
    low: float
    high: float
    mean: tuple[float, ...] = ()
    spread: tuple[float, ...] = ()


@dataclass(frozen=True)
class Output:
    """A refined muscle.

    Attributes
    ----------
    name, muscle, electrode : str
        EMG name, muscle of the model, electrode.
    emg_low, emg_high : float
        Range of its EMG in training.
    training_rmse : float
        Root mean square error on the cycles that it was trained on.
    diverged : tuple of int
        Seeds whose training diverged: their networks are in the file, but give no answer.
    held_out : HeldOut or None
        Error on others; None where it is unknown. Of an adapted refiner, that of before.
    own : Priors or None
        How those left out differ from what is refined, by which own cycles of a person are believed; None where it is
        unknown.
    adapted : Adapted or None
        What was done for the person whom it was adapted to; None where nothing was.
    """

    name: str
    muscle: str
    electrode: str
    emg_low: float
    emg_high: float
    training_rmse: float
    diverged: tuple[int, ...]
    held_out: HeldOut | None
    own: Priors | None = None
    adapted: Adapted | None = None


@dataclass(frozen=True)
class Adapted:
    """What own cycles of a person did to a muscle.

    Attributes
    ----------
    change : Adaptation
        What is done to refined curves.
    cycles : int
        How many own cycles the muscle was measured in.
    rmse_before : float
        Mean over own cycles of the root mean square error without it.
    rmse_left_out : float or None
        The same of each own cycle after adapting by the others; None with fewer than three.
    """

    change: Adaptation
    cycles: int
    rmse_before: float
    rmse_left_out: float | None


@dataclass(frozen=True)
class HeldOut:
    """Error of one muscle on the units that the models had not seen (subjects, or `Training.held_out_by`).

    The mean over seeds counts as the prediction.

    Attributes
    ----------
    rmse_opensim, rmse_refined : float
        Mean over held-out units (Teramae et al. 2025, Eq. 1), in the unit of the EMG.
    er, er_low, er_high : float or None
        Improvement rate (Eq. 2), negative is better, and its t-based 95 % CI over units (Eq. 4); None where undefined.
    by_phase : tuple of float
        Root mean square error at each sample of the cycle.
    coverage : float or None
        Share of held-out samples within ± `by_phase`, taken from the other units' errors; None with one unit.
    between_seeds : tuple of float or None
        Standard deviation between seeds at each sample; None with one seed.
    diverged : int
        How many of the models behind this error diverged in training.
    units : int
        How many units were held out of which the muscle was measured; 0 in files that do not tell.
    band : Band or None
        Band of a nominal level; None in files made before there was one, and where it cannot be made. Then ± `by_phase`
        is the band.
    """

    rmse_opensim: float
    rmse_refined: float
    er: float | None
    er_low: float | None
    er_high: float | None
    by_phase: tuple[float, ...]
    coverage: float | None
    between_seeds: tuple[float, ...] | None
    diverged: int
    units: int = 0
    band: Band | None = None

    @property
    def half_width(self) -> tuple[float, ...]:
        """How far the band reaches to either side of refined activity at each sample."""
        return self.by_phase if self.band is None else self.band.half_width

    @property
    def covered(self) -> float | None:
        """Share of held-out samples within the band; None where it could not be measured."""
        return self.coverage if self.band is None else self.band.covered


@dataclass(frozen=True)
class Band:
    """Band about refined activity from residuals on those left out (`nem2e_lib.refiner.bands`).

    Attributes
    ----------
    level : float
        Nominal share of samples within.
    half_width : tuple of float
        How far it reaches to either side at each sample, in the unit of the EMG.
    calibration : tuple of Calibration
        What bands of several nominal levels, `level` among them, cover of those left out; empty with two units.
    by_phase : tuple of float or None
        Share covered at each sample, mean over units.
    note : str
        What is to be known beside; empty if nothing.
    """

    level: float
    half_width: tuple[float, ...]
    calibration: tuple[Calibration, ...] = ()
    by_phase: tuple[float, ...] | None = None
    note: str = ""

    @property
    def covered(self) -> float | None:
        """Share of held-out samples within the band that the other units give, mean over units."""
        return next((each.covered for each in self.calibration if each.nominal == self.level), None)


@dataclass(frozen=True)
class Calibration:
    """Share of held-out samples within bands of a nominal level, mean over units, with its 95 % CI over units."""

    nominal: float
    covered: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Array:
    """One array of weights in the file: shape, number format and SHA-256 of its content."""

    shape: tuple[int, ...]
    dtype: str
    sha256: str


def percent(share: float) -> str:
    """Return ``90 %``."""
    return f"{round(100 * share, 1):g} %"


def _range(shares: list[float]) -> str:
    low, high = (f"{100 * end:.0f}" for end in (min(shares), max(shares)))
    return f"{low} %" if low == high else f"{low} to {high} %"


def from_json(text: str, where: str) -> Manifest:
    """Read a manifest.

    Parameters
    ----------
    text
        JSON as `Manifest.to_json` writes it.
    where
        File, for messages.

    Raises
    ------
    Nem2eError
        If it is no manifest, of a later version, or lacks something.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Nem2eError(f"{where}: its manifest is no JSON ({error}); get the file anew.") from None
    if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
        raise Nem2eError(f"{where}: its manifest is not that of a refiner; give a file that nem2e train wrote.")
    version = content.pop("format_version", None)
    if version == 1:
        content = _of_first_format(content)
    elif version != VERSION:
        raise Nem2eError(
            f"{where}: is a refiner of format {version}, but this nem2e reads formats 1 to {VERSION}; update "
            "nem2e or train anew."
        )
    manifest: Manifest = _read(Manifest, content, where, "manifest")
    return manifest


def _of_first_format(content: dict[str, Any]) -> dict[str, Any]:
    """The first format knew STDR-Net alone, and called its method a condition."""
    training = content.get("training")
    if not isinstance(training, dict) or "condition" not in training:
        return content
    method = training["condition"]
    told = {"method": method, "reads": ALL if method == "all_entire" else OWN}
    return {**content, "training": {**training, **told}}


def _read(kind: Any, value: Any, where: str, name: str) -> Any:
    """Value as the type that an annotation asks for; Nem2eError where it is of another."""
    origin, arguments = get_origin(kind), get_args(kind)
    if is_dataclass(kind) and isinstance(value, dict):
        return _record(kind, value, where, name)
    if origin in (Union, types.UnionType):
        return None if value is None else _read(arguments[0], value, where, name)
    if origin is tuple and isinstance(value, list):
        return tuple(_read(arguments[0], each, where, f"{name}[{i}]") for i, each in enumerate(value))
    if origin is dict and isinstance(value, dict):
        return {str(key): _read(arguments[1], each, where, f"{name}.{key}") for key, each in value.items()}
    if kind is Any or (kind in (str, int, float, bool) and type(value) is kind):
        return value
    if kind is float and type(value) is int:
        return float(value)
    raise Nem2eError(f"{where}: {name} of its manifest is {str(value)[:60]!r}, which it cannot be; get the file anew.")


def _record(kind: Any, value: dict[str, Any], where: str, name: str) -> Any:
    hints, known = get_type_hints(kind), [field.name for field in fields(kind)]
    needed = [each.name for each in fields(kind) if each.default is MISSING and each.default_factory is MISSING]
    missing = [key for key in needed if key not in value]
    if missing:
        raise Nem2eError(f"{where}: {name} has no {missing[0]!r}; get the file anew.")
    return kind(**{key: _read(hints[key], value[key], where, f"{name}.{key}") for key in known if key in value})
