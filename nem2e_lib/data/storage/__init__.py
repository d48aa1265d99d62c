"""File formats of recordings: one table over time, whoever wrote it.

storage
    `Storage`, and OpenSim's .sto and .mot read and written.
header, numbers
    The two parts of such a file: what stands above the numbers, and the numbers.
export
    Text that an amplifier's program exported (.csv, .tsv, .txt).
"""
