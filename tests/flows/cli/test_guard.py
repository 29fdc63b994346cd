import errno
import signal

import pytest

from flows.cli import guard
from flows.cli.guard import guarded
from nasgem_core.errors import CellError, DataError, ParameterError


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ParameterError("seed = -1: must lie between 0 and 1"), "nasgem: seed = -1: must lie between 0 and 1"),
        (DataError("a.npz is missing: make it"), "nasgem: a.npz is missing: make it"),
        (CellError("a cycle"), "nasgem: a cycle"),
        (OSError(errno.ENOSPC, "x", "data/pairs"), "nasgem: the disk is full: free space at data/pairs, and run again"),
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


def test_an_interruption_is_answered_at_once_and_not_twice(capfd):
    with pytest.raises(SystemExit) as end, guarded():
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            assert capfd.readouterr().err == "\nnasgem: stopping ...\n"
            signal.raise_signal(signal.SIGINT)
    assert end.value.code == 130
    assert "stopping" not in capfd.readouterr().err
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_background_job_goes_on_ignoring_ctrl_c():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with guarded():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("error", [OSError(errno.EIO, "x"), ValueError("a fault of ours"), AssertionError()])
def test_our_own_faults_stay_visible(error):
    with pytest.raises(type(error)), guarded():
        raise error


def test_every_errno_of_a_disk_has_a_remedy():
    assert {errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT} <= set(guard._DISK)
