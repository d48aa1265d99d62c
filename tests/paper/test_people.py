"""What real people say: sentences against tables whose answers are known, both ways."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from nem2e_lib.analysis import contrasts, leaderboard
from nem2e_lib.analysis.contrasts import judged, of_family
from nem2e_lib.error import Nem2eError
from nem2e_lib.paper import people
from nem2e_lib.training.units import unit_name
from tests.support.small import make_cycles

METHODS = ("one_quarter", "one_entire", "all_entire", "mean_curve", "identity", "delayed_kernel_ridge", "pls")


def results(er: dict[str, float], spread: float = 0.1, unit: str = "subject", units: int = 8) -> people.Results:
    """Make the tables of one study from Er of every unit, as 08_rivals does: each method's known mean, and noise."""
    cycles = make_cycles((2, 1, 1)).assign_attrs(synthetic=0, licence="MIT", citation="Doe (2017)", skipped=1)
    rng = np.random.default_rng(2)
    rows = []
    for name in METHODS:
        noise = np.zeros(units) if name == "identity" else rng.normal(0, spread, units)
        rows += [
            {
                "study": "kids",
                "method": name,
                "unit": unit,
                "label": f"u{i}",
                "er": er.get(name, -0.4) + d - noise.mean(),
            }
            for i, d in enumerate(noise)
        ]
    table = pd.DataFrame(rows)
    errors = table.rename(columns={"method": "condition"}).assign(muscle="tib", electrode="tib", synthetic=False)
    costs = pd.DataFrame({"study": "kids", "method": METHODS, "parameters": 1, "seconds": 1.0})
    board, duels = leaderboard.standings(errors, costs), leaderboard.duels(errors)
    return people.Results({"kids": cycles}, {"kids": unit}, board, duels, judged(table, of_family(contrasts.METHODS)))


KNOWN = {
    "mean_curve": -0.4,
    "one_entire": -0.38,
    "one_quarter": -0.3,
    "all_entire": -0.45,
    "identity": 0.0,
    "pls": -0.5,
}
SURE = 0.001


def test_a_contrast_that_is_not_planned_has_no_answer() -> None:
    made = results(KNOWN)
    one = made.contrast("kids", "one_entire", "mean_curve")
    assert one.difference == pytest.approx(0.02)
    assert one.numbers.startswith("+0.02, 95 % CI ")
    with pytest.raises(Nem2eError, match="has 0 rows of pls and mean_curve"):
        made.contrast("kids", "pls", "mean_curve")


def test_what_is_not_shown_is_not_claimed() -> None:
    told = " ".join(people.networks(results(KNOWN), "kids"))
    assert "mean EMG curve of other people gives Er −0.40 [" in told
    assert "n = 8 held-out subjects" in told
    assert "One-Quarter, One-Entire and All-Entire are not shown to differ from the mean curve of other people" in told
    assert " shown to be better than" not in told
    assert "Kernel ridge, learned delay, this project's own method: rank 3 of 7, Er −0.40" in told
    assert "Better than the mean curve: not shown." in told
    assert "The lowest Er has partial least squares: −0.50 [" in told
    assert "picked out of 7 after the fact: no test of it would be fair." in told


def test_what_would_be_shown_alone_is_told_apart() -> None:
    told = " ".join(people.networks(results({**KNOWN, "one_quarter": -0.2, "all_entire": -0.6}, 0.07), "kids"))
    assert "As the only comparison, All-Entire would be better and One-Quarter would be worse." in told
    assert "are not shown to differ" in told


def test_a_shown_outcome_is_told_for_and_against() -> None:
    told = " ".join(people.networks(results(KNOWN, SURE), "kids"))
    assert "All-Entire is shown to be better than the mean curve of other people." in told
    assert "One-Quarter and One-Entire are shown to be worse than the mean curve of other people." in told
    assert "p < 0.001 after Holm" in told.replace("\N{NO-BREAK SPACE}", " ")


def test_a_test_that_cannot_be_made_decides_nothing() -> None:
    made = results(KNOWN, units=1)
    told = " ".join(people.networks(made, "kids"))
    assert (
        "Whether One-Quarter, One-Entire and All-Entire can beat the mean curve of other people cannot be told" in told
    )
    assert "no test can be made" in told
    assert len(people.meaning(made, "kids")) == 2


def test_the_meaning_follows_the_answers() -> None:
    unsure = " ".join(people.meaning(results({name: er / 10 for name, er in KNOWN.items()}), "kids"))
    assert "that any is nearer to EMG is not shown." in unsure
    assert "is not shown to be worse" in unsure
    assert "to either side, so 8 subjects cannot show" in unsure
    sure = " ".join(people.meaning(results(KNOWN, SURE), "kids"))
    assert "One-Quarter, One-Entire and All-Entire are shown to be nearer to EMG." in sure
    assert "All-Entire does more than replay the mean curve." in sure


