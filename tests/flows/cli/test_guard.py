import errno
import io
import signal
import sys

import pytest

from flows.cli.guard import guarded
from nasgem_core.errors import CellError, DataError, ParameterError


@pytest.fixture(autouse=True)
def _goes_on(monkeypatch):
    """Keep this process alive after a signal: a command that has not ended some seconds later is ended."""
    monkeypatch.setattr("flows.runtime.stopping.PATIENCE", 1e6)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ParameterError("seed = -1: must lie between 0 and 1"), "nasgem: seed = -1: must lie between 0 and 1"),
        (DataError("a.npz is missing: make it"), "nasgem: a.npz is missing: make it"),
        (CellError("a cycle"), "nasgem: a cycle"),
        (DataError("\x1b[31ma\r.png"), r"nasgem: \x1b[31ma\r.png"),
        (OSError(errno.ENOSPC, "x", "data/pairs"), "nasgem: the disk is full: free space at /"),
        (OSError(errno.EROFS, "x"), "nasgem: the disk is read-only: make it writable, and run again"),
        (PermissionError(errno.EACCES, "x", "a"), "nasgem: permission was denied: make it writable at a"),
    ],
)
def test_what_a_user_can_fix_is_one_line(capsys, error, line):
    with pytest.raises(SystemExit) as end, guarded():
        raise error
    assert end.value.code == 1
    output = capsys.readouterr()
    assert output.err.startswith(line) and output.err.count("\n") == 1 and not output.out


def test_an_interruption_says_what_is_kept(capsys):
    with pytest.raises(SystemExit) as end, guarded():
        raise KeyboardInterrupt
    assert end.value.code == 130
    assert "is kept" in capsys.readouterr().err
    with pytest.raises(SystemExit), guarded("Nothing was written"):
        raise KeyboardInterrupt
    assert capsys.readouterr().err == "nasgem: stopped. Nothing was written\n"


def test_an_interruption_by_a_signal_says_so_at_once(capfd):
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        with pytest.raises(SystemExit) as end, guarded("Nothing was written"):
            signal.raise_signal(number)
        assert end.value.code == code
        assert capfd.readouterr().err == "\nnasgem: stopping ...\nnasgem: stopped. Nothing was written\n"


def test_what_a_library_makes_of_an_interruption_is_one_too(capfd):
    for error in (RuntimeError("no compiled object yet"), DataError("half a file")):
        with pytest.raises(SystemExit) as end, guarded("Nothing was written"):
            try:
                signal.raise_signal(signal.SIGTERM)
            except KeyboardInterrupt:
                raise error from None
        assert end.value.code == 143
        assert capfd.readouterr().err.endswith("\nnasgem: stopped. Nothing was written\n")


def test_a_fault_of_the_code_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError), guarded():
        raise ZeroDivisionError


def test_letters_that_the_terminal_lacks_are_escaped(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr("sys.stdout", stream)
    with guarded():
        print("猫")
    stream.flush()
    assert stream.buffer.getvalue() == b"\\u732b\n"


def test_no_password_is_printed_in_a_message_or_a_traceback(capsys, monkeypatch):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    text = "GET http://me:p@ss/w0rd-1@tracker:5000/api?token=abcdef"
    with pytest.raises(SystemExit), guarded():
        raise DataError(text)
    with pytest.raises(KeyError) as caught, guarded():
        raise KeyError(text)
    sys.excepthook(caught.type, caught.value, caught.tb)
    output = capsys.readouterr().err
    assert "nasgem: GET http://***@tracker:5000/api?token=***\n" in output and "KeyError: 'GET http://***@" in output
    assert "w0rd-1" not in output and "abcdef" not in output
