"""The house: set-up, notebooks and layers keep what the project promises."""

from __future__ import annotations

import ast
import re
import runpy
import subprocess
import tomllib
from pathlib import Path

import nbformat
import pytest

from nem2e_lib.paper.notebooks import defaults, read_notebook

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = sorted((ROOT / "nem2e_lib").rglob("*.py"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LAYERS = ("data", "training", "rivals", "analysis", "refiner", "simulate", "motion", "figures", "site", "paper", "cli")
"""From the bottom up: a room imports those before it, never one after it."""


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def layer(module: str) -> str:
    return module.split(".")[1] if module.startswith("nem2e_lib.") else ""


def imported(source: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the layer"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def test_environment_yml_says_the_same_as_the_lock() -> None:
    written = runpy.run_path(str(ROOT / "tools" / "environment.py"))["environment"]
    assert (ROOT / "environment.yml").read_text() == written((ROOT / "requirements.lock").read_text())
    assert "python=3.11" in (ROOT / "environment.yml").read_text()


def test_every_locked_package_has_a_hash_and_every_dependency_is_locked() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    blocks = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)[1:]
    assert blocks
    assert all("--hash=sha256:" in block for block in blocks)
    names = {block.split("==")[0].lower().replace("_", "-") for block in blocks}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = (
        project["dependencies"] + project["optional-dependencies"]["test"] + project["optional-dependencies"]["build"]
    )
    assert {re.split(r"[<>=\[]", name)[0].lower() for name in asked} <= names


def test_no_tracked_file_names_a_package_index() -> None:
    host = re.compile(
        rb"https?://[^\s\"']*(pypi|pythonhosted|/simple)|^\s*--(extra-)?index-url\s|registry *= *\"http", re.M
    )
    assert [path.name for path in tracked() if host.search(path.read_bytes())] == []


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    parts = path.relative_to(ROOT / "nem2e_lib").with_suffix("").parts
    own = parts[0]
    used = {layer(name) for name in imported(path.read_text())} - {"", "error", "project", own}
    above = set(LAYERS[LAYERS.index(own) :]) if own in LAYERS else set(LAYERS)
    assert not used & above, f"{own} may not import {used & above}"


def test_there_are_notebooks() -> None:
    numbers = [path.name[:2] for path in NOTEBOOKS]
    assert numbers == sorted(set(numbers))
    assert len(NOTEBOOKS) >= 7


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_clean_and_can_be_run(path: Path) -> None:
    notebook = read_notebook(path)
    nbformat.validate(notebook)
    assert defaults(notebook, path)
    assert notebook.metadata["kernelspec"]["name"] == "python3"
    assert notebook.cells[0].cell_type == "markdown"
    assert notebook.cells[0].source.startswith("# ")
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_holds_no_logic(path: Path) -> None:
    notebook = read_notebook(path)
    tree = ast.parse("\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code"))
    found = [type(node).__name__ for node in ast.walk(tree) if isinstance(node, ast.If | ast.While | ast.FunctionDef)]
    assert found == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_make_reruns_a_notebook_when_a_library_file_it_uses_changes(path: Path, tmp_path: Path) -> None:
    plan = subprocess.run(
        ["make", "-pnq", "paper", "PROFILE=smoke", f"BUILD={tmp_path}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    rules = [line for line in plan.splitlines() if re.match(r"[^$\s].*:.*notebooks/", line) and path.name in line]
    needed = {
        name.replace(".", "/")
        for cell in read_notebook(path).cells
        if cell.cell_type == "code"
        for name in imported(cell.source)
        if name.startswith("nem2e_lib.")
    }
    assert rules
    for module in {name if (ROOT / f"{name}.py").exists() else str(Path(name).parent) for name in needed}:
        file = f"{module}.py" if (ROOT / f"{module}.py").exists() else f"{module}/__init__.py"
        assert all(file in rule.split() for rule in rules), f"{path.name} uses {file}, which its rule does not name"


def test_readme_names_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text()
    assert "make paper" in readme
    assert "make test" in readme
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", readme):
        assert (ROOT / target).exists(), f"README.md points to {target}, which is not there"


def test_nothing_of_this_machine_is_written_down() -> None:
    here = str(ROOT).encode()
    assert [path.name for path in tracked() if here in path.read_bytes()] == []
