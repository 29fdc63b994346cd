"""The error of a record that could not be written, which Prefect would log and then forget."""


class UnkeptRecordError(BaseException):
    """A record could not be written: the disk is full, for instance. It ends the command, as finished work is lost.

    It is none of `Exception`, because Prefect takes those of a write as a result that is not to be cached, and goes on.

    Args:
        number: the error number of the system.
        reason: its words.
        filename: the file that could not be written.
    """

    def __init__(self, number: int | None, reason: str, filename: str) -> None:
        super().__init__(number, reason, filename)
        self.number, self.reason, self.filename = number, reason, filename

    def as_os_error(self) -> OSError:
        """Return it as the error that the system reported."""
        return OSError(self.number, self.reason, self.filename)
