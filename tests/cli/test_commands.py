"""Commands are loaded when they are named, and the list of them says what they say of themselves."""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
from pathlib import Path

import jax
import pytest
import typer
from typer.testing import CliRunner

from nem2e_lib.cli.main import COMMANDS, app
from nem2e_lib.cli.refiner import load

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"numpy", "pandas", "xarray", "scipy", "jax", "flax", "matplotlib", "sklearn", "pingouin", "altair"}


def loaded(code: str) -> set[str]:
    """Heavy packages that a fresh Python has loaded after some code."""
    code = f"import sys\nsys.argv[0] = 'nem2e'\n{code}\nprint(set(sys.modules) & {HEAVY!r})"
    plain = {name: value for name, value in os.environ.items() if not name.startswith("JAX_")}  # they load JAX
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=plain, capture_output=True, text=True, check=True)
    found = ast.literal_eval(done.stdout.strip().splitlines()[-1].replace("set()", "()"))
    return set(found)


def called(*arguments: str) -> str:
    return f"from nem2e_lib.cli.main import app\ntry:\n    app({list(arguments)!r})\nexcept SystemExit:\n    pass"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_what_a_command_says_of_itself(name):
    module, _, there = COMMANDS[name].home.partition(":")
    __import__(f"nem2e_lib.cli.{module}")
    found = getattr(sys.modules[f"nem2e_lib.cli.{module}"], there)
    own = found.info.help if isinstance(found, typer.Typer) else inspect.getdoc(found)
    assert own.split("\n\n")[0] == COMMANDS[name].told
    assert COMMANDS[name].load(name).name == name


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_run_by_its_name(name):
    result = CliRunner().invoke(app, [name, "--help"])
    assert result.exit_code == 0
    assert f"nem2e {name}" in result.stdout.replace("root", "nem2e")
    assert "--install-completion" not in result.stdout


def test_the_list_shows_every_command():
    shown = CliRunner().invoke(app, ["--help"]).stdout
    assert [name for name in COMMANDS if f" {name} " not in shown] == []


def test_a_name_that_is_nearly_one_is_told():
    result = CliRunner().invoke(app, ["refin"])
    assert result.exit_code == 2
    assert "'refine'" in result.stderr


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("study", "--help"), ("train", "--help")])
def test_help_is_shown_without_what_is_slow_to_load(arguments):
    assert loaded(called(*arguments)) == set()


@pytest.mark.parametrize(
    ("module", "without"),
    [
        ("nem2e_lib", HEAVY),
        ("nem2e_lib.data.check", {"xarray", "jax", "matplotlib", "sklearn", "pingouin"}),
        ("nem2e_lib.refiner.refined", {"scipy", "jax", "flax", "matplotlib", "sklearn", "pingouin"}),
        ("nem2e_lib.refiner.training", {"matplotlib", "pingouin", "altair"}),
    ],
)
def test_a_module_is_loaded_without_what_it_seldom_needs(module, without):
    assert loaded(f"import {module}") & without == set()


def test_a_network_that_refines_is_compiled_once_for_all_processes(tmp_path, monkeypatch):
    settings = [name for name in jax.config.values if "compilation_cache" in name or "persistent_cache" in name]
    before = {name: jax.config.values[name] for name in settings}
    monkeypatch.setenv("NEM2E_CACHE", str(tmp_path))
    try:
        load(ROOT / "figures" / "refiner" / "running.refiner")
        assert jax.config.values["jax_compilation_cache_dir"] == str(tmp_path / "compiled")
    finally:
        for name, value in before.items():
            jax.config.update(name, value)
