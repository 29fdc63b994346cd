"""A scheduler and a worker as users start them, in folders that share nothing but the key."""

import re
import shutil
import signal
import socket
import time
from http.client import HTTPException
from urllib.request import urlopen

import psutil
import pytest

from flows.runtime.engines.dask_serving import serve_scheduler, serve_workers
from nasgem_core.errors import NasgemError

pytestmark = pytest.mark.slow


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".nasgem").mkdir()
    return tmp_path


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def test_an_address_where_it_cannot_listen_is_named(here):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(
            NasgemError, match=rf"^the scheduler cannot listen at 127\.0\.0\.1:{port} \(Address already"
        ):
            serve_scheduler("127.0.0.1", port)
    for elsewhere in ("192.0.2.1", "no such host"):
        with pytest.raises(NasgemError, match="choose another --port, or an address of this machine as --host"):
            serve_scheduler(elsewhere, 8786)


def test_a_worker_says_that_no_scheduler_answers(here, capfd):
    with pytest.raises(NasgemError, match=r"^nothing listens at tcp://127\.0\.0\.1:1 "):
        serve_workers("tcp://127.0.0.1:1", 1)
    assert "whoever reaches its scheduler can run any code here as you" in capfd.readouterr().err


@pytest.mark.nightly
@pytest.mark.own_server
@pytest.mark.parametrize("options", [(), ("--dashboard",)])
def test_pages_of_the_cluster_are_shown_on_request_alone(pristine, tmp_path, options):
    pytest.importorskip("bokeh")
    workspace, log = pristine.copy(tmp_path / "repository"), tmp_path / "scheduler.log"
    scheduler = workspace.start("nasgem", "scheduler", "--port", str(free_port()), *options, output=log)
    try:
        workspace.wait_for(lambda: "`nasgem search --cluster" in log.read_text())
        time.sleep(1)  # the link is the next line
        found = [shown(place.laddr.port) for place in psutil.Process(scheduler.pid).net_connections("inet")]
    finally:
        scheduler.send_signal(signal.SIGTERM)
        scheduler.wait(60)
    assert any(found) == bool(options)
    link = re.search(r"its dashboard, .*: http://127\.0\.0\.1:\d+/status$", log.read_text(), re.MULTILINE)
    assert (link is not None) == bool(options)
    workspace.wait_until_deserted()


def shown(port: int) -> bool:
    try:
        return b"Dask" in urlopen(f"http://127.0.0.1:{port}/status", timeout=5).read()
    except (OSError, HTTPException):
        return False


@pytest.mark.nightly
@pytest.mark.own_server
def test_a_cluster_of_two_folders_trains_and_survives_its_parts(pristine, tmp_path):
    head, machine = pristine.copy(tmp_path / "head"), pristine.copy(tmp_path / "machine")
    logs = {name: tmp_path / f"{name}.log" for name in ("scheduler", "worker")}
    address = f"tls://127.0.0.1:{free_port()}"
    scheduler = head.start("nasgem", "scheduler", "--port", address.rpartition(":")[2], output=logs["scheduler"])
    try:
        head.wait_for_line(logs["scheduler"], "the scheduler listens at ")
        assert "asks for a key, and" in machine.refused("nasgem", "worker", address)
        shutil.copy(head.root / ".nasgem/cluster.pem", machine.root / ".nasgem/cluster.pem")
        worker = machine.start("nasgem", "worker", address, "--workers", "1", output=logs["worker"])
        machine.wait_for_line(logs["worker"], f"1 workers of {address}")
        worker.send_signal(signal.SIGINT)
        assert worker.wait(60) == 130
        machine.wait_until_deserted()
        again = machine.start("nasgem", "worker", address, "--workers", "1", output=logs["worker"])
        machine.wait_for(lambda: logs["worker"].read_text().count(f"1 workers of {address}") == 2)
        scheduler.send_signal(signal.SIGTERM)
        assert scheduler.wait(60) == 143
        assert again.wait(120) == 0, "workers end with their scheduler"
    finally:
        scheduler.kill()
    for workspace in (head, machine):
        workspace.wait_until_deserted()
    for log in logs.values():
        assert "Traceback" not in log.read_text()
