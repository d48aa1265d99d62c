"""Errors, statistics, attention and the paper's claims, from trained conditions."""
