import jax
import pytest

from nem2e_lib.training import devices
from nem2e_lib.training.config import Configuration
from tests.support.small import make_cycles

devices.configure()


@pytest.fixture
def strict():
    """Refuse silent promotion of dtypes and ranks while a test runs."""
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        yield


@pytest.fixture
def tiny():
    return Configuration(units=6, epochs=3)


@pytest.fixture
def cycles():
    return make_cycles()


@pytest.fixture
def as_users_run():
    """JAX as it is where nothing is set: `make test` lets it compile without optimising."""
    quick = "jax_disable_most_optimizations"
    kept = jax.config.values[quick]
    jax.config.update(quick, False)
    yield
    jax.config.update(quick, kept)
