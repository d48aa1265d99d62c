"""The house: set-up, notebooks and layers keep what the project promises."""

from __future__ import annotations

import ast
import re
import runpy
import subprocess
import sys
import tomllib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import nbformat
import pytest

import nem2e_lib
from nem2e_lib.paper.notebooks import defaults, read_notebook
from nem2e_lib.paper.reads import NEM2E, rule
from tests.support.making import make

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = sorted((ROOT / "nem2e_lib").rglob("*.py"))  # the first is the door, which shows every room
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
HOUSE = runpy.run_path(str(ROOT / "tools" / "house.py"))
LAYERS = HOUSE["LAYERS"]


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


@pytest.mark.parametrize("path", LIBRARY[1:], ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    parts = path.relative_to(ROOT / "nem2e_lib").with_suffix("").parts
    own = parts[0]
    used = {layer(name) for name in imported(path.read_text())} - {"", "error", "lazy", "project", "terminal", own}
    above = set(LAYERS[LAYERS.index(own) :]) if own in LAYERS else set(LAYERS)
    assert not used & above, f"{own} may not import {used & above}"


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def importers() -> dict[str, set[str]]:
    """Who imports each module of the library, inside functions and for types alone too."""
    modules = {module_of(path): path for path in LIBRARY}
    found: dict[str, set[str]] = {name: set() for name in modules}
    for name, path in modules.items():
        for target in imported(path.read_text()):
            home = target if target in modules else target.rpartition(".")[0]
            if home in modules and home != name:
                found[home].add(name)
    return found


def test_no_import_runs_in_a_circle() -> None:
    graph = TopologicalSorter(importers())
    try:
        graph.prepare()
    except CycleError as error:
        pytest.fail(f"imports run in a circle: {' <- '.join(error.args[1])}")


def test_a_file_that_one_other_imports_has_a_reason_of_its_own() -> None:
    users = importers()
    for path in NOTEBOOKS:
        cells = [cell.source for cell in read_notebook(path).cells if cell.cell_type == "code"]
        for target in {name for cell in cells for name in imported(cell)}:
            home = target if target in users else target.rpartition(".")[0]
            users.get(home, set()).add(path.stem)
    inits = {module_of(path) for path in LIBRARY if path.stem == "__init__"}
    alone = {name for name, by in users.items() if len(by) == 1 and name not in inits}
    page = (ROOT / "docs" / "architecture.md").read_text()
    reasons = dict(re.findall(r"^\| `([\w/]+)\.py` \| (.+) \|$", page, flags=re.MULTILINE))
    assert {f"nem2e_lib.{name.replace('/', '.')}" for name in reasons} == alone
    assert min(map(len, reasons.values())) > 4


def test_what_the_page_on_the_house_points_to_is_there() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    places = set(re.findall(r"`((?:[\w.]+/)+(?:[\w.]+)?)`", page))
    named = {place for place in places if place.split("/")[0] in (*LAYERS, "nem2e_lib", "docs", "tests", "tools")}
    assert len(named) > 40
    where = (ROOT, ROOT / "nem2e_lib")
    assert sorted(place for place in named if not any((root / place).exists() for root in where)) == []


def test_every_room_stands_in_the_picture() -> None:
    rooms = {path.parent.name for path in LIBRARY if path.parent.parent == ROOT / "nem2e_lib"}
    assert rooms == set(LAYERS)
    assert (ROOT / "docs" / "house.svg").read_text() == HOUSE["picture"](), "draw it anew: python tools/house.py"


def test_the_door_opens_without_the_rooms_behind_it() -> None:
    code = "import sys, nem2e_lib; print(sorted({'numpy', 'pandas', 'jax', 'matplotlib', 'xarray'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_name_at_the_door_is_there_whatever_was_imported_before() -> None:
    assert {name: type(getattr(nem2e_lib, name)).__name__ for name in nem2e_lib.__all__} == {
        **dict.fromkeys(("Configuration", "Nem2eError", "Refiner", "Run"), "type"),
        "STDRNet": type(nem2e_lib.STDRNet).__name__,
        **dict.fromkeys(("errors", "load_study", "read_storage", "segment", "summary", "train"), "function"),
        **dict.fromkeys(("figures", "rivals", "simulate"), "module"),
    }
    told = nem2e_lib.__doc__ or ""
    assert [name for name in nem2e_lib.__all__ if name not in told] == []
    with pytest.raises(AttributeError, match="no attribute 'tran'"):
        _ = nem2e_lib.tran


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
    data = ["DATA=open"] if path.stem == "17_people" else []  # it belongs to that run alone

    def rules() -> list[str]:
        plan = make("-pnq", "paper", "PROFILE=smoke", f"BUILD={tmp_path}", *data).stdout
        return [line for line in plan.splitlines() if re.match(r"[^$\s].*:.*notebooks/", line) and path.name in line]

    targets = " ".join(line.partition("notebooks/")[0] for line in rules())
    cells = [cell.source for cell in read_notebook(path).cells if cell.cell_type == "code"]
    reads = next(tmp_path.glob("*/parameters.txt")).with_name("reads")
    reads.mkdir()  # as the runner leaves it, beside the notebook's pages
    for page in re.findall(r"/(\w+)\.html", targets):
        (reads / f"{page}.mk").write_text(rule(page, cells, NEM2E))
    needed = {
        name.replace(".", "/")
        for cell in read_notebook(path).cells
        if cell.cell_type == "code"
        for name in imported(cell.source)
        if name.startswith("nem2e_lib.")
    }
    found = rules()
    assert found
    for module in {name if (ROOT / f"{name}.py").exists() else str(Path(name).parent) for name in needed}:
        file = f"{module}.py" if (ROOT / f"{module}.py").exists() else f"{module}/__init__.py"
        assert all(file in line.split() for line in found), f"{path.name} uses {file}, which its rule does not name"


def test_readme_names_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text()
    assert "make paper" in readme
    assert "make test" in readme
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", readme):
        assert (ROOT / target).exists(), f"README.md points to {target}, which is not there"


def test_readme_lists_every_notebook() -> None:
    listed = re.findall(r"^\| (\d\d_\w+) \|", (ROOT / "README.md").read_text(), flags=re.MULTILINE)
    assert listed == [path.stem for path in NOTEBOOKS]


def test_nothing_of_this_machine_is_written_down() -> None:
    here = str(ROOT).encode()
    assert [path.name for path in tracked() if here in path.read_bytes()] == []
