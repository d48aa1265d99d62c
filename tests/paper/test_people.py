"""What real people say: sentences against tables whose answers are known, both ways."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nem2e_lib.error import Nem2eError
from nem2e_lib.paper import people
from tests.support.small import make_cycles

METHODS = ("one_quarter", "one_entire", "all_entire", "mean_curve", "identity", "delayed_kernel_ridge", "pls")


def results(er: dict[str, float], p_holm: float = 0.5, half: float = 0.03, unit: str = "subject") -> people.Results:
    """Make tables of one study in which each method has a known Er, and every pair the same p and interval's width."""
    cycles = make_cycles((2, 1, 1)).assign_attrs(synthetic=0, licence="MIT", citation="Doe (2017)", skipped=1)
    board = pd.DataFrame(
        {
            "study": "kids",
            "method": list(METHODS),
            "er_mean": [er.get(name, -0.4) for name in METHODS],
            "n_units": 3,
            "unit": unit,
        }
    ).assign(ci_low=lambda t: t["er_mean"] - 0.05, ci_high=lambda t: t["er_mean"] + 0.05)
    board["rank"] = board["er_mean"].rank(method="min").astype(int)
    rows = []
    for i, a in enumerate(METHODS):
        for b in METHODS[i + 1 :]:
            d = er.get(a, -0.4) - er.get(b, -0.4)
            rows.append({"study": "kids", "a": a, "b": b, "difference": d, "ci_low": d - half, "ci_high": d + half})
    duels = pd.DataFrame(rows).assign(p_holm=p_holm, n=3, winner="")
    return people.Results({"kids": cycles}, {"kids": unit}, board, duels)


KNOWN = {
    "mean_curve": -0.4,
    "one_entire": -0.38,
    "one_quarter": -0.3,
    "all_entire": -0.45,
    "identity": 0.0,
    "pls": -0.5,
}


def test_a_duel_reads_the_same_whichever_way_round_it_stands() -> None:
    made = results(KNOWN)
    one, other = made.duel("kids", "one_entire", "mean_curve"), made.duel("kids", "mean_curve", "one_entire")
    assert one.difference == pytest.approx(0.02)
    assert (one.low, one.high) == pytest.approx((-0.01, 0.05))
    assert (other.low, other.high) == pytest.approx((-0.05, 0.01))
    assert one.said == "+0.02 (95 % CI −0.01 to +0.05, p = 0.500 after Holm)"
    with pytest.raises(Nem2eError, match="has 0 rows of one_entire and ridge_all"):
        made.duel("kids", "one_entire", "ridge_all")


def test_what_is_not_sure_after_correction_is_not_claimed() -> None:
    told = " ".join(people.networks(results(KNOWN), "kids"))
    assert "mean EMG curve of other people gives Er −0.40 [−0.45, −0.35], n = 3 held-out subjects" in told
    assert "One-Quarter, One-Entire and All-Entire are not shown to differ from the mean curve of other people" in told
    assert "As the only comparison, All-Entire would be better and One-Quarter would be worse." in told
    assert " beats " not in told
    assert "Kernel ridge, learned delay, this project's own method: rank 3 of 7, Er −0.40" in told
    assert "The lowest Er has partial least squares: −0.50 [−0.55, −0.45]; not shown to be better" in told


def test_a_sure_outcome_is_told_for_and_against() -> None:
    told = " ".join(people.networks(results(KNOWN, p_holm=0.0001), "kids"))
    assert "All-Entire beats the mean curve of other people." in told
    assert "One-Quarter and One-Entire are worse than the mean curve of other people." in told
    assert "surely better than the mean curve: −0.10" in told
    assert "p < .001 after Holm" in told


def test_a_test_that_cannot_be_made_decides_nothing() -> None:
    made = results(KNOWN, p_holm=np.nan)
    told = " ".join(people.networks(made, "kids"))
    assert (
        "Whether One-Quarter, One-Entire and All-Entire can beat the mean curve of other people cannot be told" in told
    )
    assert "no test can be made" in told
    assert len(people.meaning(made, "kids")) == 2


def test_the_meaning_follows_the_verdicts() -> None:
    unsure = " ".join(people.meaning(results(KNOWN), "kids"))
    assert "that is not sure of any" in unsure
    assert "is not shown to be worse" in unsure
    assert "intervals reach 0.03 to either side, so 3 subjects cannot show" in unsure
    sure = " ".join(people.meaning(results(KNOWN, p_holm=0.001), "kids"))
    assert "One-Quarter, One-Entire and All-Entire are nearer to EMG." in sure
    assert "All-Entire does more than replay the mean curve." in sure


def test_one_person_is_never_called_other_people() -> None:
    made = results(KNOWN, unit="speed")
    for told in (people.networks(made, "kids"), people.meaning(made, "kids"), people.headline(made)):
        assert "other people" not in " ".join(told).replace("These are other people", "")
    assert "the same person's other speeds" in people.networks(made, "kids")[0]


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
    table = people.methods(results(KNOWN, p_holm=0.01))
    assert table.shown.iloc[0]["", "method"] == "partial least squares"
    assert table.shown.iloc[0]["kids (n = 3)", "against the mean curve"] == "−0.100 [−0.13, −0.07] *"
    row = table.data.set_index("method").loc["one_quarter"]
    assert row["difference"] == pytest.approx(0.1)
    assert (
        table.shown.set_index(("", "method")).loc["training-mean curve"]["kids (n = 3)", "against the mean curve"]
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
    told = people.against_laboratory(people.Results(made.cycles, made.units, made.board, made.duels, {"kids": rows}))
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
