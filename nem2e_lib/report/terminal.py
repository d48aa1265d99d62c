"""What a notebook prints while it runs, shown on the terminal without flooding it."""

from __future__ import annotations

import re
import time
from typing import TextIO

import nbformat

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
