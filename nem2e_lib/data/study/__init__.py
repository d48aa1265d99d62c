"""The study folder: simulated activation, measured EMG and ground reaction force, whoever made it (docs/study.md).

load
    `load_study`, and every problem on the way.
study
    `Study`: its trials, and their signals read when first asked for.
settings, trials
    ``study.toml``, read and written; ``trials.csv`` and ``cycles.csv``.
beside
    What a trial tells beside activation: angles, moments, muscle lengths, forces, as named sets.
signals
    Columns of a trial's files found, renamed and judged.
"""
