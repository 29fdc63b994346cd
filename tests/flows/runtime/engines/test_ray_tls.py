import socket
import ssl
import stat
import threading
from pathlib import Path

import pytest
from cryptography.x509 import BasicConstraints, load_pem_x509_certificate

from flows.runtime.engines.ray_tls import FOLDER, addresses_here, encrypt_ray


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path(".nasgem").mkdir(mode=0o700)


def shake_hands(server: dict[str, str], client: dict[str, str], host: str) -> str:
    """Connect as gRPC does: both sides show a certificate; returns why it failed, "" if it did not."""
    sides = [ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)]
    for context, own in zip(sides, (server, client), strict=True):
        context.load_cert_chain(own["RAY_TLS_SERVER_CERT"], own["RAY_TLS_SERVER_KEY"])
        context.load_verify_locations(own["RAY_TLS_CA_CERT"])
        context.verify_mode = ssl.CERT_REQUIRED
    left, right = socket.socketpair()
    failed: list[str] = []

    def serve() -> None:
        try:
            with sides[0].wrap_socket(left, server_side=True) as connection:
                connection.send(connection.recv(1))
        except OSError as error:
            failed.append(str(error))

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with sides[1].wrap_socket(right, server_hostname=host) as connection:
            connection.send(b"x")
            assert connection.recv(1) == b"x"
    except (OSError, AssertionError) as error:
        failed.append(str(error))
    thread.join()
    return "; ".join(failed)


def test_machines_with_the_same_key_accept_each_other_at_their_addresses():
    one, two = (encrypt_ray("a" * 64, host, Path(host)) for host in ("10.9.8.7", "head.example"))
    for host in ("127.0.0.1", "10.9.8.7", "localhost", *addresses_here()):
        assert not shake_hands(one, two, host)
    assert not shake_hands(two, one, "head.example")
    assert "IP address mismatch" in shake_hands(two, one, "10.9.8.7")


def test_another_key_is_not_accepted():
    one, two = encrypt_ray("a" * 64, folder=Path("one")), encrypt_ray("b" * 64, folder=Path("two"))
    assert "verify failed" in shake_hands(one, two, "127.0.0.1")


def test_a_machine_cannot_vouch_for_others():
    found = load_pem_x509_certificate(Path(encrypt_ray("a" * 64)["RAY_TLS_SERVER_CERT"]).read_bytes())
    assert found.extensions.get_extension_for_class(BasicConstraints).value.ca is False


def test_its_files_are_the_owners_alone_and_go_with_their_process():
    ended = FOLDER / "999999999-ray_tls_server_key.pem"
    encrypt_ray("a" * 64)
    ended.write_text("old")
    found = encrypt_ray("a" * 64)
    assert not ended.exists() and found["RAY_USE_TLS"] == "1" and stat.S_IMODE(FOLDER.stat().st_mode) == 0o700
    files = list(FOLDER.iterdir())
    assert len(files) == 3 and all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)
