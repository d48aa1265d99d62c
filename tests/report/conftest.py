"""Made-up results of the paper's shape, shared by the tests of the report."""

from __future__ import annotations

import pandas as pd
import pytest
import xarray as xr
from made_up import make_errors, make_grid, make_summary, make_tukey


@pytest.fixture(scope="session")
def running() -> dict[str, xr.Dataset]:
    return make_grid("running")


@pytest.fixture(scope="session")
def walking() -> dict[str, xr.Dataset]:
    return make_grid("walking")


@pytest.fixture(scope="session")
def errors(running: dict[str, xr.Dataset], walking: dict[str, xr.Dataset]) -> pd.DataFrame:
    return pd.concat([make_errors(r) for r in [*running.values(), *walking.values()]], ignore_index=True)


@pytest.fixture(scope="session")
def tukey(errors: pd.DataFrame) -> pd.DataFrame:
    return make_tukey(errors)


@pytest.fixture(scope="session")
def summary(errors: pd.DataFrame) -> pd.DataFrame:
    return make_summary(errors)
