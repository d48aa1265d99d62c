"""Recordings of real people that lie in public repositories, fetched without a login.

sources
    The table of files (sources.csv) and of the sets they make (sets.csv): who, what, licence, where.
places
    Where their bytes come from: the repositories, a mirror, or a folder that has them already.
fetch
    `fetch_open`: checked, kept in a cache, and laid out as one folder.
children, runner
    What of them is simulated, and the study folder of it; the children's mapping lies in ``children/``.
kept
    Activation that was simulated from them once (``activation/``), with its provenance.
"""
