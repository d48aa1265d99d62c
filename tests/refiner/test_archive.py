"""A refiner's file: whole, checksummed, and nothing in it runs."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import pickle
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner import Refiner, archive
from nem2e_lib.refiner.manifest import from_json
from tests.support.small_refiner import blank_weights, make_manifest, random_refiner, recording, write_cycles


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Path:
    return random_refiner("all_entire").save(tmp_path_factory.mktemp("kept") / "lab.refiner")


def rewritten(path: Path, out: Path, **entries: bytes) -> Path:
    """A copy of the file with other contents of some entries; the manifest's checksum fits where it is changed."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = entries.get(name, old.read(name))
            if name == archive.CHECKSUM and archive.MANIFEST in entries:
                content = hashlib.sha256(entries[archive.MANIFEST]).hexdigest().encode()
            new.writestr(name, content)
    return out


def manifest_of(path: Path) -> dict:
    with zipfile.ZipFile(path) as file:
        return json.loads(file.read(archive.MANIFEST))


def test_what_is_saved_is_loaded_and_saving_it_again_gives_the_same_bytes(kept, tmp_path):
    loaded, made = Refiner.load(kept), random_refiner("all_entire")
    assert replace(loaded.manifest, weights=None) == make_manifest("all_entire")
    assert loaded.weights.keys() == made.weights.keys()
    for name, values in made.weights.items():
        np.testing.assert_array_equal(loaded.weights[name], values)
    assert loaded.save(tmp_path / "again.refiner").read_bytes() == kept.read_bytes()
    assert list(tmp_path.iterdir()) == [tmp_path / "again.refiner"]


def test_half_the_size_is_nearly_the_same_refiner(kept, tmp_path):
    half = Refiner.load(kept).save(tmp_path / "half.refiner", "float16")
    full, rounded = Refiner.load(kept), Refiner.load(half)
    sizes = [sum(w.nbytes for w in each.weights.values()) for each in (full, rounded)]
    assert sizes[0] == sizes[1]
    assert half.stat().st_size < kept.stat().st_size
    cycles = write_cycles(tmp_path / "c.csv", [(0, 0.1, 1.1)])
    curves = [each.refine(recording(), cycles=cycles).curves.values for each in (full, rounded)]
    np.testing.assert_allclose(*curves, atol=5e-3)
    assert np.abs(curves[0] - curves[1]).max() > 0


def test_the_manifest_is_read_by_anyone(kept):
    told = manifest_of(kept)
    assert told["training"]["method"] == "all_entire"
    assert [each["muscle"] for each in told["inputs"]] == ["soleus_r", "tib_ant_r", "rect_fem_r"]
    assert told["outputs"][0]["held_out"]["er"] == -0.5
    assert told["format_version"] == 2


@settings(max_examples=60)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_is_noticed_or_changes_nothing(kept, place, bit):
    raw = bytearray(kept.read_bytes())
    raw[int(place * len(raw))] ^= 1 << bit
    path = kept.with_name("flipped.refiner")
    path.write_bytes(raw)
    sound = Refiner.load(kept)
    with contextlib.suppress(Nem2eError):
        loaded = Refiner.load(path)
        assert loaded.manifest == sound.manifest
        assert all((loaded.weights[name] == sound.weights[name]).all() for name in sound.weights)


@settings(max_examples=30)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_cut_file_is_named(kept, share):
    path = kept.with_name("cut.refiner")
    raw = kept.read_bytes()
    path.write_bytes(raw[: int(share * len(raw))])
    with pytest.raises(Nem2eError, match=r"cut\.refiner"):
        Refiner.load(path)


def test_a_pickle_in_it_is_refused_and_not_opened(kept, tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "opened"),)

    buffer = io.BytesIO()
    np.save(buffer, np.array([Trap()], dtype=object), allow_pickle=True)
    told = manifest_of(kept)
    told["weights"]["offset"]["sha256"] = hashlib.sha256(buffer.getvalue()).hexdigest()
    content = {archive.MANIFEST: json.dumps(told).encode(), archive.entry("offset"): buffer.getvalue()}
    with pytest.raises(Nem2eError, match="damaged"):
        Refiner.load(rewritten(kept, tmp_path / "trap.refiner", **content))
    assert not (tmp_path / "opened").exists()
    pickle.loads(pickle.dumps(Trap()))
    assert (tmp_path / "opened").exists(), "the trap would have worked"


def test_an_entry_that_unpacks_to_more_than_it_says_is_not_unpacked(kept, tmp_path):
    bomb = rewritten(kept, tmp_path / "bomb.refiner", **{archive.entry("offset"): b"\0" * (1 << 22)})
    with pytest.raises(Nem2eError, match="larger than it may be"):
        Refiner.load(bomb)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda told: told.update(format_version=3), "of format 3, but this nem2e reads formats 1 to 2"),
        (lambda told: told.update(format="cake"), "not that of a refiner"),
        (lambda told: told.pop("cycle"), "has no 'cycle'"),
        (lambda told: told["cycle"].pop("definition"), "cycle has no 'definition'"),
        (lambda told: told["cycle"].update(samples="many"), "cycle.samples of its manifest is 'many'"),
        (lambda told: told["training"]["configuration"].update(heads=8), "there is no option 'heads'"),
        (lambda told: told["training"]["configuration"].update(units=5), "manifest asks for"),
        (lambda told: told["weights"].pop("offset"), "offset have shape nothing"),
        (lambda told: told.update(weights=None), "holds no weights"),
        (lambda told: told["weights"]["offset"].update(dtype="object"), "number format 'object'"),
        (lambda told: told["weights"]["offset"].update(shape=[1]), "is not what the manifest says"),
    ],
)
def test_a_manifest_that_does_not_fit_is_told_in_one_sentence(kept, tmp_path, change, message):
    told = manifest_of(kept)
    change(told)
    path = rewritten(kept, tmp_path / "odd.refiner", **{archive.MANIFEST: json.dumps(told).encode()})
    with pytest.raises(Nem2eError, match=message) as caught:
        Refiner.load(path)
    assert "\n" not in str(caught.value)


def test_a_changed_manifest_is_noticed(kept, tmp_path):
    text = json.dumps(manifest_of(kept)).encode()
    path = tmp_path / "changed.refiner"
    with zipfile.ZipFile(kept) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, text if name == archive.MANIFEST else old.read(name))
    with pytest.raises(Nem2eError, match="does not match its checksum"):
        Refiner.load(path)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "no such file"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: path.write_text("time\tsoleus_r\n"), "is no refiner"),
        (lambda path: zipfile.ZipFile(path, "w").close(), "is no refiner"),
    ],
)
def test_something_else_is_no_refiner(tmp_path, make, message):
    path = tmp_path / "else.refiner"
    make(path)
    with pytest.raises(Nem2eError, match=message):
        Refiner.load(path)


def test_not_a_number_is_no_manifest(tmp_path):
    with pytest.raises(Nem2eError, match="no JSON"):
        from_json("{", "x")
    manifest = make_manifest()
    with pytest.raises(Nem2eError, match="is unknown"):
        archive.save(tmp_path / "x", manifest, blank_weights(manifest), "int8")
    assert list(tmp_path.iterdir()) == []
