"""What can go wrong between us and pypistats. No text holds its address, which is a setting."""


class PyPIStatsError(RuntimeError):
    """pypistats did not answer usefully; the text says why."""


class UnusableAnswerError(PyPIStatsError):
    """There is no usable answer for one project; for another one there may be.

    Attributes:
        passing: Whether asking again soon may help.
    """

    def __init__(self, text: str, *, passing: bool = True) -> None:
        super().__init__(text)
        self.passing = passing


class RefusedError(PyPIStatsError):
    """pypistats wants no more calls for now, whatever for."""


class OutOfTimeError(PyPIStatsError):
    """The next call is not allowed in the time that the caller has."""
