"""benchmarks/gpu.py: what a GPU is to prove, in a form that runs on the CPU."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.gpu_checks.bars import bars
from benchmarks.gpu_checks.marked import MARK
from benchmarks.gpu_checks.record import Record
from benchmarks.gpu_checks.setting import PAPER, PAPER_TRAININGS, OutOfTimeError, Setting
from nasgem_core.config.search import read_profile
from tasks.run.parameters import load_yaml
from tests.scripts import ROOT

CORE = ("training", "deployment", "detection", "backbones", "encoders", "networks")
SETTING = Setting("cpu", reduced=True)
BLOCKED = """
import sys
class Blocked:
    names = {"prefect", "mlflow", "dvc", "igraph", "pycocotools", "flows", "tasks"}
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ImportError(f"{name} is not on this machine")
sys.meta_path.insert(0, Blocked())
"""
"""Python runs a module of this name in every process."""
FIGURES = {
    "tests": {"passed": 12, "failures": []},
    "parity": {
        "tolerance": {"forward, float32": 1e-3, "gradient, float32": 1e-2},
        "forward, float32": {"min": 0.0, "median": 0.0, "max": 5e-4},
        "gradient, float32": {"min": 0.0, "median": 0.0, "max": 5e-3},
        "graph against eager": [{"graph": 0.0, "repeat": 0.0}, {"graph": 2e-4, "repeat": 1e-4}],
    },
    "throughput": {
        "plain PyTorch": {"cells an hour": 100.0, "GPU-days": 0.3},
        "graph": {"cells an hour": 600.0, "GPU-days": 0.05},
        "graph, 4 workers": {"cells an hour": 900.0, "GPU-days": 0.02},
        "graph, 4 workers with MPS": {"failed": "no"},
    },
    "accuracy": {"difference": {"mean": 0.001, "low": -0.002, "high": 0.004}},
    "networks": {"gemnet_a": {"GMACs a second": 2.0}, "mobilenet_v2_1_4": {"GMACs a second": 1.0}},
}


def changed(part, **figures):
    return {**FIGURES, part: {**FIGURES[part], **figures}}


def words(parts):
    return [bar.word for bar in bars(parts)]


def test_every_bar_can_be_met_missed_and_not_measured():
    assert words(FIGURES) == ["yes"] * 8
    assert words({}) == ["not measured"] * 8
    assert words(changed("tests", failures=["a test"]))[0] == "no"
    assert words(changed("tests", passed=0))[0] == "no"
    assert words(changed("parity", **{"gradient, float32": {"max": 2e-2}}))[1] == "no"
    assert words(changed("parity", **{"graph against eager": [{"graph": 1e-9, "repeat": 0.0}]}))[2] == "no"
    assert words(changed("throughput", graph={"cells an hour": 499.0}))[3] == "no"
    assert words(changed("throughput", **{"graph, 4 workers": {"cells an hour": 799.0, "GPU-days": 0.02}}))[4] == "no"
    assert words(changed("throughput", **{"graph, 4 workers": {"cells an hour": 900.0, "GPU-days": 0.03}}))[5] == "no"
    assert words(changed("accuracy", difference={"mean": -0.1, "low": -0.2, "high": -0.05}))[6] == "no"
    assert words(changed("networks", gemnet_a={"GMACs a second": 0.5}))[7] == "no"


def test_half_of_a_part_leaves_its_bar_open():
    half = {"parity": {"tolerance": FIGURES["parity"]["tolerance"]}, "throughput": {"graph": {"cells an hour": 9.0}}}
    assert words(half)[1:5] == ["not measured"] * 4
    half["parity"]["forward, float32"] = {"max": 0.0}
    assert words(half)[1] == "no"


def test_cells_are_trained_as_the_paper_profile_says():
    profile = read_profile(load_yaml(ROOT / "profiles" / "paper.yaml", "safe"))
    assert profile.proxy == PAPER
    rounds = profile.estimator
    each = rounds.predicted + rounds.random
    assert rounds.initial + rounds.rounds * each + profile.bootstrap.top == PAPER_TRAININGS


def failing(setting, known, clock):
    yield "first", 1
    raise RuntimeError("CUDA error: an illegal instruction")


def counting(setting, known, clock):
    for number in range(3):
        if str(number) not in known:
            if clock.left < 0:
                raise OutOfTimeError(f"{number} is missing")
            yield str(number), number


def test_a_part_that_fails_leaves_its_trace_and_the_next_one_runs(tmp_path):
    record = Record(tmp_path, SETTING, fresh=False)
    assert record.run("one", failing, SETTING, seconds=60, limit=60) == "failed"
    assert record.run("two", counting, SETTING, seconds=60, limit=60) == "done"
    content = json.loads((tmp_path / "gpu.json").read_text())
    assert content["parts"]["one"]["figures"] == {"first": 1}
    assert "illegal instruction" in content["parts"]["one"]["error"] and "failing" in content["parts"]["one"]["error"]
    table = (tmp_path / "gpu.md").read_text()
    assert "| one | failed |" in table and "illegal instruction" in table and "| two: 2 | 2 |" in table
    assert "figures mean nothing" in table and "bar" not in table


def test_another_start_goes_on_with_what_is_missing(tmp_path):
    first = Record(tmp_path, SETTING, fresh=False)
    assert first.run("two", counting, SETTING, seconds=-1, limit=60) == "out of time"
    second = Record(tmp_path, SETTING, fresh=False)
    assert not second.is_done("two")
    second.content["parts"]["two"]["figures"]["0"] = "kept"
    assert second.run("two", counting, SETTING, seconds=60, limit=60) == "done"
    third = Record(tmp_path, SETTING, fresh=False)
    assert third.is_done("two") and third.content["parts"]["two"]["figures"] == {"0": "kept", "1": 1, "2": 2}
    assert "error" not in third.content["parts"]["two"]
    assert not Record(tmp_path, SETTING, fresh=True).is_done("two")
    assert not Record(tmp_path, Setting("cpu"), fresh=False).is_done("two")


def test_a_part_that_takes_too_long_is_stopped(tmp_path):
    def endless(setting, known, clock):
        yield "begun", 1
        time.sleep(60)

    start = time.monotonic()
    record = Record(tmp_path, SETTING, fresh=False)
    assert record.run("one", endless, SETTING, seconds=60, limit=1) == "out of time"
    assert time.monotonic() - start < 30 and record.content["parts"]["one"]["figures"] == {"begun": 1}


def test_all_tests_that_need_a_gpu_are_found_and_are_of_the_core():
    rooms = {
        path.relative_to(ROOT).parts[1]
        for path in (ROOT / "tests").rglob("test_*.py")
        if MARK in path.read_text("utf-8")
    }
    assert {"training", "deployment"} <= rooms <= set(CORE)


def run_blocked(folder: Path, *parts: str) -> dict:
    (folder / "sitecustomize.py").write_text(BLOCKED)
    command = [sys.executable, "benchmarks/gpu.py", "--device", "cpu", "--reduced", "--output", str(folder)]
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [*command, "--parts", *parts],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    content = json.loads((folder / "gpu.json").read_text())["parts"]
    assert {name: part.get("error", part["state"]) for name, part in content.items()} == dict.fromkeys(parts, "done")
    return content


@pytest.mark.slow
def test_without_the_stack_networks_are_compared(tmp_path):
    found = run_blocked(tmp_path, "parity")["parity"]["figures"]
    assert found["gradient, float64"]["max"] < 1e-8 and found["graph against eager"] == [{"graph": 0.0, "repeat": 0.0}]


@pytest.mark.nightly
def test_without_the_stack_every_part_runs(tmp_path):
    found = run_blocked(tmp_path, "tests", "parity", "kernels", "throughput", "accuracy", "networks")
    assert found["tests"]["figures"]["collected"] >= 15
    rates = {name: row["cells an hour"] for name, row in found["throughput"]["figures"].items()}
    assert len(rates) == 7 and min(rates.values()) > 0
    assert len(found["accuracy"]["figures"]["graph, bfloat16"]) == 2
