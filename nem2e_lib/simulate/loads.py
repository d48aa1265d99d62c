"""External loads: which columns of a force file act on which foot."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping

from nem2e_lib.simulate.xml import Value, node, object_set


def external_loads(feet: Mapping[str, str], data_file: str) -> ET.Element:
    """Return ExternalLoads for a force file written by `nem2e_lib.simulate.forces`.

    Parameters
    ----------
    feet : mapping
        Name of the plate in that file to the body it acts on.
    data_file : str
        Path as it shall stand in the document.
    """
    loads = object_set("ExternalLoads", [_load(plate, body) for plate, body in feet.items()], name="ground_reaction")
    ET.SubElement(loads, "datafile").text = data_file
    return loads


def _load(plate: str, body: str) -> ET.Element:
    values: dict[str, Value] = {
        "isDisabled": False,
        "applied_to_body": body,
        "force_expressed_in_body": "ground",
        "point_expressed_in_body": "ground",
        "force_identifier": f"{plate}_v",
        "point_identifier": f"{plate}_p",
        "torque_identifier": f"{plate}_m",
        "data_source_name": "",
    }
    return node("ExternalForce", values, plate)
