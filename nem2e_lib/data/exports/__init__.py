"""Recordings as the programs of amplifiers and cameras export them: each becomes one table over time.

formats
    The table of formats, `read_export` and `read_recording`, and files that are not read with the way out.
sheet, body
    Text cut into lines and cells; the numbers below the labels, with points, commas and thousands.
channels
    Channels, each on its own clock, made into one `Storage`; units of its columns.
plain
    Tables with a line of labels, whatever stands above it.
noraxon, delsys, vicon, qualisys, cortex, bts
    A maker's formats each.
"""
