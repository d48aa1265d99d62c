"""From downloaded archives to a study folder, by a declarative layout."""
