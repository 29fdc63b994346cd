import subprocess

import pytest

from flows.cli.faults import full_disk
from flows.runtime import dvc_command
from flows.runtime.dvc_command import run_dvc
from nasgem_core.errors import NasgemError

FULL = """ERROR: unexpected error - [Errno 28] No space left on device

Having any troubles? Hit us up at https://dvc.org/support, we are always happy to help!
"""


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ({"stderr": "a remark\nERROR: no such file\nmore\n"}, "ERROR: no such file"),
        ({"stderr": "", "stdout": "one\n\nthe last line\n"}, "the last line"),
        ({"stderr": "ERROR: at https://me:secret@host/x\n"}, "ERROR: at https://***:***@host/x"),
        ({"stderr": "a remark\n\nHaving any troubles? Hit us up\n"}, "a remark"),
        ({"stderr": "\nHaving any troubles? Hit us up at https://dvc.org/support\n"}, "it does not say why"),
        ({}, "it does not say why"),
    ],
)
def test_the_reason_of_dvc_is_given(monkeypatch, output, reason):
    done = subprocess.CompletedProcess([], 1, **{"stdout": "", "stderr": "", **output})
    monkeypatch.setattr(dvc_command.subprocess, "run", lambda *_, **__: done)
    with pytest.raises(NasgemError) as caught:
        run_dvc("add", "x", failed="DVC could not add x", remedy="Mend it")
    assert str(caught.value).startswith("DVC could not add x: ") and str(caught.value).endswith(". Mend it")
    assert reason.replace("***:***", "***") in str(caught.value).replace("***:***", "***")


def test_a_command_runs_in_its_folder_with_the_private_cache(tmp_path, monkeypatch):
    seen = []
    done = subprocess.CompletedProcess([], 0, "", "")
    monkeypatch.setattr(
        dvc_command.subprocess, "run", lambda command, **options: seen.append((command, options)) or done
    )
    run_dvc("add", "x", failed="", remedy="", folder=tmp_path)
    ((command, options),) = seen
    assert command[1:] == ["-m", "dvc", "add", "x"] and options["cwd"] == tmp_path
    assert options["env"]["DVC_SITE_CACHE_DIR"] == str(tmp_path / ".nasgem" / "dvc")
    assert options["env"]["DVC_NO_ANALYTICS"] == "1"


def test_the_reason_of_a_full_disk_is_found(monkeypatch):
    monkeypatch.setattr(dvc_command.subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 255, "", FULL))
    with pytest.raises(NasgemError) as caught:
        run_dvc("add", "x", failed="DVC could not add x", remedy="Mend it")
    assert (full_disk(caught.value) or "").startswith("the disk is full: free space")
