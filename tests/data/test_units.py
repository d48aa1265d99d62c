from __future__ import annotations

import pytest

from nem2e_lib.data.units import metres, newton_metres, newtons, volts


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("mm", 1e-3),
        ("MM", 1e-3),
        ("Millimeters", 1e-3),
        ("cm", 1e-2),
        ("m", 1.0),
        ("meters", 1.0),
        ("Metre", 1.0),
        ("mete", 1.0),
        ("in", 0.0254),
        ("inches", 0.0254),
        ("", None),
        ("furlong", None),
        ("m/s", None),
        ("N", None),
    ],
)
def test_a_length_has_many_names(unit, factor):
    assert metres(unit) == factor


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("N", 1.0), ("nt", 1.0), ("Newtons", 1.0), ("kN", 1e3), ("lbf", 4.4482216152605), ("V", None), ("ADC", None)],
)
def test_a_force_has_many_names(unit, factor):
    assert newtons(unit) == factor


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("Nm", 1.0),
        ("N-M", 1.0),
        ("N.m", 1.0),
        ("N·m", 1.0),
        ("Newton*Meters", 1.0),
        ("Nmm", 1e-3),
        ("ntmm", 1e-3),
        ("N mm", 1e-3),
        ("Ncm", 1e-2),
        ("kNm", 1e3),
        ("kNmm", 1.0),
        ("N/m", None),
        ("N", None),
        ("mm", None),
        ("", None),
    ],
)
def test_a_moment_has_many_names(unit, factor):
    assert newton_metres(unit) == pytest.approx(factor)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("V", 1.0),
        ("Volts", 1.0),
        ("mV", 1e-3),
        ("MV", 1e-3),
        ("uV", 1e-6),
        ("\u00b5V", 1e-6),
        ("\u03bcV", 1e-6),
        ("Microvolts", 1e-6),
        ("%", None),
        ("", None),
        ("N", None),
    ],
)
def test_a_voltage_has_many_names(unit, factor):
    assert volts(unit) == factor
