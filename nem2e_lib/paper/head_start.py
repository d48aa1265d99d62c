"""``python -m nem2e_lib.paper.head_start RUN``: rivals are evaluated beside the trainings, where processors idle.

08_rivals finds them and evaluates what is not there: nothing depends on this but how long people wait.
"""

from __future__ import annotations

import os
from contextlib import suppress

from nem2e_lib.error import Nem2eError
from nem2e_lib.paper.run import Run
from nem2e_lib.paper.studies.script import script
from nem2e_lib.rivals import evaluate, every

LEAST_URGENT = 19


def main(folder: str) -> None:
    """Evaluate every rival on the channels that are trained, into the run, as the last to be given a processor."""
    os.nice(LEAST_URGENT)
    run = Run.open(folder)
    for study in run.studies:
        channels = list(run.plan(study, "one_entire").grid.channel_names)
        cycles = run.cycles(study).sel(channel=channels)
        for one in every():
            with suppress(Nem2eError):  # what a method refuses is told by 08_rivals
                evaluate(cycles, one, keep=run.of(study, f"rivals/{one.name}.nc"))


if __name__ == "__main__":
    script(main)
