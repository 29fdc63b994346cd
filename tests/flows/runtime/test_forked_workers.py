import errno
import multiprocessing
import os
import resource
from multiprocessing import forkserver

import pytest

from flows.runtime import forked_workers
from nasgem_core.errors import NasgemError
from tasks.store.unkept_record import UnkeptRecordError


@pytest.mark.parametrize("before", [None, "", "1"])
def test_a_module_of_the_user_is_not_imported_in_place_of_ours(monkeypatch, before):
    seen = []
    monkeypatch.setattr(forkserver, "ensure_running", lambda: seen.append(os.environ["PYTHONSAFEPATH"]))
    if before is None:
        monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    else:
        monkeypatch.setenv("PYTHONSAFEPATH", before)
    forked_workers.prepare_fork_server()
    assert seen == ["1"] and os.environ.get("PYTHONSAFEPATH") == before


def test_no_worker_is_started_where_its_libraries_would_wait_for_memory_without_end(monkeypatch):
    submitted = []
    monkeypatch.setattr(forked_workers, "prepare_fork_server", lambda: None)
    monkeypatch.setattr(forked_workers.ProcessPoolTaskRunner, "submit", lambda _, task: submitted.append(task))
    pool = forked_workers.ForkedWorkers(max_workers=1)
    limits = [9 * 2**29, 6 * 2**30, resource.RLIM_INFINITY]
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limits.pop(0), resource.RLIM_INFINITY))
    with pytest.raises(NasgemError, match=r"4\.5 GiB of address space here \(ulimit -v\), and a worker needs 6: raise"):
        pool.submit("cell")
    pool.submit("cell")
    pool.submit("cell")
    assert submitted == ["cell"] * 2


def full(path: str) -> None:
    raise UnkeptRecordError(errno.ENOSPC, "No space left on device", path)


@pytest.mark.slow
def test_a_record_that_a_worker_cannot_write_ends_what_waits_for_it():
    with forked_workers._Pool(1, multiprocessing.get_context("forkserver")) as pool:
        error = pool.submit(full, "record").exception(60)
        assert isinstance(error, OSError) and (error.errno, error.filename) == (errno.ENOSPC, "record")
        assert pool.submit(abs, -2).result(60) == 2
