"""Attention replaced in trained models: against numpy, and where what must come out is known."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from nem2e_lib.analysis import attention_interventions as interventions
from nem2e_lib.analysis.attention_interventions import INTERVENTIONS, NO_CONTEXT, OTHER_CONTEXT, UNIFORM_WEIGHTS
from nem2e_lib.analysis.metrics import errors
from nem2e_lib.error import Nem2eError
from nem2e_lib.training.grid import Grid, Model
from nem2e_lib.training.store import Store
from tests.support import oracle
from tests.support.small import make_cycles
from tests.support.untrained import keep

CYCLES = make_cycles((2, 3, 2))
STRANGERS = [3, 4, 5, 6, 0, 1, 2]
"""The cycle three places on, of subjects of two, three and two cycles: another subject's in each case but one."""


def trained(folder: Path, condition: str = "one_entire", **options: Any) -> tuple[xr.Dataset, Grid, xr.DataArray]:
    results, work = keep(folder, CYCLES, condition, **options)
    return results, work, interventions.intervene(results, CYCLES, folder)


def by_numpy(folder: Path, work: Grid, model: Model, cycle: int) -> np.ndarray:
    """Refine a cycle by the oracle, with the weights that are kept."""
    outcome = Store(folder).load(work.key(model))
    assert outcome is not None
    shift, scale = work.scaling(model)
    x = (work.examples.inputs[work.examples.set_of_channel[model.channel]][cycle] - shift) / scale
    steps = work.examples.targets.shape[-1]
    return np.asarray(
        oracle.forward(outcome.weights, work.configuration, x, steps, muscles=bool(work.examples.muscles))[0]
    )


@pytest.mark.parametrize(
    ("score", "condition"), [("general", "all_entire"), ("dot", "one_entire"), ("concat", "one_entire")]
)
def test_uniform_weights_are_those_of_a_network_without_scores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, score: str, condition: str
) -> None:
    results, work, refined = trained(tmp_path, condition, score=score)
    monkeypatch.setattr(oracle, "scores", lambda w, kind, states, hidden: np.zeros(len(states)))
    for channel, cycle in ((0, 0), (1, 3), (1, 6)):
        model = Model(0, channel, int(results.fold_of_cycle[cycle]), 0)
        found = refined.sel(intervention=UNIFORM_WEIGHTS).values[0, channel, cycle]
        np.testing.assert_allclose(found, by_numpy(tmp_path, work, model, cycle), atol=1e-5)


def test_a_context_of_zeros_is_one_whose_states_are_zero(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results, work, refined = trained(tmp_path)
    whole = oracle.stacked

    def without(w: dict[str, np.ndarray], tokens: np.ndarray, layers: int) -> tuple[Any, np.ndarray]:
        ends, states = whole(w, tokens, layers)
        return ends, np.zeros_like(states)

    monkeypatch.setattr(oracle, "stacked", without)
    for cycle in (0, 5):
        expected = by_numpy(tmp_path, work, Model(0, 0, int(results.fold_of_cycle[cycle]), 0), cycle)
        np.testing.assert_allclose(refined.sel(intervention=NO_CONTEXT).values[0, 0, cycle], expected, atol=1e-5)


def test_a_decoder_that_starts_from_zeros_sees_the_other_cycle_alone(tmp_path: Path) -> None:
    results, work, refined = trained(tmp_path, decoder_state="zeros")
    other, none = refined.sel(intervention=OTHER_CONTEXT).values, refined.sel(intervention=NO_CONTEXT).values
    for cycle, stranger in enumerate(STRANGERS):
        model = Model(0, 1, int(results.fold_of_cycle[cycle]), 0)
        np.testing.assert_allclose(other[0, 1, cycle], by_numpy(tmp_path, work, model, stranger), atol=1e-5)
    for fold in range(3):  # without start and context nothing tells cycles apart
        own = none[:, :, (results.fold_of_cycle == fold).values]
        np.testing.assert_allclose(own, np.broadcast_to(own[:, :, :1], own.shape), atol=1e-6)


def test_where_the_map_is_the_encoders_own_its_weights_become_uniform(tmp_path: Path) -> None:
    _, work, refined = trained(tmp_path, "all_entire", spatial="input_attention")
    model = Model(0, 0, 0, 0)
    outcome = Store(tmp_path).load(work.key(model))
    assert outcome is not None
    outcome.weights["encoder.vector"][:] = 0
    shift, scale = work.scaling(model)
    expected, own = oracle.forward(
        outcome.weights, work.configuration, (work.examples.inputs[0][0] - shift) / scale, 20, muscles=True
    )
    np.testing.assert_allclose(own, 1 / 5)
    np.testing.assert_allclose(refined.sel(intervention=UNIFORM_WEIGHTS).values[0, 0, 0], expected, atol=1e-5)


def test_changes_are_those_of_the_errors_and_their_mean_is_over_units(tmp_path: Path) -> None:
    results, _, refined = trained(tmp_path)
    changed = interventions.changes(results, refined)
    assert list(dict.fromkeys(changed["intervention"])) == list(INTERVENTIONS)
    usual = errors(results).set_index(["muscle", "label"])["er"]
    for name, rows in changed.groupby("intervention"):
        own = errors(results.assign(refined=refined.sel(intervention=name))).set_index(["muscle", "label"])["er"]
        found = rows.set_index(["muscle", "label"])
        np.testing.assert_allclose(found["er_changed"], own[found.index], atol=1e-12)
        np.testing.assert_allclose(found["change"], (own - usual)[found.index], atol=1e-12)
    row = interventions.summary(changed).set_index("intervention").loc[UNIFORM_WEIGHTS]
    of_units = changed[changed["intervention"] == UNIFORM_WEIGHTS].groupby("label")["change"].mean()
    half = 4.302652729911275 * of_units.std(ddof=1) * (1 / 3 + 1 / 2) ** 0.5  # t(.975, 2), corrected for shared folds
    assert (row["n"], row["muscles"], row["unit"]) == (3, 2, "subject")
    np.testing.assert_allclose([row["change"], row["ci_high"] - row["change"]], [of_units.mean(), half])
    by_muscle = interventions.summary(changed, "muscle")
    assert len(by_muscle) == 2 * len(INTERVENTIONS)
    assert by_muscle["change"].mean() == pytest.approx(interventions.summary(changed)["change"].mean())


def test_what_was_not_recorded_has_no_change(tmp_path: Path) -> None:
    cycles = CYCLES.copy(deep=True)
    for name in ("emg", "emg_waveform"):
        cycles[name][{"channel": 1, "cycle": [0, 1]}] = np.nan
    results, _ = keep(tmp_path, cycles)
    refined = interventions.intervene(results, cycles, tmp_path)
    assert np.isnan(refined[:, :, 1, :2]).all()
    assert np.isfinite(refined[:, :, 1, 2:]).all()
    changed = interventions.changes(results, refined)
    assert set(changed.loc[changed["muscle"] == "tib", "label"]) == {"s1", "s2"}
    assert changed["change"].notna().all()


def test_quarters_and_lost_models_are_refused(tmp_path: Path) -> None:
    results, _ = keep(tmp_path, CYCLES)
    with pytest.raises(Nem2eError, match=r"has no model of one_entire, soleus, held out s0; run 03_train"):
        interventions.intervene(results, CYCLES, tmp_path / "elsewhere")
    quarters = results.assign_attrs(condition="one_quarter")
    with pytest.raises(Nem2eError, match="its models see no whole cycle"):
        interventions.intervene(quarters, CYCLES, tmp_path)
