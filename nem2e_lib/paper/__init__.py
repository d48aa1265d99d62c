"""Figures, tables, pages, and the notebooks that make them."""
