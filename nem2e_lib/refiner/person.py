"""A refiner adapted to a person: which own cycles it takes, what it refuses, and what is told of it afterwards."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nem2e_lib.data.cycles.segment import circumstances
from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner.adapting import Seen, fit, rmse
from nem2e_lib.refiner.manifest import Adapted, Manifest, Output, Person
from nem2e_lib.training.units import unit_name

Array = NDArray[np.float64]

MOST = 10
"""Own cycles at most: with more, a study of the person's own says more than a correction."""
LEFT_OUT = 3
"""Own cycles from which leaving one of them out gives an error."""


def own_cycles(manifest: Manifest, cycles: xr.Dataset, count: int | None = None, same: bool = False) -> xr.Dataset:
    """Return the own cycles that a refiner can be adapted by.

    Parameters
    ----------
    manifest
        Of the refiner.
    cycles
        Segmented cycles of the person, with EMG.
    count
        Take the first so many; all by default.
    same
        Whether it will be for the speed and condition of the own cycles alone.

    Raises
    ------
    Nem2eError
        If the refiner does not know how people differ or is adapted already, cycles are of more than one person, too
        many, fewer than asked for, or with `same` of several speeds, or no EMG is of a muscle that it refines.
    """
    study = f"study {cycles.attrs.get('study', '')}"
    _require_adaptable(manifest)
    people = sorted(set(cycles.subject.values.astype(str).tolist()))
    if len(people) > 1:
        raise Nem2eError(
            f"{study}: has cycles of {len(people)} people ({', '.join(people[:4])}{', …' if len(people) > 4 else ''}), "
            "but a refiner is adapted to one; give a study of one person."
        )
    there = cycles.sizes["cycle"]
    if count is not None and not 1 <= count <= MOST:
        raise Nem2eError(f"{study}: {count} own cycles are asked for, but 1 to {MOST} are expected; change --cycles.")
    if count is not None and count > there:
        raise Nem2eError(f"{study}: {count} own cycles are asked for, but it has {there}; ask for fewer.")
    if count is None and there > MOST:
        raise Nem2eError(
            f"{study}: has {there} cycles, but a refiner is adapted by at most {MOST}; take the first with --cycles "
            f"{MOST} (count={MOST} in Python), or train on them."
        )
    own = cycles if count is None else cycles.isel(cycle=slice(count))
    told = list(dict.fromkeys(circumstances(own).tolist()))
    if same and len(told) > 1:
        raise Nem2eError(
            f"{study}: its own cycles are of {len(told)} speeds or conditions ({'; '.join(told)}), but --same-speed "
            "(same=True in Python) is for one; leave it out, or give the cycles of one."
        )
    if not any(len(_recorded(out, own)) for out in manifest.outputs):
        pairs = zip(own.channel.values.astype(str), own.target.values.astype(str), strict=True)
        has = ", ".join(f"{name} of {muscle}" for name, muscle in pairs)
        refines = ", ".join(f"{out.name} of {out.muscle}" for out in manifest.outputs)
        raise Nem2eError(
            f"{study}: no EMG is of what is refined: it has {has}, the refiner {refines}; name channels and muscles "
            "alike in study.toml, [emg]."
        )
    return own


def _require_adaptable(manifest: Manifest) -> None:
    where = f"refiner of study {manifest.origin.study}"
    if manifest.person is not None:
        raise Nem2eError(f"{where}: is adapted to {manifest.person} already; adapt the one that it was made of.")
    if all(out.own is None for out in manifest.outputs):
        raise Nem2eError(
            f"{where}: does not know how people differ from it, since nobody was left out or its file is of an earlier "
            "nem2e; train it anew with its held-out error."
        )
    if not any(out.own is not None and out.own.units for out in manifest.outputs):
        raise Nem2eError(
            f"{where}: does not know how people differ from it, since nobody left out had more than one cycle; train "
            "it on people with two cycles or more."
        )


def adapted(manifest: Manifest, cycles: xr.Dataset, refined: xr.DataArray, same: bool = False) -> Manifest:
    """Return the manifest of a refiner that is adapted to a person.

    Parameters
    ----------
    manifest
        Of the refiner.
    cycles
        Own cycles, as `own_cycles` gives them.
    refined
        What the refiner makes of them, dims (channel, cycle, sample), the mean over seeds.
    same
        Whether it is for the speed and condition of the own cycles alone.
    """
    person = Person(
        str(cycles.subject.values[0]),
        str(cycles.attrs.get("study", "")),
        bool(cycles.attrs.get("synthetic", False)),
        cycles.sizes["cycle"],
        tuple(dict.fromkeys(filter(None, circumstances(cycles).tolist()))),
        same,
    )
    outputs = tuple(_fitted(out, cycles, refined.sel(channel=out.name), same) for out in manifest.outputs)
    made = replace(manifest, outputs=outputs, person=person)
    return replace(made, warning=" ".join(filter(None, [manifest.warning, *warnings(made, cycles)])))


