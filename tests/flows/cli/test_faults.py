import errno
import resource
import shutil
import sqlite3
from concurrent.futures.process import BrokenProcessPool

import httpx
import pytest

from flows.cli import faults
from flows.cli.faults import explain, full_disk
from flows.runtime.environment import STATE
from flows.runtime.prefect_settings import settings_of_own_server
from nasgem_core.errors import DataError
from tasks.store.unkept_record import UnkeptRecordError


def raised(error: Exception, cause: BaseException | None = None) -> Exception:
    """Return an error that was raised while another one was handled."""
    try:
        try:
            raise cause or error
        except BaseException:
            raise error  # noqa: B904 - what a library does
    except Exception as found:
        return found


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    STATE.mkdir()
    monkeypatch.setattr(faults, "where_to_free", lambda file=None: f" at the disk of {file}" if file else "")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            OSError(errno.ENOSPC, "x", "data/pairs"),
            "the disk is full: free space at the disk of data/pairs, and run again",
        ),
        (OSError(errno.ENOSPC, "x", "copied", None, "copy"), "the disk is full: free space at the disk of copy, and"),
        (OSError(errno.EDQUOT, "x"), "the disk quota is used up: free space, and run again"),
        (OSError(errno.EFBIG, "x"), "a file may not become that large here"),
        (OSError(errno.EROFS, "x"), "the disk is read-only: make it writable, and run again"),
        (PermissionError(errno.EACCES, "x", "a"), "permission was denied: make it writable at a"),
        (OSError(errno.ENAMETOOLONG, "x", "a" * 300), "a name is too long for the file system: choose a shorter one"),
        (OSError(errno.ELOOP, "x", "a"), "a link leads back to itself: remove it at a"),
        (raised(RuntimeError("could not store"), OSError(errno.ENOSPC, "x")), "the disk is full"),
        (ExceptionGroup("two", [ValueError(), OSError(errno.ENOSPC, "x")]), "the disk is full"),
        (OSError("[Errno 122] Disk quota exceeded"), "the disk is full"),
        (sqlite3.OperationalError("database or disk is full"), "the disk is full"),
        (ValueError("I/O error: No space left on device (os error 28)"), "the disk is full"),
        (RuntimeError("[enforce fail at inline_container.cc:626] . PytorchStreamWriter failed writing"), "the disk is"),
        (MemoryError(), "memory ran out: end other programs, use fewer --workers or smaller batches, and run again"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), "memory ran out"),
        (RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB"), "memory ran out"),
        (ImportError("libtorch_cpu.so: failed to map segment from shared object"), "memory ran out"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "memory ran out"),
        (RuntimeError("can't start new thread"), "no more threads can be started: end other programs, or raise"),
        (httpx.ConnectError("All connection attempts failed"), "the Prefect server failed (ConnectError: All"),
    ],
)
def test_what_a_user_can_mend_is_said(error, words):
    message = explain(error)
    assert message is not None and message.startswith(words) and "finished work is kept" in message


def test_a_server_of_the_user_is_named_without_its_password(monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://me:secret@10.0.0.1:4200/api")
    said = explain(httpx.ConnectError("All connection attempts failed"))
    assert said is not None and said.startswith(
        "the Prefect server at http://***@10.0.0.1:4200/api failed (ConnectError"
    )
    assert "its log says why" in said and ".nasgem" not in said
    with settings_of_own_server("http://127.0.0.1:1/api", "secret"):
        assert "the end of .nasgem/prefect/server.log" in (explain(httpx.ConnectError("x")) or "")


def test_a_message_of_our_own_may_be_of_a_full_disk():
    full = raised(DataError("cannot write the table"), OSError(errno.ENOSPC, "x", "data/tables"))
    assert (full_disk(full) or "").startswith("the disk is full: free space at the disk of data/tables, and run again")
    assert full_disk(raised(DataError("cannot write the table"), OSError(errno.EACCES, "x", "data/tables"))) is None


def test_a_copy_of_many_files_names_the_disk_of_its_folder():
    copied = shutil.Error([("photos/a.jpg", "shop/images/a.jpg", "[Errno 28] No space left on device")])
    assert (full_disk(raised(DataError("x"), copied)) or "").startswith("the disk is full: free space at the disk of s")


def test_a_record_that_did_not_fit_is_of_a_full_disk():
    unkept = UnkeptRecordError(errno.ENOSPC, "No space left on device", "storage/a")
    for error in (unkept, raised(RuntimeError("x"), unkept)):
        assert (explain(error) or "").startswith("the disk is full: free space at the disk of storage/a, and run again")


def server_error() -> Exception:
    from prefect.exceptions import PrefectHTTPStatusError

    request = httpx.Request("POST", "http://127.0.0.1:1/api/flows/")
    response = httpx.Response(500, request=request)
    return PrefectHTTPStatusError("Server error '500 Internal Server Error'\nmore", request=request, response=response)


def test_an_error_500_names_the_log():
    message = explain(raised(RuntimeError("x"), server_error()))
    assert message is not None and f"the end of {STATE}/prefect/server.log says why. Run again" in message
    assert "\n" not in message and not list(STATE.iterdir())


def test_an_error_500_at_the_limit_of_file_sizes_names_ulimit(monkeypatch):
    log = STATE / "prefect" / "server.log"
    log.parent.mkdir()
    log.write_text("sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) disk I/O error")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (4200 * 1024, resource.RLIM_INFINITY))
    message = explain(server_error()) or ""
    assert message.startswith("a file may not become that large here (ulimit -f): raise the limit, and run again")


def test_an_error_500_of_a_full_disk_says_so(monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    assert (explain(server_error()) or "").startswith("the disk is full: free space, and run again")


@pytest.mark.parametrize(
    "error",
    [
        ZeroDivisionError("x"),
        KeyError("seed"),
        BrokenProcessPool("x"),
        OSError(2, "x"),
        ImportError("x.so: failed to map segment from shared object: Operation not permitted"),
    ],
)
def test_a_fault_of_the_code_is_not_explained_away(error):
    assert explain(error) is None
