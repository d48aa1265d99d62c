"""Figures of a laboratory's recording: readable, and what they draw and say is what they were given."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from nem2e_lib.figures import laboratory
from nem2e_lib.figures.style import Drawn, svg
from tests.support import look

TIME = np.linspace(0.5, 2.5, 201)
FEET = [(foot, part) for foot in ("right", "left") for part in ("heel", "toe")]


def heights() -> pd.DataFrame:
    parts = [
        pd.DataFrame({"foot": foot, "part": part, "time_s": TIME, "height_m": 0.1 + 0.1 * np.sin(4 * TIME + number)})
        for number, (foot, part) in enumerate(FEET)
    ]
    return pd.concat(parts, ignore_index=True)


def over_time(gaps: int = 3, events: bool = True) -> Drawn:
    lost = pd.DataFrame(
        [(f"MARKER{n}", 0.6, 0.7 + 0.01 * n) for n in range(gaps)], columns=["marker", "start_s", "end_s"]
    )
    marked = [("Foot Strike", "right", 1.0), ("Foot Off", "left", 1.2), ("Remark", "", 1.4)] if events else []
    return laboratory.markers_over_time(
        heights(), lost, pd.DataFrame(marked, columns=["label", "foot", "time_s"]), markers=40
    )


def contacts(doubts: str = "") -> pd.DataFrame:
    rows = [(2, "right", 0.8, 1.3, ""), (1, "left", 1.2, 1.8, doubts)]
    return pd.DataFrame(rows, columns=["plate", "foot", "start_s", "off_s", "doubts"])


def from_above(doubts: str = "") -> Drawn:
    corners = [
        (plate, x, z) for plate, start in ((1, 0.0), (2, -0.6)) for x in (start, start + 0.5) for z in (0.0, 0.5)
    ]
    order = [0, 1, 3, 2, 4, 5, 7, 6]
    plates = pd.DataFrame([corners[place] for place in order], columns=["plate", "x_m", "z_m"])
    ways = pd.concat(
        [
            pd.DataFrame({"foot": foot, "part": part, "time_s": TIME, "x_m": 3 * TIME - 5, "z_m": 0.1 + 0.1 * number})
            for number, (foot, part) in enumerate(FEET)
        ]
    )
    pressure = pd.DataFrame(
        {"contact": np.repeat([0, 1], 5), "time_s": 1.0, "x_m": np.linspace(-0.4, 0.3, 10), "z_m": 0.2}
    )
    return laboratory.plates_and_feet(plates, ways, pressure, contacts(doubts))


def on_model() -> Drawn:
    names = [f"{side}{part}" for side in "RL" for part in ("ASI", "KNE", "ANK", "TOE", "SHO")]
    heights_m = dict(zip(("ASI", "KNE", "ANK", "TOE", "SHO"), (0.8, 0.4, 0.1, 0.05, 1.2), strict=True))
    rows = []
    for number, name in enumerate(names):
        across = 0.2 if name[0] == "R" else -0.2
        place = np.array([0.0, heights_m[name[1:]], across])
        off = 0.001 * (number + 1)
        moved = place + np.array([off, 0.0, 0.0])
        rows += [(name, "measured", *place, off), (name, "model", *moved, off)]
    markers = pd.DataFrame(rows, columns=["marker", "source", "x_m", "y_m", "z_m", "error_m"])
    lines = pd.DataFrame(
        [
            {"body": f"tibia_{s}", "x0": 0.0, "y0": 0.4, "z0": z, "x1": 0.0, "y1": 0.1, "z1": z}
            for s, z in (("r", 0.2), ("l", -0.2))
        ]
    )
    return laboratory.markers_on_model(markers, lines)


def residuals() -> Drawn:
    parts = [
        pd.DataFrame({"marker": f"M{n}", "time_s": TIME, "error_m": 0.001 * (n + 1) * (1 + np.isclose(TIME, TIME[50]))})
        for n in range(15)
    ]
    return laboratory.marker_residuals(pd.concat(parts, ignore_index=True))


def beside(feet: tuple[str, ...] = ("right",)) -> Drawn:
    joints = ("hip", "knee", "ankle")
    parts = [
        pd.DataFrame({"joint": joint, "source": source, "time_s": TIME, "value": np.sin(TIME) + shift}).assign(
            foot=foot
        )
        for foot in feet
        for joint in joints
        for source, shift in (("OpenSim", 0.0), ("laboratory", 0.2))
    ]
    agreement = pd.DataFrame([{"foot": foot, "joint": joint, "r": 0.987} for foot in feet for joint in joints])
    curves = pd.concat(parts, ignore_index=True).assign(start_s=1.0)
    return laboratory.beside_laboratory(curves, agreement, "Joint angles", "degrees")


def activity(cycles: int = 2, series: tuple[str, ...] = ("simulated", "measured"), synthetic: bool = False) -> Drawn:
    phase = np.linspace(0, 100, 20)
    parts = [
        pd.DataFrame({"muscle": m, "cycle": f"walk {c}", "phase": phase, "series": s, "value": 0.2 * (1 + k)})
        for m in ("rect_fem_r", "tib_ant_r", "soleus_r", "med_gas_r")
        for c in range(cycles)
        for k, s in enumerate(series)
    ]
    return laboratory.activity_by_cycle(pd.concat(parts, ignore_index=True), synthetic=synthetic)


DRAWN: dict[str, Callable[[], Drawn]] = {
    "over time": over_time,
    "over time, whole": lambda: over_time(0, events=False),
    "over time, many gaps": lambda: over_time(40),
    "from above": from_above,
    "on the model": on_model,
    "residuals": residuals,
    "beside": beside,
    "beside, both legs": lambda: beside(("right", "left")),
    "activity": activity,
    "activity, one cycle": lambda: activity(1),
    "activity, refined": lambda: activity(3, ("simulated", "measured", "mean curve", "refined")),
}


@pytest.mark.parametrize("name", DRAWN)
def test_figure_is_readable_described_and_the_same_twice(name):
    drawn = DRAWN[name]()
    assert look.clipped(drawn.figure) == []
    assert look.overlaps(drawn.figure) == []
    assert look.small_type(drawn.figure) == []
    assert len(drawn.data) > 0
    assert len(drawn.alt) > 40
    assert not drawn.synthetic
    first, second = DRAWN[name](), DRAWN[name]()
    assert svg(first.figure, first.title, first.alt) == svg(second.figure, second.title, second.alt)


def test_gaps_and_events_are_told_and_drawn_the_longest_first():
    drawn = over_time()
    assert "3 events of the file" in drawn.caption
    assert "37 of 40 markers have none" in drawn.caption
    assert [text.get_text() for text in drawn.figure.axes[1].get_yticklabels()] == ["MARKER2", "MARKER1", "MARKER0"]
    whole = over_time(0, events=False)
    assert "the file has no events" in whole.caption
    assert "40 of 40 markers have none" in whole.caption
    many = over_time(40)
    assert "the 24 with the longest are drawn" in many.caption
    assert len(many.figure.axes[1].get_yticks()) == laboratory.MOST_MARKERS


def test_a_contact_that_is_left_out_is_grey_and_tells_why():
    drawn = from_above("the foot reaches 19 mm over the plate's edge")
    assert "1: the right foot on plate 2, 0.80 to 1.30 s." in drawn.caption
    assert "2: the left foot on plate 1, 1.20 to 1.80 s – left out, the foot reaches 19 mm" in drawn.caption
    thick = [line.get_color() for line in drawn.figure.axes[0].lines if line.get_linewidth() > 2]
    assert thick == [laboratory.FORCE, "#888888"]
    low, high = drawn.figure.axes[0].get_ylim()
    assert low > high  # the right is down, as seen from above by one who walks to the right of the page
    assert drawn.figure.axes[0].get_xlim()[0] >= -1.65  # a metre before the plates


def test_distances_on_the_model_are_those_given():
    drawn = on_model()
    side, front, far = drawn.figure.axes
    np.testing.assert_allclose(far.lines[0].get_xdata(), np.arange(1, 11))
    assert far.get_yticklabels()[-1].get_text() == "LSHO"
    rms = np.sqrt(np.mean(np.arange(1, 11) ** 2.0))
    assert f"10 markers: {rms:.0f} mm root mean square, worst LSHO (10 mm)" in drawn.caption
    assert front.get_xlim()[0] > front.get_xlim()[1]  # who faces us has the right hand on our left
    assert side.get_ylim() == front.get_ylim()


def test_the_worst_marker_is_named_with_its_time():
    drawn = residuals()
    assert f"Worst: M14, 30 mm at {TIME[50]:.2f} s" in drawn.caption
    assert "15 markers, of which the 12" in drawn.caption
    over, by = drawn.figure.axes
    np.testing.assert_allclose(over.lines[0].get_ydata().max(), 30.0)
    np.testing.assert_allclose(by.lines[0].get_xdata(), np.arange(4, 16))


def test_angles_are_drawn_with_their_correlation():
    drawn = beside(("right", "left"))
    titles = [axis.get_title(loc="left") for axis in drawn.figure.axes]
    assert titles[0] == "right hip, r = 0.987"
    assert len(titles) == 6
    assert "left ankle 0.987" in drawn.caption


def test_cycles_beyond_the_room_are_told_and_series_that_lack_too():
    drawn = activity(6, ("simulated",))
    assert len(drawn.figure.axes) == 4 * laboratory.MOST_CYCLES
    assert "6 gait cycles of one person; the first 4 are drawn" in drawn.caption
    assert "No EMG was measured" in drawn.caption
    assert set(drawn.data["cycle"]) == {f"walk {n}" for n in range(6)}
    assert activity(1, ("simulated", "refined"), synthetic=True).title.startswith("SYNTHETIC refiner – ")
