"""Gait cycles of a study.

find
    Which there are, which can be used, and why the others cannot.
segment
    Cut and thinned to one labelled array set, ``cycles.nc``.
"""
