"""The one exception that a user's mistake raises."""


class Nem2eError(ValueError):
    """A mistake the user can mend, told in one sentence.

    The sentence names the file, the row or column, what was found, what was expected and what to do.
    """

    def _render_traceback_(self) -> list[str]:
        """Show the sentence alone in a notebook, where IPython asks for this instead of a traceback."""
        return [f"nem2e: {self}"]
