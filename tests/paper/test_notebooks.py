"""The runner: parameters are checked, failures are told, pages open offline."""

from __future__ import annotations

import html
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from nem2e_lib.error import Nem2eError
from nem2e_lib.paper.notebooks import CellFailed, Echo, checked, defaults, read_notebook, run

METADATA = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
DEFAULTS = 'units = 3\nrate = 0.5\nname = "a"\nquick = False'


def write(folder: Path, *cells: str, parameters: str = DEFAULTS, metadata: object = METADATA) -> Path:
    tagged = new_code_cell(parameters, metadata={"tags": ["parameters"]})
    others = [new_code_cell(source) for source in cells]
    notebook = new_notebook(cells=[new_markdown_cell("# A notebook"), tagged, *others], metadata=metadata)
    nbformat.write(notebook, folder / "example.ipynb")
    return folder / "example.ipynb"


def test_parameters_reach_the_cells_and_the_page(tmp_path: Path) -> None:
    notebook = write(tmp_path, "print(units * 7, rate, name, quick)")
    given = {"units": "6", "rate": "2", "name": "7", "quick": "true"}
    page = run(notebook, tmp_path / "out" / "page.html", given, tmp_path / "kept.ipynb")
    assert "42 2.0 7 True" in page.read_text()
    assert "<title>A notebook</title>" in page.read_text()
    assert 'href="index.html"' in page.read_text()
    assert nbformat.read(tmp_path / "kept.ipynb", as_version=4).cells[-1].outputs


def test_the_page_is_the_same_every_time_and_without_progress_bars(tmp_path: Path) -> None:
    cell = "import sys, time\nfrom tqdm import tqdm\nfor _ in tqdm(range(3)): time.sleep(time.time() % 0.01)\n"
    notebook = write(tmp_path, cell + "print('kept', file=sys.stderr)")
    pages = [run(notebook, tmp_path / f"{i}.html", {"units": 4}).read_text() for i in range(2)]
    ran = r'<p class="ran">(Ran for \d+ s, at most \d[\d,]* MB of memory\.)</p>\n'
    times = [re.search(ran, page) for page in pages]
    assert all(times)
    assert len({page.replace(told[0], "") for page, told in zip(pages, times, strict=True)}) == 1
    assert "it/s" not in pages[0]
    assert "kept" in pages[0]


def test_the_kernel_is_this_python_whatever_jupyter_is_set_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "share" / "jupyter" / "kernels" / "python3"
    other.mkdir(parents=True)
    (other / "kernel.json").write_text(json.dumps({"argv": ["/bin/false"], "display_name": "x", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share" / "jupyter"))
    notebook = write(tmp_path, "import sys; print(sys.prefix)")
    assert sys.prefix in run(notebook, tmp_path / "page.html", {}).read_text()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"unit": 4}, "no parameter 'unit'; did you mean 'units'?"),
        ({"qqq": 4}, "it has units, rate, name, quick"),
        ({"units": "abc"}, "parameter units is 'abc', expected a whole number such as 3"),
        ({"units": 2.5}, "parameter units is 2.5, expected a whole number"),
        ({"units": True}, "parameter units is True, expected a whole number"),
        ({"rate": "fast"}, "expected a number such as 0.5"),
        ({"quick": "1"}, "parameter quick is 1, expected True or False"),
    ],
)
def test_a_broken_parameter_is_refused_before_anything_runs(
    tmp_path: Path, given: dict[str, object], message: str
) -> None:
    notebook = write(tmp_path, "open('ran', 'w')")
    with pytest.raises(Nem2eError) as error:
        run(notebook, tmp_path / "page.html", given)
    assert message in str(error.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["example.ipynb"]


def test_text_stays_text_and_numbers_become_numbers() -> None:
    assert checked({"name": "3", "rate": 2, "units": "-4"}, {"name": "", "rate": 1.0, "units": 1}, "n") == {
        "name": "3",
        "rate": 2.0,
        "units": -4,
    }


def test_a_computed_default_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, parameters="a = 1\nb = a + 1")
    with pytest.raises(Nem2eError, match="`b = a \\+ 1`, expected `name = value`"):
        defaults(read_notebook(path), path)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({}, "name no kernel and language"),
        ({"kernelspec": {"name": "python3", "display_name": "P"}}, "no kernel and"),
    ],
)
def test_a_notebook_without_kernel_or_language_is_refused(tmp_path: Path, metadata: object, message: str) -> None:
    with pytest.raises(Nem2eError, match=message):
        read_notebook(write(tmp_path, metadata=metadata))


