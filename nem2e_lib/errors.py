"""The one exception that a user's mistake raises."""


class Nem2eError(ValueError):
    """A mistake the user can mend, told in one sentence.

    The sentence names the file, the row or column, what was found, what was expected and what to do.
    """
