"""The one exception that is a message to the user rather than a bug."""


class GapnetError(Exception):
    """Say in one line what is wrong, where, and what to do; it is printed without a traceback."""
