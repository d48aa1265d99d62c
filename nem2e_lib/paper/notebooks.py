"""Run a notebook with parameters and write its page: ``python -m nem2e_lib.paper.notebooks``."""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

import nbformat
import papermill
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from nem2e_lib.data.tables import near
from nem2e_lib.error import Nem2eError
from nem2e_lib.paper import warm
from nem2e_lib.paper.reads import NEM2E, rule
from nem2e_lib.site.assets import write_assets
from nem2e_lib.site.notebook_page import linked, render
from nem2e_lib.site.saving import write_text
from nem2e_lib.terminal import program

# --- The parameters cell of a notebook: what may be set, and of which type ---

KINDS = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "a dictionary",
}
"""The types that a parameter may have, in words."""


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """Read a notebook and make sure that it can be run with parameters.

    Raises
    ------
    Nem2eError
        When it is missing or no notebook, or has no kernel, language or cell tagged ``parameters``.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise Nem2eError(f"{path}: there is no such notebook; check its name.") from None
    except (nbformat.reader.NotJSONError, nbformat.ValidationError, UnicodeDecodeError) as error:
        raise Nem2eError(f"{path}: found no Jupyter notebook in it; save it anew.") from error
    kernel = notebook.metadata.get("kernelspec", {})
    language = kernel.get("language") or notebook.metadata.get("language_info", {}).get("name")
    if not kernel.get("name") or not language:
        raise Nem2eError(f"{path}: its metadata name no kernel and language; save it again in Jupyter.")
    parameters_cell(notebook, path)
    return notebook


def heading(path: Path) -> str:
    """Return a notebook's title: the heading that its first cell opens with."""
    first = read_notebook(path).cells[0].source.splitlines()
    if not first or not first[0].startswith("# "):
        raise Nem2eError(f"{path}: its first cell opens with no heading; write one, such as '# 4 · Statistics'.")
    return first[0].removeprefix("# ").strip()


def parameters_cell(notebook: nbformat.NotebookNode, path: Path) -> nbformat.NotebookNode:
    """Return the one cell tagged ``parameters``."""
    cells = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    if len(cells) != 1:
        raise Nem2eError(
            f"{path}: {len(cells)} cells are tagged 'parameters', expected one; tag the cell of the defaults."
        )
    return cells[0]


def defaults(notebook: nbformat.NotebookNode, path: Path) -> dict[str, Any]:
    """Return each parameter's default, read without running the cell.

    Only ``name = literal`` lines count: a value computed in this cell would go stale when a parameter is set.
    """
    found: dict[str, Any] = {}
    for statement in ast.parse(parameters_cell(notebook, path).source).body:
        try:
            name, value = _assignment(statement)
        except (ValueError, TypeError):
            line = ast.unparse(statement)
            raise Nem2eError(
                f"{path}: the parameters cell holds `{line}`, expected `name = value` with a plain value; "
                "compute it in a later cell."
            ) from None
        found[name] = value
    return found


def _assignment(statement: ast.stmt) -> tuple[str, Any]:
    if not (isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)):
        raise ValueError
    return statement.targets[0].id, ast.literal_eval(statement.value)


def checked(given: Mapping[str, Any], known: Mapping[str, Any], notebook: str) -> dict[str, Any]:
    """Return `given` with every value in the type of its default.

    Parameters
    ----------
    given
        Values by name; text (from a command line) is read as the type of the default.
    known
        The defaults of the notebook.
    notebook
        Name for messages.

    Raises
    ------
    Nem2eError
        For a name that the notebook does not have, or a value of another type.
    """
    for name in given:
        if name not in known:
            hint = near(name, known) or f"; it has {', '.join(known)}."
            raise Nem2eError(f"{notebook}: there is no parameter {name!r}{hint}")
    return {name: _as_type_of(known[name], value, f"{notebook}: parameter {name}") for name, value in given.items()}


def _as_type_of(default: Any, value: Any, where: str) -> Any:
    kind = type(default)
    if isinstance(value, str) and kind is not str:
        value = _literal(value)
    if kind is float and type(value) is int:
        value = float(value)
    if kind in KINDS and type(value) is not kind:
        raise Nem2eError(f"{where} is {value!r}, expected {KINDS[kind]} such as {default!r}; change it.")
    return value


