"""The names in an OpenSim model, of any version and with OpenSim's own breaches of XML."""

from __future__ import annotations

import pytest

from nem2e_lib.data.model import read_model
from nem2e_lib.error import Nem2eError
from tests.support.lab import model


def test_muscles_and_others(tmp_path):
    found = read_model(
        model(tmp_path / "m.osim", ["b_r", "a_r"], {"PCL_r": "Blankevoort1991Ligament", "exo": "PathActuator"})
    )
    assert found.muscles == ("b_r", "a_r")
    assert found.others == {
        "hip_flexion_r": "coordinate",
        "elbow_flex_r": "coordinate",
        "PCL_r": "Blankevoort1991Ligament",
        "exo": "PathActuator",
        "heel_r": "HuntCrossleyForce",
    }


def test_old_versions_and_components(tmp_path):
    path = tmp_path / "old.osim"
    path.write_text(
        '<Model name="x"><ActuatorSet><objects><Schutte1993Muscle_Deprecated name="a"/></objects></ActuatorSet>'
        '<components><DeGrooteFregly2016Muscle name="b"/>'
        '<Bhargava2004SmoothedMuscleMetabolics name="c"/></components></Model>'
    )
    assert read_model(path).muscles == ("a", "b")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<Model><ForceSet>", "no well-formed XML"),
        ("time\ta\n0\t1\n", "no well-formed XML"),
        ('<M><ForceSet><objects><PathSpring name="s"/></objects></ForceSet></M>', r"no muscles \(found PathSpring\)"),
        ("<OpenSimDocument/>", r"no muscles \(found OpenSimDocument\)"),
    ],
)
def test_no_model(tmp_path, text, message):
    path = tmp_path / "m.osim"
    path.write_text(text)
    with pytest.raises(Nem2eError, match=message):
        read_model(path)


def test_no_file(tmp_path):
    with pytest.raises(Nem2eError, match="no such file"):
        read_model(tmp_path / "m.osim")
