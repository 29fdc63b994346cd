import os

import httpx
import pytest

from flows.runtime.proxies import reach_this_machine_directly
from nasgem_core.errors import NasgemError

ELSEWHERE = "http://mlflow.example:5000"


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name in ("PREFECT_API_URL", "MLFLOW_TRACKING_URI"):
            monkeypatch.delenv(name)
    yield
    for name in ("no_proxy", "NO_PROXY"):
        os.environ.pop(name, None)


def is_asked_directly(url: str) -> bool:
    """Whether a client that reads the environment, as Prefect's does, goes to a server without a proxy."""
    with httpx.Client(verify=False) as client:
        return client._transport_for_url(httpx.URL(url)) is client._transport


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "https_proxy"])
@pytest.mark.parametrize(
    "proxy",
    ["http://127.0.0.1:9", "127.0.0.1:3128", "socks5://127.0.0.1:9", "socks://h:1", "http://h:port", "http://[::1"],
)
def test_servers_of_this_machine_are_asked_directly(monkeypatch, name, proxy):
    monkeypatch.setenv(name, proxy)
    reach_this_machine_directly()
    assert is_asked_directly("http://127.0.0.1:4200/api") and is_asked_directly("http://localhost:5000")


@pytest.mark.parametrize("exceptions", ["", "*", ".corp, 10.0.0.1", "fd00::/8", "[::1]"])
@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
def test_exceptions_of_the_user_stay(monkeypatch, name, exceptions):
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:1")
    monkeypatch.setenv(name, exceptions)
    reach_this_machine_directly()
    assert is_asked_directly("http://127.0.0.1:4200/api")
    if exceptions == ".corp, 10.0.0.1":
        assert is_asked_directly("http://10.0.0.1") and not is_asked_directly(ELSEWHERE)
        assert os.environ["no_proxy"] == os.environ["NO_PROXY"] == ".corp,10.0.0.1,127.0.0.1,localhost,::1"


def test_without_proxies_nothing_is_set():
    reach_this_machine_directly()
    assert "NO_PROXY" not in os.environ


@pytest.mark.parametrize("address", ["PREFECT_API_URL", "MLFLOW_TRACKING_URI"])
def test_a_proxy_that_cannot_be_used_is_not_bypassed_silently(monkeypatch, address):
    monkeypatch.setenv("all_proxy", "socks://me:secret@127.0.0.1:9")
    monkeypatch.setenv(address, ELSEWHERE)
    with pytest.raises(NasgemError, match=rf"^{address} is the address of another machine, .* \(.*all_proxy") as error:
        reach_this_machine_directly()
    assert "secret" not in str(error.value)


def test_a_proxy_that_can_be_used_is_used_elsewhere(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://proxy:1")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", ELSEWHERE)
    reach_this_machine_directly()
    assert not is_asked_directly(ELSEWHERE)
