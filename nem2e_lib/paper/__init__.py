"""The companion: a run of the notebooks, what it has found, its verdicts, and the studies beside it."""
