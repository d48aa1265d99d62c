"""OpenSim's angles and moments of a walk beside those of the laboratory's own model in its C3D file, to be drawn."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from nem2e_lib.error import Nem2eError
from nem2e_lib.motion.c3d_files import Missing, Opened, Part
from nem2e_lib.simulate import laboratory

QUANTITIES = {"angle": ("Joint angles", "degrees"), "moment": ("Joint moments", "N·m/kg")}
"""What is compared, and its unit; signs are OpenSim's."""


def beside(one: Opened, folder: Path, quantity: str) -> Part:
    """Angles or moments of the measured leg: for `figures.laboratory.beside_laboratory`.

    Parameters
    ----------
    one
        The walk.
    folder
        Results of `c3d_outcome.simulated`.
    quantity
        ``angle``, from a contact to the next strike of its foot, or ``moment``, while it lasts.
    """
    said, unit = QUANTITIES[quantity]
    own = one.contacts[one.contacts["foot"].isin(one.legs)]
    try:
        drawn = laboratory.curves(folder / one.trial, one.walk.recording, own, one.walk.mass_kg)
    except Nem2eError as error:
        return Missing(f"{said} are not compared: {error}")
    drawn = drawn[drawn["quantity"] == quantity]
    if drawn.empty:
        file = one.walk.recording.path.name
        return Missing(f"{file} has no {said.lower()} of the laboratory's own model, Plug-in Gait, to compare with.")
    curves = drawn.rename(columns={"simulated": "OpenSim"}).melt(
        ["foot", "joint", "start_s", "time_s"], ["OpenSim", "laboratory"], "source", "value"
    )
    agreement = laboratory.agreement_of(drawn)
    return {"curves": curves, "agreement": agreement, "quantity": said, "unit": unit}


def compared(part: Part) -> pd.DataFrame | Missing:
    """Return the agreement of a part, or why there is none."""
    return part if isinstance(part, Missing) else pd.DataFrame(part["agreement"]).drop(columns="quantity")
