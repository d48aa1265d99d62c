"""A recording whose muscles go by another family's names is refined as its twin by the refiner's, and told."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from nem2e_lib.data.storage.storage import Storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner.spans import Span
from tests.support.small_refiner import random_refiner, recording

SPANS = [Span(0, 0.5, 1.5)]
RAJAGOPAL = {"soleus_r": "soleus_r", "tib_ant_r": "tibant_r", "rect_fem_r": "recfem_r"}


def renamed(names: dict[str, str], shape: str = "{}") -> Storage:
    plain = recording()
    labels = tuple(shape.format(names.get(label, label)) for label in plain.labels)
    return dataclasses.replace(plain, labels=labels)


@pytest.mark.parametrize("shape", ["{}", "/forceset/{}/activation", "{}.activation", "/forceset/{}"])
@pytest.mark.parametrize("condition", ["one_entire", "one_quarter", "all_entire"])
def test_values_are_those_of_the_twin(shape, condition):
    refiner = random_refiner(condition)
    twin = refiner.refine(recording(), cycles=SPANS)
    refined = refiner.refine(renamed(RAJAGOPAL, shape), cycles=SPANS, names="rajagopal")
    np.testing.assert_array_equal(refined.mean, twin.mean)
    assert refined.storage().labels == (
        *(shape.format(name) for name in (*RAJAGOPAL.values(), "knee_reserve")),
        "refined",
    )
    np.testing.assert_array_equal(refined.storage().values, twin.storage().values)
    note = next(note for note in refined.notes if "other names" in note)
    told = ["tib_ant_r = tibant_r"] + ["rect_fem_r = recfem_r"] * (condition == "all_entire")
    assert note.endswith(f": {', '.join(told)}.")
    assert refined.facts()["notes"] == list(refined.notes)
    assert not any("other names" in note for note in twin.notes)


def test_the_refusal_names_the_family_and_the_way():
    with pytest.raises(
        Nem2eError, match=r"no muscle 'tib_ant_r': 1 of the 2 .*the rajagopal family .tib_ant_r = tibant_r.:"
    ):
        random_refiner().refine(renamed(RAJAGOPAL), cycles=SPANS)
    with pytest.raises(Nem2eError, match=r"refine with --names rajagopal .names='rajagopal' in Python.\.$"):
        random_refiner("all_entire").refine(renamed(RAJAGOPAL), cycles=SPANS)


def test_a_refiner_of_rajagopals_names_reads_gait2392():
    own = random_refiner()
    inputs = tuple(dataclasses.replace(each, muscle=RAJAGOPAL[each.muscle]) for each in own.manifest.inputs)
    outputs = tuple(dataclasses.replace(each, muscle=RAJAGOPAL[each.muscle]) for each in own.manifest.outputs)
    refiner = dataclasses.replace(own, manifest=dataclasses.replace(own.manifest, inputs=inputs, outputs=outputs))
    with pytest.raises(Nem2eError, match="refine with --names gait2392"):
        refiner.refine(recording(), cycles=SPANS)
    refined = refiner.refine(recording(), cycles=SPANS, names="hamner")
    np.testing.assert_array_equal(refined.mean, own.refine(recording(), cycles=SPANS).mean)


def test_a_muscle_without_counterpart_is_named():
    lumped = {"soleus_r": "soleus_r", "tib_ant_r": "tibant_r", "rect_fem_r": "vasti_r"}
    message = "no muscle 'rect_fem_r': 1 of the 3 .*; no one muscle of the rajagopal family is rect_fem_r; it reads all"
    with pytest.raises(Nem2eError, match=message):
        random_refiner("all_entire").refine(renamed(lumped), cycles=SPANS, names="rajagopal")
    message = "family .tib_ant_r = tibant_r., but no one muscle there is rect_fem_r; it reads all of them"
    with pytest.raises(Nem2eError, match=message):
        random_refiner("all_entire").refine(renamed(lumped), cycles=SPANS)
    only = {"soleus_r": "vasti_r", "tib_ant_r": "tibant_r"}
    with pytest.raises(Nem2eError, match="refine those it has with --names rajagopal and --muscles tib"):
        random_refiner().refine(renamed(only), cycles=SPANS)
    assert random_refiner().only(["tib"]).refine(renamed(only), cycles=SPANS, names="rajagopal").labels == ["tibant_r"]


def test_a_muscle_that_is_there_twice_is_refused():
    twice = {"rect_fem_r": "tibant140_r", "tib_ant_r": "tibant_r"}
    with pytest.raises(Nem2eError, match=r"muscle 'tib_ant_r' has more than one column .tibant_r, tibant140_r."):
        random_refiner().refine(renamed(twice), cycles=SPANS, names="rajagopal")


def test_the_other_leg_is_never_meant():
    left = {"soleus_r": "soleus_r", "tib_ant_r": "tibant_l"}
    with pytest.raises(Nem2eError, match="refine those it has with --names rajagopal and --muscles sol"):
        random_refiner().refine(renamed(left), cycles=SPANS, names="rajagopal")


def test_a_family_that_does_not_exist():
    with pytest.raises(Nem2eError, match="names is 'rajagopol', but a family of models is expected; did you mean"):
        random_refiner().refine(recording(), cycles=SPANS, names="rajagopol")


def test_columns_that_a_refiner_names_are_read_whatever_they_are():
    own = random_refiner()
    arm = {"soleus_r": "arm_flex_r", "tib_ant_r": "tib_ant_r", "rect_fem_r": "my_muscle_r"}
    inputs = tuple(dataclasses.replace(each, muscle=arm[each.muscle]) for each in own.manifest.inputs)
    outputs = tuple(dataclasses.replace(each, muscle=arm[each.muscle]) for each in own.manifest.outputs)
    refiner = dataclasses.replace(own, manifest=dataclasses.replace(own.manifest, inputs=inputs, outputs=outputs))
    for shape in ("{}", "/forceset/{}/activation"):
        assert refiner.refine(renamed(arm, shape), cycles=SPANS).labels[0] == shape.format("arm_flex_r")
