"""Trajectories of markers.

trc
    The file (.trc): `read_markers`, `write_markers`, `Markers`.
body
    What the places say of themselves: their unit, and which axis points up.
"""
