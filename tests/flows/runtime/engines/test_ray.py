"""What is Ray's own; what all clusters have to do is in test_remote_engine.py."""

import subprocess
import sys

import pytest

from flows.runtime.engines import ray as module
from flows.runtime.engines.engine import FatalTaskError, WorkerError
from flows.runtime.engines.ray import RayEngine
from flows.runtime.engines.ray_settings import quiet_ray
from nasgem_core.errors import NasgemError

quiet_ray(None)  # Ray reads its settings when it is imported
ray = pytest.importorskip("ray")


class Cluster:
    """As much of Ray as a call needs."""

    exceptions = ray.exceptions

    def __init__(self, answers):
        self.answers = iter(answers)

    def remote(self, *_, **__):
        return self

    options = remote

    def wait(self, references, timeout):
        return (references, []) if next(self.answers) == "ready" else ([], references)

    def get(self, reference):
        answer = next(self.answers)
        if isinstance(answer, BaseException):
            raise answer
        return answer


def engine(*answers):
    made = RayEngine(1, "head:6379")
    made.__dict__["_ray"] = Cluster(answers)
    return made


def test_a_call_waits_as_long_as_its_cluster_answers(monkeypatch):
    asked = []
    monkeypatch.setattr(module, "require_scheduler", asked.append)
    assert engine("wait", "wait", "ready", ("result", b"3")).call("doing", print) == ("result", b"3")
    assert asked == ["head:6379"] * 2


@pytest.mark.parametrize(
    ("raised", "error"),
    [
        (ray.exceptions.WorkerCrashedError(), FatalTaskError),
        (ray.exceptions.TaskCancelledError(), WorkerError),
        (ray.exceptions.RayTaskError("doing", "", ValueError("wrong")), ValueError),
    ],
)
def test_what_ray_raises_is_put_in_our_words(raised, error):
    made = engine("ready", raised)
    with pytest.raises(error):
        made.call("doing", print)
    assert not made._sent


def test_a_cluster_that_ends_is_named_before_ray_ends_this_process(monkeypatch):
    def gone(address):
        raise NasgemError("nothing listens")

    monkeypatch.setattr(module, "require_scheduler", gone)
    with pytest.raises(WorkerError, match=r"^the cluster at head:6379 has ended or cannot be reached: start it again"):
        engine("wait").call("doing", print)


@pytest.mark.nightly
def test_its_ports_ask_for_the_key(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = RayEngine(1)
    made.connect()
    try:
        place = made._ray.get_runtime_context().gcs_address
        code = f"import ray; ray.init({place!r}, log_to_driver=False)"
        foreign = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * 64, "PATH": "/usr/bin", "HOME": str(tmp_path)}
        for environment in (foreign, {**foreign, "RAY_AUTH_MODE": "disabled"}):
            tried = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False)
            assert tried.returncode != 0
    finally:
        made.close()


@pytest.mark.slow
@pytest.mark.parametrize("asked", ["machines", "connect", "running_workers"])
def test_ray_is_not_imported_before_its_settings_are_made(tmp_path, asked):
    code = (
        "import sys\n"
        f"from {module.__name__} import RayEngine, NasgemError\n"
        "try:\n"
        f"    RayEngine(0, '127.0.0.1:1').{asked}()\n"
        "except NasgemError:\n"
        "    sys.exit('ray' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False).returncode == 0
