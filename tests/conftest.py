"""Fixtures that several layers share."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pandas as pd
import pytest
import xarray as xr
from hypothesis import HealthCheck, settings

from nem2e_lib.paper.warm import SLOW
from tests.support.made_up import make_errors, make_grid, make_summary, make_tukey
from tests.support.straight_lines import SETTINGS, write_trial

settings.register_profile(
    "nem2e",
    deadline=None,
    derandomize=True,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
settings.load_profile("nem2e")


# jsonschema, which Altair imports, would compile a grammar of web addresses for seconds in every worker.
sys.modules.setdefault(SLOW, None)  # type: ignore[arg-type] # Python's own way to say that it is not there


def pytest_configure(config: pytest.Config) -> None:
    """Print why a test was skipped."""
    if "s" not in config.option.reportchars:
        config.option.reportchars += "s"


LONGEST = (
    "tests/test_make_paper.py",
    "tests/test_known_effects.py",
    "tests/analysis/test_mixed.py",
    "tests/simulate/test_people.py",
    "tests/test_pythons.py",
    "tests/training/",
    "tests/motion/",
)
"""Files that take minutes, begun first, so that no worker waits for another in the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first; the order within files stays."""
    items.sort(key=lambda item: next((k for k, one in enumerate(LONGEST) if item.nodeid.startswith(one)), len(LONGEST)))


@pytest.fixture(scope="session")
def realdata() -> Path:
    """Folder of the real data; skips where NEM2E_REALDATA does not name it."""
    named = os.environ.get("NEM2E_REALDATA")
    if not named:
        pytest.skip("NEM2E_REALDATA is unset: it names the folder of real data, kept outside the project")
    return Path(named)


@pytest.fixture
def study_folder(tmp_path: Path) -> Path:
    """A small, sound study folder: two subjects, two speeds, straight lines as signals, so results are exact.

    Activation of muscle m is 0.1 + 0.01 m + 0.2 t, EMG of channel c is 0.05 + 0.1 c + 0.1 t (t in s).
    """
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "study.toml").write_text(SETTINGS)
    rows = ["trial,subject,speed,speed_m_s,activation,emg,grf"]
    for subject in ("s1", "s2"):
        for speed, metres in (("slow", "1.0"), ("fast", "")):
            trial = f"{subject}_{speed}"
            write_trial(folder, trial)
            files = f"{trial}_activation.sto,{trial}_emg.sto,{trial}_grf.mot"
            rows.append(f"{trial},{subject},{speed},{metres},{files}")
    (folder / "trials.csv").write_text("\n".join(rows) + "\n")
    return folder


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
