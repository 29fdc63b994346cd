"""A stage ends with its `dvc`, whichever shell is between them and however early `dvc` is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows.runtime import dvc_parent
from flows.runtime.dvc_parent import follow_dvc

ROOT = Path(__file__).parents[3]
STAGE = """
import os, sys, time
open("stage", "w").write(str(os.getpid()))
while {late} and os.getppid() == {parent}:
    time.sleep(0.01)
from flows.runtime.dvc_parent import follow_dvc
follow_dvc()
open("following", "w").close()
time.sleep(60)
"""
DVC = """
import os, subprocess, sys, time
environment = dict(os.environ, DVC_STAGE="pairs")
code = {code!r}.replace("PARENT", str(os.getpid()))
command = [sys.executable, "-c", code]
if {shell}:
    command = ["/bin/sh", "-c", '"$@"; true', "sh", *command]
subprocess.Popen(command, env=environment)
time.sleep(60)
"""


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def wait_for(condition, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "in vain"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("shell", "late"), [(False, False), (True, False), (False, True)], ids=["direct", "a shell between", "killed first"]
)
def test_a_stage_ends_with_a_killed_dvc(tmp_path, shell, late):
    code = STAGE.format(late=late, parent="PARENT")
    dvc = subprocess.Popen(
        [sys.executable, "-c", DVC.format(code=code, shell=shell)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )
    try:
        awaited = tmp_path / ("stage" if late else "following")
        wait_for(lambda: awaited.exists() and (tmp_path / "stage").read_text() != "")
        stage = int((tmp_path / "stage").read_text())
        dvc.send_signal(signal.SIGKILL)
        dvc.wait()
        wait_for(lambda: gone(stage), 10)
        assert (tmp_path / "following").exists() != late
    finally:
        os.killpg(dvc.pid, signal.SIGKILL) if not gone(dvc.pid) else None


def test_a_command_that_is_not_a_stage_follows_nobody(monkeypatch):
    monkeypatch.delenv("DVC_STAGE", raising=False)
    monkeypatch.setattr(dvc_parent, "follow", lambda _: pytest.fail("it follows"))
    follow_dvc()


def test_a_parent_that_may_not_be_asked_is_no_dvc(monkeypatch):
    def gone(*_: object) -> int:
        raise ProcessLookupError

    monkeypatch.setattr(os, "getsid", lambda _: 1)
    monkeypatch.setattr(os, "getpgid", gone)
    assert dvc_parent._is_foreign(99999)
