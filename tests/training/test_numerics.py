"""The same numbers under the same hash, whatever a shell or a notebook has set of JAX."""

import json
import os
import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nem2e_lib.analysis.attribution import attribute_held_out
from nem2e_lib.error import Nem2eError
from nem2e_lib.refiner import training as refining
from nem2e_lib.rivals import KernelRidge, Network, evaluate
from nem2e_lib.training import devices, numerics
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.results import grid_of, load_models, load_networks
from nem2e_lib.training.store import Store
from nem2e_lib.training.train import plan
from tests.support.small import make_cycles

ROOT = Path(__file__).resolve().parents[2]
TINY = Configuration(units=3, epochs=1, initialisation="glorot_orthogonal")

TRAIN = """
import hashlib, json, sys
from pathlib import Path
import numpy as np
from nem2e_lib.training.config import Configuration
from nem2e_lib.training.store import Store
from nem2e_lib.training.train import plan
from tests.support.small import make_cycles

planned = plan(make_cycles((2, 2), channels=1), "one_entire", Configuration(units=3, epochs=1), store=sys.argv[1])
planned.run(progress=False)
keys = [planned.grid.key(model) for model in planned.grid.models]
digest = hashlib.sha256()
for key in keys:
    outcome = planned.store.load(key)
    for values in (*outcome.weights.values(), outcome.refined, outcome.attention, outcome.gradient):
        digest.update(np.ascontiguousarray(values).tobytes())
print(json.dumps({"keys": keys, "numbers": digest.hexdigest(), "result": planned.run(progress=False).attrs}))
"""


