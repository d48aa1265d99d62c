"""Every Python that the project says it runs on: told alike everywhere, and set up where it is there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[1]
VERSIONS = ("3.11", "3.12", "3.13")
SYSTEMS = {
    "linux": {"sys_platform": "linux", "os_name": "posix", "platform_system": "Linux"},
    "macos": {"sys_platform": "darwin", "os_name": "posix", "platform_system": "Darwin"},
    "windows": {"sys_platform": "win32", "os_name": "nt", "platform_system": "Windows"},
}


def locked(system: str, version: str) -> set[str]:
    """Packages of the lock that a system and a Python get."""
    where = {
        **SYSTEMS[system],
        "python_version": version,
        "python_full_version": f"{version}.1",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    pins = re.findall(
        r"^([\w.-]+)==\S+(?: ; (.+?))? \\$", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE
    )
    return {name for name, marker in pins if not marker or Marker(marker).evaluate(where)}


def test_the_versions_are_told_alike_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    told = [text.rsplit(" ", 1)[-1] for text in project["classifiers"] if "Python :: 3." in text]
    assert told == list(VERSIONS)
    allowed = SpecifierSet(project["requires-python"])
    assert [f"3.{minor}" for minor in range(9, 16) if f"3.{minor}.5" in allowed] == list(VERSIONS)
    for file in ("README.md", "Makefile"):
        assert "Python 3.11, 3.12 or 3.13" in (ROOT / file).read_text("utf-8")


def test_the_lock_is_for_every_system_and_none_gets_what_is_of_another():
    sets = {(system, version): locked(system, version) for system in SYSTEMS for version in VERSIONS}
    shared = set.intersection(*sets.values())
    assert {"jax", "flax", "numpy", "pandas", "xarray", "typer", "ezc3d", "uv"} <= shared
    for version in VERSIONS:
        assert (
            sets["linux", version] - shared <= {"pexpect", "ptyprocess", "uvloop", "overrides"} | sets["macos", version]
        )
        assert not sets["linux", version] & {"pywinpty", "colorama", "appnope"}
        assert {"pywinpty", "colorama"} <= sets["windows", version]
        assert not sets["windows", version] & {"uvloop", "pexpect", "appnope"}


def python(version: str) -> Path | None:
    """Return a Python of this version that is on the path, or that pyenv keeps; None where there is none."""
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    on_path = shutil.which(f"python{version}")
    for candidate in [*([Path(on_path)] if on_path else []), *sorted(kept.glob(f"{version}.*/bin/python{version}"))]:
        asked = [str(candidate), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        answer = subprocess.run(asked, capture_output=True, text=True, check=False)
        if answer.returncode == 0 and answer.stdout.strip() == version:
            return candidate
    return None


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_it_is_set_up_and_trains_and_refines(version, tmp_path):
    base, uv = (
        python(version),
        shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"),
    )
    if base is None or uv is None:
        pytest.skip(f"no Python {version} here" if base is None else "no uv here")
    tree, venv = tmp_path / "tree", tmp_path / "venv"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file() and name.split("/")[0] in ("nem2e_lib", "pyproject.toml", "README.md", "LICENSE"):
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, tree / name)
    own = venv / "bin" / "python"

    def run(*command: object) -> str:
        quiet = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        done = subprocess.run(
            list(map(str, command)),
            cwd=tmp_path,
            env={**quiet, "NEM2E_CACHE": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    run(uv, "venv", "--quiet", "--python", base, venv)
    run(uv, "pip", "sync", "--quiet", "--python", own, "--require-hashes", ROOT / "requirements.lock")
    run(uv, "pip", "install", "--quiet", "--python", own, "--no-deps", "--no-build-isolation", tree)
    nem2e = venv / "bin" / "nem2e"
    assert run(own, "-c", "import sys; print('%d.%d' % sys.version_info[:2])").strip() == version
    run(nem2e, "synthesize", "walking", "--out", "study", "--subjects", "3", "--speeds", "2")
    assert "no problem found" in run(nem2e, "study", "check", "study")
    run(nem2e, "train", "study", "--method", "one_entire", "--profile", "smoke", "--seeds", "1", "--out", "r.refiner")
    first = sorted((tmp_path / "study" / "activation").iterdir())[0]
    grf = tmp_path / "study" / "grf" / first.name.replace("activation.sto", "grf.mot")
    told = run(nem2e, "refine", "r.refiner", first, "--grf", grf, "--out", "refined.sto")
    assert "refined in" in told
