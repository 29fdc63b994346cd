import os
from types import SimpleNamespace

from flows.runtime.engines import dask_worker
from tasks.run.placement import SLOT


def test_a_worker_takes_its_number_from_its_name(monkeypatch):
    started = []
    monkeypatch.setattr(dask_worker, "start_worker", lambda: started.append(True))
    monkeypatch.setenv(SLOT, "")
    for name, slot in ((3, "3"), ("some-host-4711-2", "2")):
        dask_worker.dask_setup(SimpleNamespace(name=name))
        assert os.environ[SLOT] == slot
    assert len(started) == 2