def _literal(text: str) -> Any:
    words = {"true": True, "false": False}
    try:
        return words[text.lower()] if text.lower() in words else ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


# --- What a notebook prints while it runs, shown on the terminal without flooding it ---

PROGRESS = re.compile(r"\d+%\|.*\| *\S+/\S+ \[.*\]")
"""A line of tqdm's."""


class Echo:
    """A text stream that passes on what a notebook prints; progress at most every few seconds.

    Parameters
    ----------
    stream
        Where to print.
    seconds
        Least time between two states of a progress bar where `stream` is no terminal.
    """

    def __init__(self, stream: TextIO, seconds: float = 20.0) -> None:
        self.stream = stream
        self.seconds = 0.2 if stream.isatty() else seconds
        self.shown, self.last = float("-inf"), ""

    def write(self, text: str) -> int:
        """Print the last state of a progress bar now and then, and everything else at once."""
        lines = [line for line in re.split(r"[\r\n]+", text) if line.strip()]
        for line in [line for line in lines if not PROGRESS.search(line)]:
            self.stream.write(f"    {line}\n")
        bars = [line for line in lines if PROGRESS.search(line)]
        if bars and (time.monotonic() - self.shown > self.seconds or self._is_new_end(bars[-1])):
            self.shown, self.last = time.monotonic(), bars[-1]
            self._bar(bars[-1])
        return len(text)

    def _is_new_end(self, bar: str) -> bool:
        return "100%" in bar and "100%" not in self.last

    def _bar(self, line: str) -> None:
        if self.stream.isatty():
            self.stream.write(f"\r    {line}\x1b[K" + ("\n" if "100%" in line else ""))
        else:
            self.stream.write(f"    {line}\n")

    def flush(self) -> None:
        """Flush the stream."""
        self.stream.flush()


def without_progress(notebook: nbformat.NotebookNode) -> None:
    """Take progress bars out of the saved outputs, where they would change from run to run."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _only_progress(output)]


def _only_progress(output: nbformat.NotebookNode) -> bool:
    if output.output_type != "stream" or output.name != "stderr":
        return False
    lines = [line for line in re.split(r"[\r\n]+", output.text) if line.strip() and not PROGRESS.search(line)]
    output.text = "".join(f"{line}\n" for line in lines)
    return not lines


# --- Run a notebook with parameters and write its page: ``python -m nem2e_lib.paper.notebooks`` ---

TRACEBACK_LINES = 12
WARM_KERNEL, PEAK_FILE, PEAK_S = "nem2e-warm", "peak_kb", 2.0
"""Name of a kernel that is begun warm, the file its memory is told in, and how long that is waited for."""
HAS_PARENT = "--IPKernelApp.parent_handle=1"
"""Tells a kernel that it was not begun by hand, or it would explain on the terminal how to end it."""


class CellFailed(Exception):
    """A cell of a notebook did not succeed; the message says which and why."""


def run(
    notebook: Path | str,
    output: Path | str,
    parameters: Mapping[str, Any],
    executed: Path | str | None = None,
    *,
    alone: bool = False,
    reads: Path | None = None,
) -> Path:
    """Run a notebook top to bottom and write its page.

    Where a cell fails, the page of what ran until then lies beside the executed notebook, and says so above all.

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
    alone
        Whether the page belongs to no site: its style is inside then.
    reads
        A file for make, which is told there what code the page is of (`paper.reads`).

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
    try:
        done, peak = _execute(notebook, kept, values)
    except CellFailed as error:
        _write_failed(kept, str(error), notebook)
        raise
    without_progress(done)
    nbformat.write(done, kept)
    html = render(done, _title(done, notebook), alone=alone, ran=ran(done, peak))
    if reads:
        write_text(reads, rule(output.stem, [cell.source for cell in _code_cells(node)], NEM2E))
    write_text(output, html if alone else linked(html, output.parent))
    if not alone:
        write_assets(output.parent)
    return output


def ran(done: nbformat.NotebookNode, peak: float) -> str:
    """Say how long an executed notebook has run, and what memory (bytes; 0: not known) its kernel has held at most."""
    seconds = done.metadata.get("papermill", {}).get("duration")
    memory = f", at most {peak / 1e6:,.0f} MB of memory" if peak else ""
    return f"Ran for {seconds:.0f} s{memory}." if seconds is not None else ""


