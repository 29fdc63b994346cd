import pytest

from flows.runtime.engines import kind as module
from flows.runtime.engines.choice import CLUSTER, ENGINE, Choice, chosen_engine, open_engine
from flows.runtime.engines.kind import DASK, ENGINES, PROCESSES, RAY, EngineKind
from nasgem_core.errors import ParameterError


@pytest.mark.parametrize("kind", [DASK, RAY])
def test_an_engine_that_is_not_installed_says_how_it_is(kind, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(ParameterError, match=rf"^engine = '{kind.name}': it is not installed; run `pip install "):
        kind.load("engine")


@pytest.mark.parametrize(
    ("kind", "address", "taken"),
    [
        (DASK, "tls://head:1", True),
        (DASK, "tcp://head:1", True),
        (DASK, "head:1", False),
        (RAY, "head:6379", True),
        (RAY, "[::1]:6379", True),
        (RAY, "ray://head:10001", False),
        (RAY, "head", False),
        (PROCESSES, "head:1", False),
    ],
)
def test_addresses_belong_to_engines(kind, address, taken):
    assert kind.takes(address) is taken


@pytest.mark.parametrize("kind", [DASK, RAY])
def test_what_is_named_is_there(kind):
    assert all(callable(kind.load(part)) for part in ("engine", "scheduler", "workers", "status"))


def test_processes_serve_no_cluster():
    with pytest.raises(ParameterError, match=r"^engine = 'processes': it has no scheduler$"):
        PROCESSES.load("scheduler")


def test_a_dashboard_that_there_is_not_is_refused(monkeypatch):
    with pytest.raises(ParameterError, match=r"^dashboard: the scheduler of engine 'ray' has none$"):
        RAY.require_dashboard()
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(ParameterError, match=r"^dashboard: it is not installed; run `pip install bokeh`$"):
        DASK.require_dashboard()
    monkeypatch.setattr(module, "find_spec", lambda name: name)
    DASK.require_dashboard()


class Threads:
    def __init__(self, workers, address):
        self.made = (workers, address)

    def connect(self):
        self.made += ("connected",)


def test_an_engine_of_another_package_is_chosen_by_name_and_by_address(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    own = EngineKind("threads", f"{__name__}:Threads", address="threads://HOST", schemes=("threads://",))
    monkeypatch.setitem(ENGINES._added, "threads", own)
    monkeypatch.setenv(ENGINE, "threads")
    monkeypatch.setenv(CLUSTER, "")
    assert open_engine(3).made == (3, "")
    monkeypatch.setenv(ENGINE, "")
    monkeypatch.setenv(CLUSTER, "threads://here")
    assert chosen_engine() == Choice("threads", "threads://here")
    assert open_engine(3).made == (3, "threads://here", "connected")
