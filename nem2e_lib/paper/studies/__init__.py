"""Studies that are trained once and committed under docs/: ablations, attention, learning curves."""