def shell(script: str, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own, with one device and these variables set."""
    ours = re.compile("JAX_|XLA_")
    clean = {name: value for name, value in os.environ.items() if not ours.match(name)}
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, *arguments],
        env=clean | {"PYTHONPATH": str(ROOT), "NEM2E_DEVICES": "1"} | settings,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def trained_in_a_shell(folder: Path, **settings: str) -> dict:
    done = shell(TRAIN, str(folder), **settings)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def plainly(tmp_path_factory):
    return trained_in_a_shell(tmp_path_factory.mktemp("plain"))


ALL_AT_ONCE = {
    "JAX_ENABLE_X64": "1",
    "JAX_NUMPY_DTYPE_PROMOTION": "strict",
    "JAX_NUMPY_RANK_PROMOTION": "raise",
    "JAX_THREEFRY_PARTITIONABLE": "0",
    "JAX_DEFAULT_PRNG_IMPL": "rbg",
    "JAX_DEFAULT_MATMUL_PRECISION": "bfloat16",
    "JAX_SOFTMAX_CUSTOM_JVP": "1",
    "JAX_DEBUG_NANS": "1",
    "JAX_DEBUG_INFS": "1",
    "JAX_DEBUG_KEY_REUSE": "1",
    "JAX_LEGACY_PRNG_KEY": "error",
    "JAX_TRANSFER_GUARD": "disallow",
    "JAX_DISABLE_JIT": "1",
}


@pytest.mark.slow
def test_all_settings_at_once_change_no_number(plainly, tmp_path):
    assert trained_in_a_shell(tmp_path, **ALL_AT_ONCE)["numbers"] == plainly["numbers"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL_AT_ONCE)
def test_no_setting_changes_a_number_or_a_hash(plainly, tmp_path, name):
    found = trained_in_a_shell(tmp_path, **{name: ALL_AT_ONCE[name]})
    assert (found["keys"], found["numbers"]) == (plainly["keys"], plainly["numbers"])


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"XLA_FLAGS": "--xla_cpu_enable_fast_math=true"}, "--xla_cpu_enable_fast_math=true"),
        ({"JAX_RANDOM_SEED_OFFSET": "3"}, "jax_random_seed_offset=3"),
    ],
)
def test_what_cannot_be_pinned_is_part_of_hash_and_result(plainly, tmp_path, settings, told):
    found = trained_in_a_shell(tmp_path, **settings)
    assert found["numbers"] != plainly["numbers"]
    assert not set(found["keys"]) & set(plainly["keys"])
    assert found["result"]["arithmetic"] == told
    assert "arithmetic" not in plainly["result"]


@pytest.mark.usefixtures("as_users_run")
def test_flags_that_change_no_number_are_not_part_of_the_hash(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", f"--xla_force_host_platform_device_count=2 --xla_dump_to=x {numerics.OWN_FLAGS}")
    assert numerics.altered() == ""


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"JAX_PLATFORMS": "cuda"}, r"JAX_PLATFORMS=cuda asks JAX for a device that it does not find; unset JAX_PL"),
        (
            {"JAX_PLATFORMS": "no_such"},
            r"JAX_PLATFORMS=no_such asks JAX for a device that it does not find \(.*no_such",
        ),
        ({"JAX_PLATFORM_NAME": "gpu"}, r"JAX_PLATFORM_NAME=gpu asks JAX for a device that it does not find"),
        ({"JAX_ENABLE_X64": "perhaps"}, r"JAX does not start with this environment \(.*JAX_ENABLE_X64.*mend or unset"),
        ({"NEM2E_DEVICES": "two"}, r"NEM2E_DEVICES=two: a number of devices is expected"),
    ],
)
def test_what_the_shell_asks_and_is_not_there_gets_one_sentence(tmp_path, settings, sentence):
    if "cuda" in settings.values() and any(device.platform != "cpu" for device in jax.devices()):
        pytest.skip("this machine has a card")
    done = shell(
        "import sys; from nem2e_lib.cli.main import app; sys.argv = ['nem2e', *sys.argv[1:]]; app()",
        *("train", str(ROOT / "none"), "--out", str(tmp_path / "x")),
        **settings,
    )
    study = shell(TRAIN, str(tmp_path), **settings)
    assert study.returncode == 1
    assert re.search(f"Nem2eError: {sentence}", study.stderr), study.stderr
    assert "Traceback" not in done.stderr


# --- in a session whose JAX is set otherwise, as a notebook's may be ---

OTHERWISE = (
    lambda: jax.enable_x64(True),
    lambda: jax.numpy_dtype_promotion("strict"),
    lambda: jax.default_prng_impl("rbg"),
    lambda: jax.threefry_partitionable(False),
    lambda: jax.default_matmul_precision("bfloat16"),
)


@pytest.fixture
def otherwise():
    with ExitStack() as stack:
        for setting in OTHERWISE:
            stack.enter_context(setting())
        yield
        assert jnp.zeros(1).dtype == np.float64, "the session's own setting is kept"
        assert jax.config.jax_default_prng_impl == "rbg"


def everything(folder: Path) -> dict[str, np.ndarray]:
    """Numbers of everything that computes with JAX."""
    cycles = make_cycles((2, 2), channels=1)
    planned = plan(cycles, "one_entire", TINY, store=folder)
    results = planned.run(progress=False)
    work = grid_of(results, cycles)
    outcome = Store(folder).load(work.key(work.models[0]))
    inputs = work.examples.inputs[0]
    label = work.folds.labels[0]
    network = load_networks(folder, work, "soleus")[label]
    attributed = attribute_held_out(network, work, "soleus", 0)
    refiner = refining.train(cycles, "one_entire", TINY, leave_out=False, progress=False)
    short = Network("lstm", units=3, updates=2, checkpoints=1, batch=2)
    kernel = evaluate(cycles, KernelRidge(updates=1, draws=1))
    return {
        **outcome.weights,
        "refined": results.refined.values,
        "gradient": results.gradient.values,
        "network": np.asarray(network(inputs)),
        "model": load_models(folder, work, "soleus")[label](inputs),
        "attributed": attributed.integrated,
        "kept": refiner.predict(cycles).values,
        "rival": evaluate(cycles, short).refined.values,
        "kernel ridge": kernel.refined.values,
    }


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    return everything(tmp_path_factory.mktemp("usual"))


@pytest.mark.slow
def test_a_session_set_otherwise_gets_the_same_numbers(usual, tmp_path, otherwise):
    found = everything(tmp_path)
    assert found.keys() == usual.keys()
    for name, values in usual.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)
        assert found[name].dtype == values.dtype, name


@pytest.mark.slow
def test_a_network_is_differentiated_in_a_session_of_64_bits(tmp_path, otherwise):
    cycles = make_cycles((2, 2), channels=1)
    planned = plan(cycles, "one_entire", TINY, store=tmp_path)
    planned.run(progress=False)
    network = load_networks(tmp_path, planned.grid, "soleus")[planned.grid.folds.labels[0]]
    inputs = jnp.asarray(planned.grid.examples.inputs[0][:1], jnp.float64)
    slope = jax.grad(lambda x: network(x).sum())(inputs)
    assert slope.shape == inputs.shape
    assert np.isfinite(slope).all()


def test_devices_are_asked_for_by_a_number(monkeypatch):
    monkeypatch.setenv("NEM2E_DEVICES", "0")
    with pytest.raises(Nem2eError, match="NEM2E_DEVICES=0: a number of devices is expected, 1 or more"):
        devices.configure()
