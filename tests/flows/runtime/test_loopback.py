import errno
import os
import socket

import pytest

from flows.runtime.loopback import HOST, api_address, listening
from nasgem_core.errors import NasgemError


def test_requests_wait_in_the_socket():
    with listening() as listener, socket.create_connection(listener.getsockname(), timeout=5):
        assert api_address(listener) == f"http://{HOST}:{listener.getsockname()[1]}/api"


def test_a_port_in_use_is_not_waited_for():
    with listening() as first, listening(first.getsockname()[1]) as second:
        assert second.getsockname() != first.getsockname()


def test_an_interface_that_is_down_is_named_at_once(monkeypatch):
    def unreachable(*_: object, **__: object) -> None:
        raise OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))

    monkeypatch.setattr(socket, "create_connection", unreachable)
    with (
        pytest.raises(
            NasgemError, match=r"^the loopback interface \(127\.0\.0\.1\) .*Network is unreachable.*ip link set"
        ),
        listening(),
    ):
        pytest.fail("it was taken")