def _recorded(out: Output, cycles: xr.Dataset) -> NDArray[np.intp]:
    """Places of the cycles in which the muscle's EMG was measured."""
    if out.own is None or out.name not in cycles.channel.values:
        return np.array([], np.intp)
    one = cycles.sel(channel=out.name)
    same = str(one.target.values) == out.muscle
    return np.flatnonzero(np.isfinite(one.emg.transpose("cycle", "sample").values).all(axis=1) & same)


def _fitted(out: Output, cycles: xr.Dataset, refined: xr.DataArray, same: bool) -> Output:
    there = _recorded(out, cycles)
    if out.own is None or not len(there):
        return out
    one = cycles.isel(cycle=there)
    own = Seen(
        refined.transpose("cycle", "sample").values[there],
        one.emg.sel(channel=out.name).transpose("cycle", "sample").values.astype(float),
        (one.end_s - one.start_s).values.astype(float),
        one.subject.values.astype(str),
        circumstances(one),
    )
    known, count = out.own, len(own)
    before = float(rmse(own.predicted, own.measured).mean())
    left_out = []
    for cycle in range(count) if count >= LEFT_OUT else ():
        new = own.take(np.array([cycle]))
        change = fit(own.take(np.arange(count) != cycle), known, same)
        left_out.append(float(rmse(change.apply(new.predicted, new.duration_s), new.measured)[0]))
    after = float(np.mean(left_out)) if left_out else None
    return replace(out, adapted=Adapted(fit(own, known, same), count, before, after))


def warnings(manifest: Manifest, cycles: xr.Dataset) -> Iterator[str]:
    """Yield what is to be told whenever an adapted refiner is used, and of how it came to be."""
    person, origin = manifest.person, manifest.origin
    assert person is not None
    yield f"ADAPTED TO {person}: {_error(manifest)}"
    if not any(out.own.stages for out in manifest.outputs if out.own is not None):
        yield "No change is shown to pay for those who were left out, so nothing was changed."
    rest = [out.name for out in manifest.outputs if out.adapted is None]
    if rest:
        yield f"Not adapted, since the person's EMG was not measured: {', '.join(rest)}."
    if origin.synthetic != person.synthetic:
        yield f"The refiner is {_kind(origin.synthetic)}, but the person's recording {_kind(person.synthetic)}."
    if person.study == origin.study and person.name in origin.subjects:
        yield f"{person.name} is among those whom it was trained on, so the own cycles tell less than they seem to."
    if manifest.training.held_out_by != "subject":
        left_out = unit_name(manifest.training.held_out_by, 2)
        at = f" ({', '.join(person.circumstances)})" if person.circumstances else ""
        yield (
            f"How people differ is not known to it: own cycles are believed as {left_out} of one person differ, so it "
            f"is for what they were measured at alone{at}."
        )
    processing = str(cycles.attrs.get("emg_processing", origin.emg))
    if processing != origin.emg:
        yield f"The person's EMG was processed otherwise ({processing}) than in training ({origin.emg})."


def _error(manifest: Manifest) -> str:
    """The error that is known of an adapted refiner, in words."""
    told = [out.adapted for out in manifest.outputs if out.adapted is not None]
    both = [(one.rmse_before, one.rmse_left_out) for one in told if one.rmse_left_out is not None]
    held_out = "the held-out error and the band are those of before"
    if not both:
        return f"{held_out}, and with fewer than {LEFT_OUT} own cycles its own error is not known."
    before, after = np.mean(both, axis=0)
    return (
        f"{held_out}; on own cycles left out one by one RMSE is {after:.3f} instead of {before:.3f}, the mean over "
        f"{len(both)} muscles."
    )


def _kind(synthetic: bool) -> str:
    return "SYNTHETIC" if synthetic else "real, or does not say that it is SYNTHETIC"


def require_finite(manifest: Manifest) -> None:
    """Refuse changes that are no finite curve of the refiner's samples; `Nem2eError`."""
    for out in manifest.outputs:
        if out.adapted is None:
            continue
        change = out.adapted.change
        numbers = (change.gain, change.delay_ms, *change.shape)
        if len(change.shape) != manifest.cycle.samples or not all(map(math.isfinite, numbers)):
            raise Nem2eError(
                f"refiner of study {manifest.origin.study}: what it adds to {out.name} is no curve of "
                f"{manifest.cycle.samples} finite numbers; get the file anew."
            )


def changed(manifest: Manifest, curves: Array, cycles: xr.Dataset) -> Array:
    """Return refined curves as the person has them to whom a refiner is adapted.

    Parameters
    ----------
    manifest
        Of the refiner.
    curves
        What its method makes of the cycles, shape (seeds, channels, cycles, samples).
    cycles
        With start_s and end_s.
    """
    if manifest.person is None:
        return curves
    lasts = (cycles.end_s - cycles.start_s).values.astype(float)
    parts = [
        one if out.adapted is None else np.stack([out.adapted.change.apply(seed, lasts) for seed in one])
        for out, one in zip(manifest.outputs, curves.swapaxes(0, 1), strict=True)
    ]
    return np.stack(parts, axis=1)
