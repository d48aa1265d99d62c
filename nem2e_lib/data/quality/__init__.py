"""What a laboratory would want to know of its recordings although nothing forbids using them.

notes
    Every doubt about a study, by what it is about: `quality_notes`.
activation, emg, force
    The checks themselves; their names and thresholds are in `data.checks`.
electrodes, gains, references, phases, hum
    Those of EMG that need a thought of their own: dead or copied channels; units, gains and artefacts; recordings that
    EMG is normalised by; swapped electrodes; mains hum.
words
    How lists of channels and cycles are told.
"""