@pytest.mark.parametrize("unit", ["speed", "block"])
def test_one_person_is_never_called_other_people_and_few_units_show_nothing(unit: str) -> None:
    made = results(KNOWN, SURE, unit=unit, units=4)
    for told in (people.networks(made, "kids"), people.meaning(made, "kids"), people.headline(made)):
        said = " ".join(told).replace("These are other people", "")
        assert not re.search(r"other people|subject|p [<=]|\*|(?<!not )shown to be (better|worse|nearer)", said), said
    words = unit_name(unit, 2)
    assert f"the same person's other {words}" in people.networks(made, "kids")[0]
    assert f"From 4 {words} nothing can be shown either way; it takes 6." in people.networks(made, "kids")[2]


def test_who_is_counted_from_the_cycles() -> None:
    made = results(KNOWN)
    told = people.who(made)[0]
    assert "3 people, 2 speeds, 4 gait cycles, 2 muscles (soleus, tib); one subject left out at a time" in told
    assert "1 to 2 gait cycles a person. 1 further cycle skipped." in told
    assert "Licence: MIT. Cite: Doe (2017)" in told
    made.cycles["kids"]["emg"][3, :, 1] = np.nan
    assert "tib in 2" in people.who(made)[0]
    assert "not everybody has every muscle: tib in 2 of 3" in " ".join(people.caveats(made))


def test_the_table_of_methods_says_what_the_sentences_say() -> None:
    table = people.methods(results(KNOWN, SURE))
    shown = table.shown.set_index(("", "method"))["kids (n = 8)", "against the mean curve"]
    assert table.shown.iloc[0]["", "method"] == "partial least squares"
    assert shown["partial least squares"].startswith("−0.100 [−0.1")  # not planned: no answer
    assert shown["partial least squares"].endswith("]")
    assert shown["One-Quarter"].endswith("; shown otherwise")
    assert shown["All-Entire"].endswith("; shown")
    row = table.data.set_index("method").loc["one_quarter"]
    assert row["difference"] == pytest.approx(0.1)
    assert (
        table.shown.set_index(("", "method")).loc["training-mean curve"]["kids (n = 8)", "against the mean curve"]
        == "–"
    )


def test_the_headline_says_that_no_published_table_is_reproduced_and_gives_every_network() -> None:
    told = people.headline(results(KNOWN))
    assert "No published table is reproduced" in told[0]
    assert (
        "One-Quarter −0.30, One-Entire −0.38, All-Entire −0.45; of the mean EMG curve of other people −0.40" in told[1]
    )


def test_agreement_with_the_laboratory_is_told_by_its_medians() -> None:
    rows = pd.DataFrame(
        [
            {"trial": trial, "quantity": quantity, "joint": joint, "unit": unit, "r": r, "rms": 0.1, "offset": -2.0}
            for quantity, unit in (("angle", "deg"), ("moment", "N·m/kg"))
            for joint in ("hip", "ankle")
            for trial, r in (("a", 0.5), ("b", 0.9 if joint == "hip" else 0.99), ("c", 0.995))
        ]
    )
    made = results(KNOWN)
    assert people.against_laboratory(made) == []
    told = people.against_laboratory(replace(made, laboratory={"kids": rows}))
    assert len(told) == 1
    assert told[0].startswith("kids: in 3 walks, net joint moments in stance")
    assert "hip 0.900, ankle 0.990; joint angles over the gait cycle by hip 0.900, ankle 0.990." in told[0]
    table = people.laboratory_table("kids", rows)
    assert table.shown["r, median"].tolist() == ["0.900", "0.990", "0.900", "0.990"]
    assert table.shown["r, lowest"].tolist() == ["0.500"] * 4
    assert table.shown["n"].tolist() == ["3"] * 4


def test_who_is_told_with_conditions() -> None:
    cycles = make_cycles((2, 1, 2)).assign_attrs(licence="MIT", citation="", simulated_by="OpenSim")
    one = cycles.assign_coords(speed=("cycle", [""] * cycles.sizes["cycle"]))
    turns = np.resize(["straight", "turn"], cycles.sizes["cycle"])
    assert (
        ", 2 conditions (straight, turn), "
        in people.studied("kids", one.assign_coords(condition=("cycle", turns)), "subject").who
    )
    assert "condition" not in people.studied("kids", one, "subject").who
