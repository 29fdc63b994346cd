"""A Ray head and a worker as users start them."""

import shutil
import signal
import socket
import ssl
import stat
from pathlib import Path

import pytest

from flows.runtime.engines import ray_serving
from flows.runtime.engines.ray_serving import serve_scheduler, serve_workers
from flows.runtime.engines.ray_settings import KEY_FILE, make_ray_key
from flows.runtime.engines.ray_tls import encrypt_ray
from nasgem_core.errors import NasgemError


def test_a_worker_says_what_it_lacks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".nasgem").mkdir(mode=0o700)
    with pytest.raises(NasgemError, match=r"^the cluster at 127\.0\.0\.1:1 asks for a key, and "):
        serve_workers("127.0.0.1:1", 1)
    make_ray_key()
    with pytest.raises(NasgemError, match=r"^nothing listens at 127\.0\.0\.1:1 "):
        serve_workers("127.0.0.1:1", 1)


def test_a_scheduler_refuses_a_key_that_others_can_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".nasgem").mkdir(mode=0o700)
    make_ray_key()
    KEY_FILE.chmod(0o644)
    with pytest.raises(NasgemError, match=r"ray\.key is not a file that its owner alone can read and write: "):
        serve_scheduler("127.0.0.1", 1)


def test_the_folder_that_ray_opens_to_everybody_is_in_a_private_one(tmp_path, monkeypatch):
    modes = []

    def start(options, lines):
        (folder,) = [Path(option.partition("=")[2]) for option in options if option.startswith("--temp-dir=")]
        folder.mkdir()
        folder.chmod(0o777)
        modes.append(stat.S_IMODE(folder.parent.stat().st_mode))

    monkeypatch.chdir(tmp_path)
    (tmp_path / ".nasgem").mkdir(mode=0o700)
    monkeypatch.setattr(ray_serving, "quiet_ray", lambda *_: None)
    monkeypatch.setattr(ray_serving, "_serve", start)
    serve_scheduler("127.0.0.1", 1)
    assert modes == [0o700]


def assert_encrypted(port: str, secret: str, folder: Path) -> None:
    """Check that the port shows a certificate which whoever has the key believes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(encrypt_ray(secret, folder=folder)["RAY_TLS_CA_CERT"])
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection(("127.0.0.1", int(port)), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
    ):
        assert connection.getpeercert()["issuer"] == ((("commonName", "nasgem cluster"),),)


@pytest.mark.nightly
@pytest.mark.own_server
def test_a_cluster_of_two_folders_comes_and_goes(pristine, tmp_path):
    head, machine = pristine.copy(tmp_path / "head"), pristine.copy(tmp_path / "machine")
    logs = {name: tmp_path / f"{name}.log" for name in ("scheduler", "worker")}
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
    address = f"127.0.0.1:{port}"
    scheduler = head.start("nasgem", "scheduler", "--engine", "ray", "--port", port, output=logs["scheduler"])
    worker = None
    try:
        head.wait_for_line(logs["scheduler"], "the scheduler listens at ")
        ask = ("nasgem", "worker", address, "--engine", "ray", "--workers", "1")
        assert "asks for a key, and" in machine.refused(*ask)
        shutil.copy(head.root / ".nasgem/ray.key", machine.root / ".nasgem/ray.key")
        assert_encrypted(port, (head.root / ".nasgem/ray.key").read_text(), tmp_path / "tls")
        worker = machine.start(*ask, output=logs["worker"])
        machine.wait_for_line(logs["worker"], f"1 workers of {address}")
        status = ("nasgem", "status", "--engine", "ray", "--cluster", address)
        machine.wait_for(lambda: "1 workers, 0 of them at work" in machine.run(*status).stdout)
        worker.send_signal(signal.SIGINT)
        assert worker.wait(60) == 130
        scheduler.send_signal(signal.SIGTERM)
        assert scheduler.wait(60) == 143
    finally:
        for process in filter(None, (scheduler, worker)):
            process.kill()
    for workspace in (head, machine):
        workspace.wait_until_deserted()
    for log in logs.values():
        assert "Traceback" not in log.read_text()
