"""OpenSim's tables over time.

storage
    `Storage`, and OpenSim's .sto and .mot read and written.
header, numbers
    The two parts of such a file: what stands above the numbers, and the numbers.
"""
