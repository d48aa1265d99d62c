"""Gait cycles: found in a study, and cut into one labelled array set."""
