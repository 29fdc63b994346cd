import os
import subprocess
import sys

import pytest

from flows.runtime.engines import choice
from flows.runtime.engines.choice import CLUSTER, ENGINE, FILE, Choice, chosen_engine, open_engine, use_store
from flows.runtime.engines.dask import DaskEngine
from flows.runtime.engines.processes import ProcessPool
from nasgem_core.errors import ParameterError
from tasks.store.object_store import STORE


@pytest.fixture(autouse=True)
def environment(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in (ENGINE, CLUSTER, STORE):
        monkeypatch.setenv(name, "")
    return monkeypatch


def test_processes_are_the_default():
    engine = open_engine(3)
    assert isinstance(engine, ProcessPool) and engine.workers == 3


def test_dask_starts_a_cluster_here_when_it_is_needed(environment):
    environment.setenv(ENGINE, "dask")
    engine = open_engine(3)
    assert isinstance(engine, DaskEngine) and (engine.workers, engine.address) == (3, "")


def test_an_address_means_dask_which_connects_at_once(environment):
    connected = []
    environment.setenv(CLUSTER, "tls://head:8786")
    environment.setattr(DaskEngine, "connect", lambda engine: connected.append(engine.address))
    assert isinstance(open_engine(3), DaskEngine) and connected == ["tls://head:8786"]


@pytest.mark.parametrize(
    ("engine", "cluster", "message"),
    [
        ("abacus", "", "unknown engine 'abacus': known are processes, dask, ray"),
        ("processes", "tls://head:8786", "cluster = tls://head:8786: engine processes has none; use another engine"),
        ("dask", "head:8786", "cluster = 'head:8786': must be like tls://HOST:8786 for engine dask"),
        ("", "head:8786", "cluster = 'head:8786': must be like tls://HOST:8786 for engine dask"),
        ("ray", "tls://head:8786", "cluster = 'tls://head:8786': must be like HOST:6379 for engine ray"),
        ("ray", "head", "cluster = 'head': must be like HOST:6379 for engine ray"),
    ],
)
def test_what_there_is_not_is_named(environment, engine, cluster, message):
    environment.setenv(ENGINE, engine)
    environment.setenv(CLUSTER, cluster)
    with pytest.raises(ParameterError) as refused:
        chosen_engine()
    assert str(refused.value) == message


def test_a_file_says_it_for_every_command_unless_the_environment_does(environment):
    FILE.write_text("cluster: tls://head:8786")
    assert chosen_engine() == Choice("dask", "tls://head:8786")
    environment.setenv(ENGINE, "processes")
    assert chosen_engine() == Choice("processes", "")


def test_the_file_names_a_store_too(environment):
    FILE.write_text("cluster: tls://head:8786\nstore: file:///shared")
    environment.setenv(STORE, "")
    assert chosen_engine() == Choice("dask", "tls://head:8786", "file:///shared")
    environment.setenv(ENGINE, "processes")
    environment.setenv(STORE, "file:///own")
    assert chosen_engine() == Choice("processes", "", "file:///own")
    assert use_store().store == os.environ[STORE] == "file:///own"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("workers: 3", "^cluster.yaml: workers is unknown: known are engine, cluster, store$"),
        ("cluster: 8786", "^cluster.yaml: cluster = 8786: must be of type str"),
        ("[", "^cluster.yaml is not valid YAML"),
        ("", "^cluster.yaml: the document must be a mapping"),
    ],
)
def test_a_wrong_file_is_named(text, message):
    FILE.write_text(text)
    with pytest.raises(ParameterError, match=message):
        chosen_engine()


@pytest.mark.slow
def test_nothing_heavy_is_imported_to_choose():
    heavy = {"prefect", "torch", "distributed", "ray"}
    code = f"import sys, {choice.__name__}; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
