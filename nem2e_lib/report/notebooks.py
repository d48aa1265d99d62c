"""Run a notebook with parameters and write its page: ``python -m nem2e_lib.report.notebooks``."""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import papermill
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from nem2e_lib.errors import Nem2eError
from nem2e_lib.report.page import linked, render
from nem2e_lib.report.parameters import checked, defaults, read_notebook
from nem2e_lib.report.terminal import Echo, without_progress

TRACEBACK_LINES = 12


class CellFailed(Exception):
    """A cell of a notebook did not succeed; the message says which and why."""


def run(
    notebook: Path | str,
    output: Path | str,
    parameters: Mapping[str, Any],
    executed: Path | str | None = None,
) -> Path:
    """Run a notebook top to bottom and write its page.

    Parameters
    ----------
    notebook
        The notebook; it stays as it is.
    output
        The HTML page, written only when every cell has succeeded.
    parameters
        Values for the parameters cell, by name.
    executed
        Where the executed notebook is kept, also after a failure; default: beside the page.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    Nem2eError
        Before anything runs, for a notebook or a parameter that cannot be used.
    CellFailed
        With the notebook, the number of the first failing code cell and the end of its traceback.
    """
    notebook, output = Path(notebook), Path(output)
    node = read_notebook(notebook)
    values = checked(parameters, defaults(node, notebook), notebook.name)
    kept = Path(executed) if executed else output.with_suffix(".ipynb")
    kept.parent.mkdir(parents=True, exist_ok=True)
    done = _execute(notebook, kept, values)
    without_progress(done)
    nbformat.write(done, kept)
    _write(output, linked(render(done, _title(done, notebook)), output.parent))
    return output


def _execute(notebook: Path, kept: Path, values: dict[str, Any]) -> nbformat.NotebookNode:
    _use_this_python()
    # A socket of its own: two notebooks started in one folder must not answer each other.
    with tempfile.TemporaryDirectory(prefix="nem2e-kernel-", ignore_cleanup_errors=True) as folder:
        done = _papermill(notebook, kept, values, Path(folder) / "kernel")
    if _first_error(done) is not None:  # papermill takes SystemExit(0) for success
        raise CellFailed(_report(notebook, done))
    return done


def _papermill(notebook: Path, kept: Path, values: dict[str, Any], socket: Path) -> nbformat.NotebookNode:
    try:
        return papermill.execute_notebook(
            notebook,
            kept,
            values,
            kernel_name="python3",
            progress_bar=False,
            stdout_file=Echo(sys.stdout),
            stderr_file=Echo(sys.stderr),
            request_save_on_cell_execute=False,
            shutdown_kernel="immediate",
            config=Config({"KernelManager": {"transport": "ipc", "ip": str(socket)}}),
        )
    except PapermillExecutionError as error:
        raise CellFailed(_report(notebook, nbformat.read(kept, as_version=4))) from error


def _use_this_python() -> None:
    """Let the kernel be this environment's, whatever Jupyter and IPython the user has set up elsewhere."""
    own = str(Path(sys.prefix) / "share" / "jupyter")
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [own, os.environ.get("JUPYTER_PATH")]))
    os.environ["IPYTHONDIR"] = str(Path(tempfile.gettempdir()) / f"nem2e-ipython-{os.getuid()}")
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"


def _code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Return the author's code cells: numbered as ``Run all`` numbers them."""
    own = [cell for cell in notebook.cells if "injected-parameters" not in cell.metadata.get("tags", [])]
    return [cell for cell in own if cell.cell_type == "code"]


def _first_error(notebook: nbformat.NotebookNode) -> tuple[int, nbformat.NotebookNode] | None:
    for number, cell in enumerate(_code_cells(notebook), start=1):
        for output in cell.outputs:
            if output.output_type == "error":
                return number, output
    return None


def _report(notebook: Path, done: nbformat.NotebookNode) -> str:
    found = _first_error(done)
    if found is None:
        return f"{notebook}: the kernel died while it ran; the machine may have run out of memory."
    number, error = found
    where = f"{notebook}, code cell {number}"
    if error.ename == "Nem2eError":
        return f"{where}: {error.evalue}"
    if error.ename == "SystemExit":
        return f"{where}: the cell left Python with SystemExit({error.evalue}), expected to run to its end."
    lines = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback)).splitlines()
    return f"{where} failed:\n" + "\n".join(f"    {line}" for line in lines[-TRACEBACK_LINES:])


def _title(done: nbformat.NotebookNode, notebook: Path) -> str:
    headings = [re.match(r"# +(.+)", cell.source) for cell in done.cells if cell.cell_type == "markdown"]
    return next((heading.group(1).strip() for heading in headings if heading), notebook.stem)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def main() -> int:
    """Run a notebook from the command line; return the exit status."""
    parser = argparse.ArgumentParser(description="Run a notebook with parameters and write its page.")
    parser.add_argument("notebook", type=Path)
    parser.add_argument("output", type=Path, help="the HTML page")
    parser.add_argument("-p", dest="parameters", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"))
    parser.add_argument("--executed", type=Path, help="where the executed notebook is kept")
    given = parser.parse_args()
    print(f"{given.notebook.stem} → {given.output}", flush=True)
    started = time.monotonic()
    try:
        run(given.notebook, given.output, dict(given.parameters), given.executed)
    except (Nem2eError, CellFailed) as error:
        print(f"nem2e: {error}", file=sys.stderr)
        return 2 if isinstance(error, Nem2eError) else 1
    print(f"{given.output.stem}: {time.monotonic() - started:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
