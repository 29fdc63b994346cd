import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows.runtime.lock import folder_lock
from nasgem_core.errors import NasgemError

ROOT = Path(__file__).parents[3]
HOLD = "from flows.runtime.lock import folder_lock\nwith folder_lock(): print('held', flush=True); input()"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def other():
    """Another process that holds the folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_second_is_refused_and_the_holder_is_named(other):
    with pytest.raises(NasgemError, match=f"process {other.pid} is already working in this folder"), folder_lock():
        pytest.fail("two hold the folder")


def test_a_killed_holder_holds_nothing(other):
    other.kill()
    other.wait()
    with folder_lock():
        assert Path(".nasgem/holder").read_text() == f"process {os.getpid()}"


def test_blocks_of_one_process_can_be_nested(other):
    other.kill()
    other.wait()
    with folder_lock():
        with folder_lock():
            pass
        again = subprocess.run(
            [sys.executable, "-c", HOLD],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            input="\n",
            capture_output=True,
            text=True,
            check=False,
        )
    assert "already working in this folder" in again.stderr and "held" not in again.stdout
    with folder_lock():
        pass
