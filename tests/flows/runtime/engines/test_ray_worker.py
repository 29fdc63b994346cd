import os
import subprocess
import sys

from flows.runtime.engines import ray_worker
from flows.runtime.engines.ray_worker import on_worker
from tasks.run.placement import SLOT


def test_workers_of_a_folder_have_numbers_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(SLOT, "7")
    ray_worker._set_up.cache_clear()
    assert on_worker(lambda value: (value, os.environ[SLOT]), 3) == (3, "0")
    other = f"import os; from {ray_worker.__name__} import on_worker; print(on_worker(os.getenv, {SLOT!r}))"
    for _ in range(2):  # the number of one that has ended is free again
        shown = subprocess.run([sys.executable, "-c", other], check=True, capture_output=True, text=True)
        assert shown.stdout.split() == ["1"]
    ray_worker._set_up.cache_clear()
    ray_worker._HELD.clear()
