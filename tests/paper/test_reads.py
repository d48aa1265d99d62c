"""What code a page is of: told from imports as Python would follow them, and read by make."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from nem2e_lib.paper.notebooks import read_notebook
from nem2e_lib.paper.reads import NEM2E, Package, rule
from nem2e_lib.project import ROOT
from tests.support.making import make

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LAZY = "if TYPE_CHECKING:\n    from house.{0} import {1}\n__getattr__ = on_first_use()\n"


def house(folder: Path, files: Mapping[str, str]) -> Package:
    """Return a package of these files, each folder of which is a package."""
    for name, text in files.items():
        path = folder / "house" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        for around in path.relative_to(folder).parents[:-1]:
            (folder / around / "__init__.py").touch()
    return Package(folder, "house")


def found(package: Package, code: str, folder: Path) -> set[str]:
    return {str(path.relative_to(folder / "house")) for path in package.files(code)}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import house", "__init__"),
        ("import numpy\nimport housekeeping", ""),
        ("import house.a", "__init__ a"),
        ("from house import a", "__init__ a"),
        ("from house.a import value as other", "__init__ a"),
        ("def later():\n    from house.a import value", "__init__ a"),
        ("import house as h\nh.a.value", "__init__ a"),
        ("import house.b", "__init__ a b"),  # what it imports, too
        ("import house.types", "__init__ types"),  # but nothing for type checkers alone
        ("from house.room import c", "__init__ room/__init__ room/c"),
        ("import house.room.inner.d", "__init__ room/__init__ room/inner/__init__ room/inner/d"),
    ],
)
def test_imports_are_followed(code: str, expected: str, tmp_path: Path) -> None:
    files = {
        "a.py": "value = 1",
        "b.py": "from house.a import value",
        "types.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house.a import value",
        "room/c.py": "",
        "room/inner/d.py": "",
    }
    assert found(house(tmp_path, files), code, tmp_path) == {f"{name}.py" for name in expected.split()}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import house", "__init__"),
        ("import house\nhouse.value()", "__init__ a"),
        ("import house as h\nprint(h.value.attribute)", "__init__ a"),
        ("import house as h\nh.value().drawn", "__init__ a"),
        ("from house import value", "__init__ a"),
        ("import house as h\nh.room.drawn()", "__init__ room/__init__ room/c"),
        ("import house as h\nh.room.other()", "__init__ room/__init__"),
        ("from house import room\ngetattr(room, name)", "__init__ room/__init__ room/c"),  # any of its names
        ("import other as h\nh.value()", ""),
    ],
)
def test_names_that_are_loaded_on_first_use_are_found_where_they_are(code: str, expected: str, tmp_path: Path) -> None:
    files = {
        "__init__.py": LAZY.format("a", "value"),
        "a.py": "",
        "b.py": "",
        "room/__init__.py": LAZY.format("room.c", "drawn"),
        "room/c.py": "",
    }
    assert found(house(tmp_path, files), code, tmp_path) == {f"{name}.py" for name in expected.split()}


def test_files_beside_the_modules_of_a_package_belong_to_it(tmp_path: Path) -> None:
    package = house(tmp_path, {"room/c.py": "", "room/inner/d.py": "", "other/e.py": ""})
    held = {"room/table.csv", "room/more/deep.json"}
    for file in held | {"room/__pycache__/c.pyc", "room/inner/table.csv", "other/table.csv"}:
        (tmp_path / "house" / file).parent.mkdir(exist_ok=True)
        (tmp_path / "house" / file).touch()
    own = {"__init__.py", "room/__init__.py", "room/c.py"}
    assert found(package, "import house.room.c", tmp_path) == own | held


def test_what_a_notebook_says_to_jupyter_alone_is_no_code(tmp_path: Path) -> None:
    told = rule("page", ["%matplotlib inline\n!ls", "from house import a"], house(tmp_path, {"a.py": "", "b.py": ""}))
    assert re.findall(r"(\w+\.py)", told) == ["__init__.py", "a.py"]
    assert told.startswith("READS_page := ")


def code(path: Path) -> str:
    return "\n".join(cell.source for cell in read_notebook(path).cells if cell.cell_type == "code")


@pytest.mark.parametrize(
    "path",
    [path if path.stem == "18_timing" else pytest.param(path, marks=pytest.mark.slow) for path in NOTEBOOKS],
    ids=lambda path: path.stem,
)
def test_what_python_loads_for_a_notebook_is_told(path: Path) -> None:
    imports = re.findall(r"^(?:from|import) .*$", code(path), flags=re.MULTILINE)
    say = "import sys\nprint(*(one.__file__ for name, one in sys.modules.items() if name.startswith('nem2e_lib')))"
    done = subprocess.run(
        [sys.executable, "-c", "\n".join([*imports, say])], capture_output=True, text=True, check=True
    )
    loaded = {Path(name) for name in done.stdout.split()}
    assert len(loaded) > 10
    assert loaded - set(NEM2E.files(code(path))) == set()


# --- make ---

PROGRAM = """#!/bin/bash
# Stands for Python: leaves empty files where a notebook's would be, and tells which page was made.
shift 2
if [[ $1 == nem2e_lib.paper.notebooks ]]; then
  page=$(basename "$3" .html) run=$(dirname "$(dirname "$3")")
  IFS=_ read -r number _ study condition <<< "$page"
  mkdir -p "$run/site" "$run/$study"
  touch "$3"
  case $number in
    01) touch "$run/run.json" ;;
    02) touch "$run/$study/cycles.nc" "$run/$study/segments.csv" ;;
    03) touch "$run/$study/$condition.nc" ;;
    07) touch "$run/site/results.json" ;;
  esac
  echo "made $page"
