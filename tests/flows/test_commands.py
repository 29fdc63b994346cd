"""Commands that are forked do what the installed script does."""

import json
import os
import signal
import subprocess

import pytest

from tests.flows.commands import NASGEM

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("words", [("--help",), ("stage", "pears"), ("stage", "labels")])
def test_a_forked_command_prints_and_returns_what_the_script_does(searched, words):
    forked, script = searched.run("nasgem", *words), searched.run(NASGEM, *words)
    assert (forked.returncode, forked.stdout, forked.stderr) == (script.returncode, script.stdout, script.stderr)
    assert forked.returncode == ("pears" in words)


def test_a_shell_has_the_same_command(fresh):
    done = fresh.run("bash", "-c", "nasgem stage pears | cat; exec nasgem stage pears 2>errors")
    assert (done.returncode, done.stdout) == (1, "") and done.stderr == (fresh.root / "errors").read_text()


def test_libraries_read_the_environment_of_the_command(fresh):
    message = fresh.refused("nasgem", "stage", "pairs", PREFECT_API_URL="http://127.0.0.1:1/api")
    assert "http://127.0.0.1:1/api does not answer" in message
    fresh.succeed("nasgem", "stage", "pairs")
    assert list((fresh.root / ".nasgem" / "prefect").glob("storage/*"))
    document = {"schema": "nasgem.cell/1", "operations": ["input", "conv1x1"], "edges": [[0, 1]]}
    (fresh.root / "cell.json").write_text(json.dumps(document))
    fresh.succeed("nasgem", "show", "cell.json", NUMBA_CACHE_DIR=str(fresh.root / "compiled"))
    assert list((fresh.root / "compiled").rglob("*.nbi"))


def test_it_hears_signals_and_is_waited_for(fresh):
    process = fresh.start("nasgem", "stage", "pairs")
    fresh.wait_for((fresh.root / ".nasgem" / "holder").is_file)
    assert process.poll() is None and os.getpgid(process.pid) == process.pid == os.getsid(process.pid)
    assert f"process {process.pid}" == (fresh.root / ".nasgem" / "holder").read_text()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.01)
    process.kill()
    assert process.wait(10) == -signal.SIGKILL == process.poll()
