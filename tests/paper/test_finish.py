"""The list of pages: made of the notebooks' names and headings, and of what has been written."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from nem2e_lib.error import Nem2eError
from nem2e_lib.paper.finish import pages
from nem2e_lib.paper.notebooks import heading
from nem2e_lib.paper.run import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "site").mkdir()
    return Run(tmp_path, "smoke", 0, {"walking": tmp_path / "a", "running": tmp_path / "b"})


def test_a_notebook_has_one_page_or_one_a_study_or_one_a_study_and_condition(run: Run) -> None:
    for name in ("02_segment_walking", "03_train_running_all_entire"):
        (run.site / f"{name}.html").touch()
    assert pages(run, "16_new", "16 · New") == {"16_new.html": "16 · New"}
    assert pages(run, "02_segment", "2 · Gait cycles") == {
        "02_segment_walking.html": "2 · Gait cycles: walking",
        "02_segment_running.html": "2 · Gait cycles: running",
    }
    trained = pages(run, "03_train", "3 · Training")
    assert len(trained) == 6
    assert trained["03_train_running_one_quarter.html"] == "3 · Training: running, One-Quarter"


def test_a_title_is_the_heading_of_the_first_cell(tmp_path: Path) -> None:
    def written(*lines: str) -> Path:
        parameters = nbformat.v4.new_code_cell("a = 1", metadata={"tags": ["parameters"]})
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("\n".join(lines)), parameters])
        notebook.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "Python 3"}
        nbformat.write(notebook, tmp_path / "n.ipynb")
        return tmp_path / "n.ipynb"

    assert heading(written("# 4 · Statistics", "", "Tables.")) == "4 · Statistics"
    with pytest.raises(Nem2eError, match=r"n\.ipynb: its first cell opens with no heading"):
        heading(written("Tables."))
