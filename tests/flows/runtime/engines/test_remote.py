import os
from pathlib import Path

import pytest

from flows.runtime.engines import remote
from flows.runtime.engines.remote import RefusedError, description, opened, run_here
from nasgem_core.errors import DeviceMemoryError
from tasks.run.placement import SLOT, Placement
from tests.flows.runtime.engines import worker_tasks
from tests.flows.runtime.engines.worker_tasks import doing

SOURCE = doing.cache_policy.source


def run(what="work", *, name="doing", source=SOURCE, marks: Path):
    values = {"number": 3, "what": what, "marks": str(marks), "placement": Placement(device="cuda")}
    return run_here(worker_tasks.__name__, name, source, values)


def test_a_task_runs_on_the_device_of_the_worker_and_sends_plain_bytes(tmp_path, monkeypatch):
    monkeypatch.setenv(SLOT, "5")
    monkeypatch.setenv("NASGEM_DEVICE", "cpu")
    word, content = run(marks=tmp_path)
    assert word == "result" and isinstance(content, bytes)
    assert opened((word, content)) == {"number": 3, "device": "cpu", "process": os.getpid(), "slot": "5"}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"source": "0" * 40}, "runs other code than this machine$"),
        ({"name": "undoing"}, "does not have task undoing of .*worker_tasks: it runs other code$"),
        ({"what": "refuse"}, ": the images are others$"),
    ],
)
def test_a_worker_that_cannot_be_used_says_where_it_is_and_why(tmp_path, changed, reason):
    with pytest.raises(RefusedError, match=rf"^the worker at .*:{os.getcwd()}.*{reason}"):
        opened(run(marks=tmp_path, **changed))
    assert "source" not in changed or not list(tmp_path.iterdir()), "it refuses before the work begins"


def test_a_worker_without_enough_memory_on_its_gpu_says_so(tmp_path):
    with pytest.raises(DeviceMemoryError, match=r"^the worker at .*: cuda:0 has too little memory$"):
        opened(run("crowd", marks=tmp_path))


def test_a_module_that_is_missing_is_other_code():
    assert run_here("tasks.missing", "x", "", {})[0] == "refused"


def test_machines_are_compared_by_code_and_packages(monkeypatch):
    assert set(description()) == {"code", "Python", "torch", "NumPy", "place"}
    before = description()["code"]
    monkeypatch.setattr(remote, "source_fingerprint", lambda module: "other")
    assert description()["code"] != before == before.strip()
