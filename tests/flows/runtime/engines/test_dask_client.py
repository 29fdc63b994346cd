from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from flows.runtime.engines import dask_client
from flows.runtime.engines.dask_client import cluster_lines, connected
from nasgem_core.errors import NasgemError


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "tcp://127.0.0.1", "tcp://127.0.0.1:99999999"])
def test_a_scheduler_that_is_not_there_is_named(address):
    with pytest.raises(NasgemError, match=rf"^nothing listens at {address} .*: start `nasgem scheduler` there"):
        connected(address)


def test_each_worker_has_a_line_with_what_it_does(monkeypatch):
    workers = {"tls://b:2": {"name": "b-7-0", "host": "10.0.0.2"}, "tls://a:1": {"name": "a-9-1", "host": "10.0.0.1"}}
    client = SimpleNamespace(
        scheduler_info=lambda n_workers: {"workers": workers},
        processing=lambda: {"tls://a:1": (), "tls://b:2": ("proxy training-0123",)},
    )
    monkeypatch.setattr(dask_client, "connected", lambda address: nullcontext(client))
    first, *others = cluster_lines("tls://head:8786")
    assert first == "2 workers, 1 of them at work"
    assert [line.split(maxsplit=2) for line in others] == [
        ["a-9-1", "10.0.0.1", "waits"],
        ["b-7-0", "10.0.0.2", "proxy training"],
    ]


def test_a_scheduler_that_ends_meanwhile_is_named(monkeypatch):
    monkeypatch.setattr(
        dask_client, "connected", lambda address: nullcontext(SimpleNamespace(scheduler_info=lambda n_workers: {}))
    )
    with pytest.raises(NasgemError, match=r"^the scheduler at tls://head:8786 has just ended: start"):
        list(cluster_lines("tls://head:8786"))
