"""Electromyograms: from a raw recording to envelopes.

clock
    An even clock, short gaps bridged, drop-outs found.
envelope
    The steps (filters, rectification, normalisation), and recipes of them.
processing
    A study's recording through its recipe, and what it is normalised by.
table
    EMG that comes cut into cycles already.
"""
