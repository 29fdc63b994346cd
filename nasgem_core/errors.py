"""Errors that a user can fix: each message says what is wrong, where, and what to do."""


class NasgemError(Exception):
    """A mistake in the input or the environment; the command line shows only its message."""


class ParameterError(NasgemError, ValueError):
    """A parameter is unknown, of the wrong type, or out of range."""


class CellError(NasgemError, ValueError):
    """A graph is not a valid cell."""


class DivergedError(NasgemError):
    """A training whose loss or weights are not finite: a lower learning rate may help."""


class DeviceMemoryError(NasgemError):
    """A device has too little memory for one more training: with fewer at a time it may have enough."""


class DataError(NasgemError):
    """A file is missing, truncated, corrupt, or not of the kind that is expected there."""