def _write_failed(kept: Path, why: str, notebook: Path) -> None:
    """Write the page of what ran until a cell failed, if anything was kept."""
    if not kept.exists():
        return
    done = nbformat.read(kept, as_version=4)
    path = kept.with_name(f"{kept.stem}.failed.html")
    write_text(path, render(done, _title(done, notebook), alone=True, failed=why))
    print(f"What ran until then: {path}", file=sys.stderr)


def _execute(notebook: Path, kept: Path, values: dict[str, Any]) -> tuple[nbformat.NotebookNode, float]:
    """Return the executed notebook and the most memory that its kernel has held, in bytes; 0: not known."""
    _use_this_python()
    # A socket of its own: two notebooks started in one folder must not answer each other.
    with tempfile.TemporaryDirectory(prefix="nem2e-kernel-", ignore_cleanup_errors=True) as folder:
        done = _papermill(notebook, kept, values, Path(folder))
        peak = _peak(Path(folder) / PEAK_FILE)
    if _first_error(done) is not None:  # papermill takes SystemExit(0) for success
        raise CellFailed(_report(notebook, done))
    return done, peak


def _peak(told: Path) -> float:
    """Return the most memory in bytes that the kernel, which has ended, has held: as a warm one's is told in a file."""
    import resource  # only where make runs, which is not everywhere

    if not _warm():
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024.0
    until = time.monotonic() + PEAK_S
    while time.monotonic() < until:
        if told.exists() and (text := told.read_text(encoding="utf-8")).endswith("\n"):
            return int(text) * 1024.0
        time.sleep(0.02)
    return 0.0


def _papermill(notebook: Path, kept: Path, values: dict[str, Any], folder: Path) -> nbformat.NotebookNode:
    try:
        return papermill.execute_notebook(
            notebook,
            kept,
            values,
            kernel_name=_warm_kernel(folder, f"{kept.stem} kernel") if _warm() else "python3",
            progress_bar=False,
            stdout_file=Echo(sys.stdout),
            stderr_file=Echo(sys.stderr),
            request_save_on_cell_execute=False,
            shutdown_kernel="immediate",
            config=Config({"KernelManager": {"transport": "ipc", "ip": str(folder / "kernel")}}),
        )
    except PapermillExecutionError as error:
        raise CellFailed(_report(notebook, nbformat.read(kept, as_version=4))) from error


def _warm() -> bool:
    return warm.possible() and bool(os.environ.get(warm.WHERE))


def _warm_kernel(folder: Path, called: str) -> str:
    """Write the specification of a kernel that is begun warm and called so where costs are told; return its name."""
    spec = {
        "argv": [sys.executable, "-m", warm.__name__, "ipykernel_launcher", "-f", "{connection_file}", HAS_PARENT],
        "env": {warm.PEAK: str(folder / PEAK_FILE), warm.CALLED: called},
        "display_name": "Python 3",
        "language": "python",
    }
    place = folder / "kernels" / WARM_KERNEL
    place.mkdir(parents=True)
    write_text(place / "kernel.json", json.dumps(spec))
    os.environ["JUPYTER_PATH"] = os.pathsep.join([str(folder), os.environ["JUPYTER_PATH"]])
    return WARM_KERNEL


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


def main() -> int:
    """Run a notebook from the command line; return the exit status."""
    parser = argparse.ArgumentParser(description="Run a notebook with parameters and write its page.")
    parser.add_argument("notebook", type=Path)
    parser.add_argument("output", type=Path, help="the HTML page")
    parser.add_argument("-p", dest="parameters", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"))
    parser.add_argument("--executed", type=Path, help="where the executed notebook is kept")
    parser.add_argument("--reads", type=Path, help="tell make there what code the page is of")
    parser.add_argument("--alone", action="store_true", help="the page belongs to no site: its style is inside")
    given = parser.parse_args()
    print(f"{given.notebook.stem} → {given.output}", flush=True)
    started = time.monotonic()
    try:
        run(given.notebook, given.output, dict(given.parameters), given.executed, alone=given.alone, reads=given.reads)
    except CellFailed as error:
        print(f"nem2e: {error}", file=sys.stderr)
        return 1
    print(f"{given.output.stem}: {time.monotonic() - started:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    with program():
        sys.exit(main())
