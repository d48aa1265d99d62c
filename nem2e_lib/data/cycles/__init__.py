"""Gait cycles of a study.

find
    Which there are, which can be used, and why the others cannot.
levels
    How high each EMG channel rises in each of them, and when.
normalise
    Measured EMG divided by peaks of cycles, or by recordings of its own.
segment
    Cut and thinned to one labelled array set, ``cycles.nc``.
"""
