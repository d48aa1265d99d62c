from __future__ import annotations

import numpy as np
import pytest

from nem2e_lib.data.check import check_study, study_notes
from nem2e_lib.data.checks import CHECKS
from nem2e_lib.data.cycles.segment import segment
from nem2e_lib.data.study.load import load_study
from tests.support import lab
from tools.checks_page import PAGE, page


def test_the_page_of_checks_is_what_the_code_checks():
    assert PAGE.read_text(encoding="utf-8") == page(), "python tools/checks_page.py writes it anew"


def test_names_of_checks_are_theirs():
    assert all(name == check.name for name, check in CHECKS.items())


def test_a_sound_recording_has_its_six_cycles_and_no_note(tmp_path):
    folder = lab.study(tmp_path / "lab")
    assert check_study(folder) == []
    assert study_notes(folder) == []
    dataset, report = segment(load_study(folder))
    assert report["kept"].sum() == len(report) == 6
    np.testing.assert_allclose(dataset["start_s"], lab.strikes()[:6], atol=0.002)


def test_a_check_can_be_ignored_and_that_is_said(tmp_path):
    flat = lab.emg()
    flat.values[:, 2] = 0.2 + 1e-6 * flat.values[:, 2]
    folder = lab.study(tmp_path / "lab", measured=flat)
    (note,) = study_notes(folder)
    assert "'R_BF'" in note
    assert note.endswith("[dead]")
    lab.study(folder, measured=flat, more='[checks]\ndead = "ignore"\n')
    (told,) = study_notes(folder)
    assert "[checks] has notes ignored: dead (1)" in told


@pytest.mark.parametrize(
    ("line", "told"),
    [('daed = "ignore"', "is no check; did you mean 'dead'?"), ("dead = true", "but 'ignore' is expected")],
)
def test_what_cannot_be_ignored_is_told(tmp_path, line, told):
    folder = lab.study(tmp_path / "lab", more=f"[checks]\n{line}\n")
    (problem,) = check_study(folder)
    assert told in problem
