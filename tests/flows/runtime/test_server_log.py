import resource

import pytest

from flows.runtime.server_log import end_of_log, met_file_limit


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "server.log"
    path.write_text("x" * 9_000 + "\nsqlite3.OperationalError: Disk I/O error\n")
    return path


def test_the_end_of_a_log_is_what_counts(log, tmp_path):
    assert len(end_of_log(log)) == 5_000 and end_of_log(log).endswith("disk i/o error\n")
    assert end_of_log(tmp_path / "none") == ""
    log.write_text(log.read_text() + "y" * 9_000)
    assert "disk" not in end_of_log(log)


@pytest.mark.parametrize(("limit", "expected"), [(4200 * 1024, True), (resource.RLIM_INFINITY, False)])
def test_a_failed_write_is_the_limits_where_there_is_one(log, monkeypatch, limit, expected):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, resource.RLIM_INFINITY))
    assert met_file_limit(log) is expected
    log.write_text("Application startup failed. Exiting.")
    assert not met_file_limit(log)
