import os
import subprocess
import sys
from pathlib import Path

import pytest

from nasgem.own_packages import environment_with_own_packages, own_root

ROOT = Path(__file__).parents[2]


@pytest.fixture
def shadowed(tmp_path) -> Path:
    """Make a folder with modules of a user that have the names of our packages."""
    (tmp_path / "flows.py").write_text("raise SystemExit('flows.py of the user')\n")
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "__init__.py").write_text("raise SystemExit('tasks of the user')\n")
    return tmp_path


@pytest.mark.parametrize(
    ("paths", "expected"), [([ROOT], "False"), (["{user}", ROOT], "True"), ([ROOT, "{user}"], "False")]
)
def test_other_modules_of_their_names_are_noticed(shadowed, paths, expected):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(path).format(user=shadowed) for path in paths)}
    command = [sys.executable, "-P", "-c", "from nasgem.own_packages import are_shadowed; print(are_shadowed())"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == expected


def test_the_packages_come_first(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["mine", own_root(), "", "other"]))
    assert environment_with_own_packages()["PYTHONPATH"] == os.pathsep.join([own_root(), "mine", "other"])
    monkeypatch.delenv("PYTHONPATH")
    assert environment_with_own_packages()["PYTHONPATH"] == own_root() == str(ROOT)


@pytest.mark.parametrize("words", [("-m", "flows.runtime.dvc_parent"), ("-c", "import flows.runtime.dvc_parent")])
@pytest.mark.parametrize("path", ["", "."])
def test_a_new_process_finds_them_before_those_of_the_user(shadowed, monkeypatch, words, path):
    monkeypatch.setenv("PYTHONPATH", path)
    environment = {**os.environ, **environment_with_own_packages()}
    done = subprocess.run(
        [sys.executable, *words], cwd=shadowed, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("start", [("-m", "nasgem"), ("-c", "from nasgem.__main__ import main; main()")])
def test_a_command_is_not_disturbed_by_modules_of_the_user(shadowed, start):
    """As `python -m nasgem`, and as the console script is, with the user's folder on the path before ours."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(shadowed), str(ROOT)])}
    command = [sys.executable, *start, "search", "--help"]
    done = subprocess.run(command, cwd=shadowed, env=environment, capture_output=True, text=True, check=False)
    assert "Run the whole search, and show what it found" in done.stdout, done.stderr


_PARENT = """
import sys
from nasgem.own_packages import own_root
sys.path.insert(0, own_root())
import multiprocessing
from flows.runtime.processes import start_worker
if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1, start_worker) as pool:
        print(pool.apply(getattr(__import__("tasks.run.placement", fromlist=["x"]), "default_workers"), ("cpu",)))
"""


def test_a_worker_is_not_disturbed_by_modules_of_the_user(shadowed):
    (shadowed / "parent.py").write_text(_PARENT)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(shadowed), str(ROOT)]), "NASGEM_WORKERS": "3"}
    command = [sys.executable, "parent.py"]
    done = subprocess.run(
        command, cwd=shadowed, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "3\n", done.stderr
