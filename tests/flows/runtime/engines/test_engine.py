import pytest

from flows.runtime.engines.dask import DaskEngine
from flows.runtime.engines.engine import Engine
from flows.runtime.engines.processes import ProcessPool
from flows.runtime.engines.ray import RayEngine


@pytest.mark.parametrize("engine", [ProcessPool(1), DaskEngine(1), RayEngine(1)])
def test_engines_do_what_flows_need(engine):
    methods = {name for name in vars(Engine) if not name.startswith("_")}
    assert methods == {"connect", "run", "submit", "ask", "terminate", "explained", "close"}
    assert all(callable(getattr(engine, name)) for name in methods)
    engine.terminate()
    engine.close()
    assert engine.explained(ValueError()) is None
