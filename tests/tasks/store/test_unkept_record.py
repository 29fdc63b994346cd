import errno
import pickle

from tasks.store.unkept_record import UnkeptRecordError


def test_it_passes_through_what_prefect_catches_and_comes_whole_from_a_worker():
    error = UnkeptRecordError(errno.ENOSPC, "No space left on device", "storage/a")
    assert not isinstance(error, Exception)
    other = pickle.loads(pickle.dumps(error))
    assert other.args == error.args
    found = other.as_os_error()
    assert (found.errno, found.strerror, found.filename) == error.args