elif [[ $2 == publish ]]; then
  mkdir -p "$4"
  touch "$4/index.html"
  echo "made published"
fi
"""


def made(build: Path, *changed: str) -> set[str]:
    """Run make paper, in which programs make empty files, as if these files were new; return what was made."""
    program = build / "python"
    program.write_text(PROGRAM)
    program.chmod(0o755)
    folders = f"BUILD={build}", f"OUT={build / 'out'}"
    done = make("paper", "PROFILE=smoke", *folders, f"PY={program}", *(f"-W{name}" for name in changed))
    assert done.returncode == 0, done.stderr
    return set(re.findall(r"^made (\w+)$", done.stdout, flags=re.MULTILINE))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which make paper has made everything, and is told what code each page is of."""
    build = tmp_path_factory.mktemp("build")
    pages = made(build) - {"published"}
    assert len(pages) > 20
    reads = build / "smoke-seed0" / "reads"
    reads.mkdir()
    for page in pages:
        notebook = next(path for path in NOTEBOOKS if page.startswith(path.stem))
        (reads / f"{page}.mk").write_text(rule(page, [code(notebook)], NEM2E))
    assert made(build) == set()
    return build


@pytest.mark.parametrize(
    ("changed", "pages"),
    [
        ("nem2e_lib/figures/timing.py", "18_timing"),
        ("nem2e_lib/analysis/mixed.py", "18_timing"),
        ("nem2e_lib/charts/waveforms.py", "04_statistics"),
        ("nem2e_lib/figures/waveforms.py", "04_statistics 11_own_data"),
        ("nem2e_lib/paper/what_holds.py", ""),
    ],
)
def test_what_a_file_can_reach_is_made_again_and_nothing_else(changed: str, pages: str, built: Path) -> None:
    assert made(built, changed) == {*pages.split(), "07_claims", "published"}


@pytest.mark.parametrize(
    "changed",
    [
        "nem2e_lib/figures/style.py",
        "nem2e_lib/figures/gait2392_paths.csv",
        "nem2e_lib/data/synthetic/body.csv",
        "nem2e_lib/training/engine.py",
        "notebooks/01_download.ipynb",
    ],
)
def test_what_everything_stands_on_makes_everything_again(changed: str, built: Path) -> None:
    pages = {path.stem for path in (built / "smoke-seed0" / "site").glob("*.html")}
    assert len(pages) > 20
    assert made(built, changed) == {*pages, "published"}


@pytest.mark.parametrize("changed", ["nem2e_lib/site/entries.py", "nem2e_lib/paper/guide.py"])
def test_what_makes_the_site_is_run_again(changed: str, built: Path) -> None:
    assert "published" in made(built, changed)


@pytest.mark.parametrize(
    "changed", ["nem2e_lib/simulate/steps.py", "nem2e_lib/cli/inspect.py", "nem2e_lib/motion/sides.py"]
)
def test_what_no_page_runs_makes_none_again(changed: str, built: Path) -> None:
    assert made(built, changed) == set()


@pytest.mark.parametrize("told", ["", "READS_18_timing := nem2e_lib/gone.py\n$(READS_18_timing):\n"])
def test_a_page_is_made_again_whose_code_is_not_known_or_has_gone(told: str, built: Path) -> None:
    path = built / "smoke-seed0" / "reads" / "18_timing.mk"
    kept = path.read_text()
    path.write_text(told)
    assert made(built) == {"18_timing", "07_claims", "published"}
    path.write_text(kept)
    assert made(built) == set()
