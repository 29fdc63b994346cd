import os

import dask

from flows.runtime.engines.dask_settings import WORKER, quiet_dask, show_pages
from flows.runtime.environment import STATE


def test_dask_is_quiet_has_no_pages_and_keeps_its_files_private(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    STATE.mkdir()
    with dask.config.set({}):
        quiet_dask()
        assert dask.config.get("distributed.scheduler.http.routes") == dask.config.get("distributed.worker.http.routes")
        assert dask.config.get("distributed.worker.http.routes") == []
    assert os.environ["DASK_LOGGING__DISTRIBUTED"] == "critical"
    folder = tmp_path / WORKER["local_directory"]
    assert folder.stat().st_mode & 0o777 == 0o700


def test_only_pages_of_this_machine_may_read_the_dashboard():
    with dask.config.set({}):
        address = show_pages()
        origins = dask.config.get("distributed.scheduler.dashboard.bokeh-application.allow_websocket_origin")
        assert address in origins and all(each.startswith(("127.0.0.1:", "localhost:")) for each in origins)
        assert "distributed.http.scheduler.api" not in dask.config.get("distributed.scheduler.http.routes")
