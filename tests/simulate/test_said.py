"""What OpenSim 4.6 was seen to write when it gave up, and the sentence made of it."""

from __future__ import annotations

import pytest

from nem2e_lib.simulate.said import errors, explained, since, size

WEAK = """[info] CMC::computeControls, t = 0.06
[error] SimTK Exception thrown at InteriorPointOptimizer.cpp:265:
  Optimizer failed: Ipopt: Infeasible problem detected (status 2)
[error] OPTIMIZATION FAILED...
[error] CMC::computeControls: Optimizer could not find a solution.
Unable to find a feasible solution at time = 0.06.
Model cannot generate the forces necessary to achieve the target acceleration.
"""
TASK = """[info] Running tool 'cmc'.
Exception:
  CMC_Joint.updateWorkVariables: ERROR- joint task 'shoulder_flexion'
  references invalid coordinate 'shoulder_flexion'
  file= /opensim-core/OpenSim/Tools/CMC_Joint.cpp
  line= 147
"""
NAMELESS = "[error] InverseKinematicsTool Failed: ArrayPtrs.get(aName): No object with name nope\n"
MUSCLE = """Model::equilibrateMuscles() Unable to compute equilibrium for this muscle.
Please verify that the initial activation is valid.
\tIn Object 'psoas_r' of type Thelen2003Muscle.
\tThrown at Thelen2003Muscle.cpp:374 in computeInitialFiberEquilibrium().
"""
THROWN = "CoordinateActuator: Invalid coordinate (shoulder_flexion) specified in Actuator shoulder_reserve"
NUMBER = """std::exception in 'OpenSim::CMCTool::CMCTool()': SimTK Exception thrown at String.h:488:
  Error detected by Simbody method String::convertTo(): Couldn't interpret string 'abc' as type T=double.
  (Required condition 'convertOK' was not met.)
"""
PLUGIN = "Object::newInstanceOfType(): object type '{Foo2020Muscle}' is not a registered Object! It will be ignored."
OTHER = "std::exception in 'bool OpenSim::AnalyzeTool::run()': Something new.\n\tThrown at X.cpp:9 in run().\n"


@pytest.mark.parametrize(
    ("thrown", "log", "told"),
    [
        ("", WEAK, "no muscle forces give the accelerations of the motion at 0.06 s; give more reserve"),
        ("", TASK, "task 'shoulder_flexion' follows the coordinate 'shoulder_flexion', which the model does not have"),
        ("", NAMELESS, "the set-up names 'nope', which the model does not have"),
        (THROWN, "", "actuator 'shoulder_reserve' acts on the coordinate 'shoulder_flexion', which the model"),
        (NUMBER, "", "OpenSim says: Couldn't interpret string 'abc' as type T=double"),
        (PLUGIN, "", "it has objects of type Foo2020Muscle, which this OpenSim does not know"),
        (MUSCLE, "", "fibre and tendon of muscle 'psoas_r' have no equilibrium; correct its optimal_fiber_length"),
        (OTHER, "", "OpenSim says: Something new"),
        ("", "[info] fine\n[error] It broke.\n  Badly.\n[info] bye\n", "OpenSim says: It broke. Badly"),
        ("", "[info] fine\n", "the tool gave up without a word"),
    ],
)
def test_one_sentence_is_made_of_what_opensim_says(thrown, log, told):
    sentence = explained(thrown, log)
    assert sentence.startswith(told)
    assert "\n" not in sentence
    assert not sentence.endswith(".")


def test_errors_are_told_once_each():
    assert errors("[error] a\n[info] b\n[error] a\n[error] c\n") == ["a", "c"]


def test_only_what_was_written_since_is_read(tmp_path):
    log = tmp_path / "log.txt"
    assert (size(log), since(log, 0)) == (0, "")
    log.write_text("before\n")
    place = size(log)
    log.write_text("before\nafter\n")
    assert since(log, place) == "after\n"
