"""Known effects, planted and found again: minutes of training, so part of `make test-all`."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nem2e_lib.analysis import attention
from nem2e_lib.analysis.metrics import errors
from nem2e_lib.analysis.shortcut import swapped_input, swapped_summary
from nem2e_lib.analysis.statistics import counts, paired, summary
from nem2e_lib.data.cycles.segment import data_hash, segment
from nem2e_lib.data.study.load import load_study
from nem2e_lib.data.synthetic import Knobs, Knobs1, synthetic_cycles
from nem2e_lib.training.config import profile
from nem2e_lib.training.grid import grid
from nem2e_lib.training.results import load_models
from nem2e_lib.training.train import train_condition

pytestmark = pytest.mark.slow

DEMO = profile("demo")
FEW = ("soleus", "tib", "bi", "vaslat")
PAIRS = (("all_entire", "one_entire"), ("one_entire", "one_quarter"), ("all_entire", "mean_curve"))


def trained(cycles, condition, channels=None, **options):
    return train_condition(cycles, condition, DEMO, channels=channels, progress=False, **options)


@pytest.mark.parametrize(("kind", "delay_ms"), [(Knobs1, 0.0), (Knobs1, 60.0), (Knobs1, 150.0), (Knobs, 60.0)])
def test_the_input_gradient_lies_at_the_true_delay(kind, delay_ms):
    cycles = synthetic_cycles("running", kind(delay_ms=delay_ms).only("delay_ms"))
    results = trained(cycles, "one_entire", FEW)
    expected = delay_ms / attention.sample_interval_ms(results)
    assert abs(attention.gradient_lag(results).samples - expected) <= 1.0


@pytest.mark.parametrize("kind", [Knobs1, Knobs])
def test_where_nothing_is_wrong_nothing_improves(kind):
    cycles = synthetic_cycles("running", kind().only())
    table = summary(errors(trained(cycles, "one_entire", FEW)))
    assert table["er_mean"].mean() >= 0
    assert not table["improved_holm"].any()


@pytest.fixture(scope="module")
def hamner(realdata, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hamner") / "study"
    script = Path(__file__).with_name("support") / "realdata.py"
    environment = os.environ | {"NEM2E_REALDATA": str(realdata)}
    subprocess.run([sys.executable, script, folder], check=True, env=environment)
    return segment(load_study(folder))[0]


@pytest.mark.realdata
def test_real_running_is_refined_beyond_the_mean_curve(hamner, tmp_path):
    one, every = (trained(hamner, condition, store=tmp_path) for condition in ("one_entire", "all_entire"))
    for results in (one, every):
        table = errors(results)
        assert table["unit"].unique().tolist() == ["speed"]
        assert table["er"].mean() <= -0.53 < table["er_mean_curve"].mean() < -0.49
    work = grid(hamner, "one_entire", DEMO, data_hash(hamner))
    models = {name: load_models(tmp_path, work, name) for name in work.channel_names}
    assert swapped_summary(swapped_input(hamner, one, models)).ci_low > 0


def test_the_conditions_rank_as_they_should_on_the_study_of_generator_1():
    cycles = synthetic_cycles("running", generator=1)
    tables = [errors(trained(cycles, condition)) for condition in ("one_quarter", "one_entire", "all_entire")]
    assert 0.3 <= np.mean([part["correlation_raw"].mean() for part in tables]) <= 0.7
    assert all(-0.65 <= part["er"].mean() <= -0.2 for part in tables)
    both = pd.concat(tables)
    compared = {pair: paired(both, *pair) for pair in PAIRS}
    count = {pair: int(counts(table)["below"].item()) for pair, table in compared.items()}
    sure = {pair: int(counts(table)["below_p05"].item()) for pair, table in compared.items()}
    for pair, least in zip(PAIRS, (8, 8, 10), strict=True):
        assert least <= sure[pair] <= count[pair], (count, sure)