def test_a_file_that_is_no_notebook_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.ipynb").write_text("not json")
    with pytest.raises(Nem2eError, match="no Jupyter notebook"):
        read_notebook(tmp_path / "x.ipynb")
    with pytest.raises(Nem2eError, match="no such notebook"):
        read_notebook(tmp_path / "y.ipynb")


def test_a_notebook_without_a_parameters_cell_is_refused(tmp_path: Path) -> None:
    nbformat.write(new_notebook(cells=[new_code_cell("1")], metadata=METADATA), tmp_path / "x.ipynb")
    with pytest.raises(Nem2eError, match="0 cells are tagged 'parameters', expected one"):
        read_notebook(tmp_path / "x.ipynb")


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("def f():\n    raise KeyError('gone')\nf()", "KeyError: 'gone'"),
        ("raise SystemExit(0)", "SystemExit(0), expected to run to its end"),
        (
            "from nem2e_lib.error import Nem2eError\nraise Nem2eError('a.sto: no time column; add it.')",
            "a.sto: no time",
        ),
    ],
)
def test_the_first_failing_cell_is_named_and_no_page_is_written(tmp_path: Path, cell: str, message: str) -> None:
    notebook = write(tmp_path, "print('fine')", cell, "open('after', 'w')")
    with pytest.raises(CellFailed) as error:
        run(notebook, tmp_path / "page.html", {"units": 1})
    assert "example.ipynb, code cell 3" in str(error.value)
    assert message in str(error.value)
    assert "\x1b" not in str(error.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["example.ipynb", "page.failed.html", "page.ipynb"]
    page = (tmp_path / "page.failed.html").read_text()
    assert html.escape(message, quote=True).replace("&#x27;", "&#39;") in page[: page.index('<div class="notebook">')]
    assert 'role="alert"' in page
    assert "fine" in page


def test_a_users_mistake_shows_no_traceback(tmp_path: Path) -> None:
    notebook = write(tmp_path, "from nem2e_lib.error import Nem2eError\nraise Nem2eError('one sentence.')")
    with pytest.raises(CellFailed) as error:
        run(notebook, tmp_path / "page.html", {})
    assert str(error.value) == f"{notebook}, code cell 2: one sentence."


@pytest.mark.parametrize(("name", "status"), [("units", 1), ("unit", 2)])
def test_the_command_tells_in_its_exit_status(tmp_path: Path, name: str, status: int) -> None:
    notebook = write(tmp_path, "1 / 0")
    command = [
        sys.executable,
        "-m",
        "nem2e_lib.paper.notebooks",
        notebook,
        tmp_path / "p.html",
        "-p",
        name,
        "3",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == status
    assert ("ZeroDivisionError" in done.stderr) == (status == 1)
    assert done.stderr.count("nem2e: ") == 1
    assert not (tmp_path / "p.html").exists()


def test_a_picture_needs_alternative_text(tmp_path: Path) -> None:
    notebook = write(tmp_path, "from IPython.display import HTML\nHTML('<img src=\"data:image/png;base64,x\">')")
    with pytest.raises(Nem2eError, match="alternative text"):
        run(notebook, tmp_path / "page.html", {})
    assert not (tmp_path / "page.html").exists()


def test_progress_does_not_flood_and_other_lines_pass() -> None:
    stream = io.StringIO()
    echo = Echo(stream, seconds=1000)
    for step in range(101):
        echo.write(f"\rmodels: {step:3d}%|###   | {step}/100 [00:01<00:02, 3.1it/s]")
    echo.write("a warning\n")
    lines = stream.getvalue().splitlines()
    assert [line.split("|")[0].strip() for line in lines] == ["models:   0%", "models: 100%", "a warning"]
