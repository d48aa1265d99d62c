from __future__ import annotations

import numpy as np
import pytest
from typer.testing import CliRunner

from nem2e_lib.cli.main import app
from nem2e_lib.data.storage.storage import Storage, read_storage, write_storage
from nem2e_lib.error import Nem2eError
from nem2e_lib.simulate.compare import compare, waveforms


def nem2e(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def files(tmp_path):
    time = np.linspace(0, 1, 101)
    wave = np.sin(np.pi * time)
    write_storage(tmp_path / "a.sto", Storage("a", ("soleus_r", "psoas_r"), time, np.column_stack([wave, wave])))
    labels = ("/forceset/soleus_r/activation", "/forceset/psoas_r/activation")
    write_storage(tmp_path / "b.sto", Storage("b", labels, time, np.column_stack([wave + 0.1, 0 * wave])))
    return tmp_path / "a.sto", tmp_path / "b.sto"


def test_waveforms_run_from_start_to_end(files):
    wave = waveforms(read_storage(files[0]), 0.0, 0.5, points=3)["soleus_r"]
    np.testing.assert_allclose(wave, np.sin(np.pi * np.array([0, 0.25, 0.5])), atol=1e-3)


def test_a_window_that_is_not_covered_is_refused(files):
    with pytest.raises(Nem2eError, match=r"covers 0 to 1 s, but 0\.5 to 1\.5 s"):
        waveforms(read_storage(files[0]), 0.5, 1.5)


def test_error_and_correlation_against_values_worked_out_by_hand():
    first = {"soleus_r": np.array([0.0, 1.0, 0.0]), "psoas_r": np.array([0.1, 0.2, 0.3])}
    second = {"soleus_r": np.array([1.0, 0.0, 1.0]), "psoas_r": np.zeros(3)}
    table = compare(first, second).set_index("muscle")
    assert table.loc["soleus_r", "rmse"] == pytest.approx(1)
    assert table.loc["soleus_r", "correlation"] == pytest.approx(-1)
    assert table.loc["psoas_r", "rmse"] == pytest.approx(np.sqrt(0.14 / 3))
    assert np.isnan(table.loc["psoas_r", "correlation"])
    with pytest.raises(Nem2eError, match="Nothing to compare"):
        compare(first, {"soleus": np.zeros(3)})


def test_files_are_compared_under_the_muscles_names(files, tmp_path):
    told = nem2e("simulate", "compare", *files, "--start", 0.1, "--end", 0.9, "--out", tmp_path / "c.csv")
    assert told.exit_code == 0, told.output
    assert "2 muscles" in told.stdout
    assert (tmp_path / "c.csv").read_text().startswith("muscle,rmse,correlation")


def test_activation_is_extracted_on_the_command_line(files, tmp_path):
    told = nem2e("simulate", "activation", files[1], "--out", tmp_path / "activation.sto")
    assert "2 muscles, 0 to 1 s" in told.stdout
    assert read_storage(tmp_path / "activation.sto").labels == ("soleus_r", "psoas_r")
    refused = nem2e("simulate", "activation", files[0], "--out", tmp_path / "x.sto")
    assert refused.exit_code == 2
    assert "no column /forceset/<muscle>/activation" in refused.stderr


def test_repair_leaves_a_whole_file_alone(files):
    before = files[0].read_bytes()
    assert "nothing to repair" in nem2e("simulate", "repair", files[0]).stdout
    assert files[0].read_bytes() == before


def test_quality_is_shown_and_a_poor_simulation_exits_with_1(simulated):
    told = nem2e("simulate", "quality", simulated)
    assert told.exit_code == 0, told.output
    assert "walk: acceptable" in told.stdout
    assert '"walk": "acceptable"' in nem2e("simulate", "quality", simulated, "--json").stdout
    errors = read_storage(simulated / "rra/results/rra_pErr.sto")
    write_storage(simulated / "rra/results/rra_pErr.sto", Storage("e", errors.labels, errors.time, errors.values * 10))
    assert nem2e("simulate", "quality", simulated).exit_code == 1


def test_mistakes_on_the_command_line_are_told_in_one_sentence(tmp_path):
    for arguments, told in {
        ("so", "--out", tmp_path): "give --motion",
        ("so", "--out", tmp_path, "--motion", "x.mot", "--reserve", "hip=strong"): "'strong', but a number",
        ("so", "--out", tmp_path, "--motion", "x.mot", "--setup", "mine.xml"): "NAME=VALUE is expected",
        ("quality", tmp_path): "no finished simulation",
    }.items():
        refused = nem2e("simulate", *arguments)
        assert refused.exit_code == 2
        assert told in refused.stderr
        assert refused.stderr.count("\n") == 1
