"""One cell of a notebook, run on made-up data: what a notebook saves is asked of the notebook itself."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from nem2e_lib.paper.notebooks import read_notebook

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def run_cell(notebook: str, mention: str, **given: Any) -> dict[str, Any]:
    """Run the one code cell that mentions something, after the notebook's imports, and return all names it then knows.

    Parameters
    ----------
    notebook
        Its name without suffix.
    given
        What earlier cells would have defined.
    """
    sources = [cell.source for cell in read_notebook(NOTEBOOKS / f"{notebook}.ipynb").cells if cell.cell_type == "code"]
    found = [source for source in sources if mention in source]
    assert len(found) == 1, f"{len(found)} cells of {notebook} mention {mention!r}, expected one"
    names: dict[str, Any] = {"display": lambda *shown: None, **given}
    for node in ast.parse("\n".join(sources)).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            exec(ast.unparse(node), names)
    exec(found[0], names)
    return names
