"""What the paper leaves open, and what is done here instead: one row a choice."""

OPEN_POINTS: list[dict[str, str]] = []
