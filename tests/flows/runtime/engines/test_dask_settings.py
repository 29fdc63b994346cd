import os

import dask

from flows.runtime.engines import dask_settings
from flows.runtime.engines.dask_settings import WORKER, quiet_dask
from flows.runtime.environment import STATE


def test_dask_is_quiet_has_no_pages_and_keeps_its_files_private(tmp_path, monkeypatch):
    prepared = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(dask_settings, "prepare_fork_server", lambda: prepared.append(True))
    STATE.mkdir()
    with dask.config.set({}):
        quiet_dask()
        assert dask.config.get("distributed.scheduler.http.routes") == dask.config.get("distributed.worker.http.routes")
        assert dask.config.get("distributed.worker.http.routes") == [] and prepared
    assert os.environ["DASK_LOGGING__DISTRIBUTED"] == "critical"
    folder = tmp_path / WORKER["local_directory"]
    assert folder.stat().st_mode & 0o777 == 0o700
