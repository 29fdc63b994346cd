import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nasgem_core.deployment.checking import script_of
from nasgem_core.deployment.form import forms_named

ROOT = Path(__file__).parents[2]
SOURCE = "{first}\ndef build(weights):\n    import torch\n    return torch.nn.Sequential(torch.nn.Flatten())\n"


DETECTOR = """
{first}
import torch
SCORE_THRESHOLD = 0.05
def build(weights):
    def detect(images):
        return [dict.fromkeys(("boxes", "labels", "scores"), torch.tensor([SCORE_THRESHOLD])) for _ in images]
    return detect
"""


def run(folder, first="", source=SOURCE, kind="classifier", **inputs):
    np.savez(folder / "inputs.npz", **(inputs or {"images.a": np.ones((2, 3, 2, 2), np.float32)}))
    (folder / "network.py").write_text(source.format(first=first))
    script = folder / "script.py"
    script.write_text(script_of(folder, forms_named(["python"]), kind))
    # Where the repository is the current folder and on the path, it could be imported if it were not shut out.
    command, environment = [sys.executable, "-I", "-B", str(script)], {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_a_file_that_needs_torch_alone_is_run(tmp_path):
    done = run(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    with np.load(tmp_path / "outputs.npz") as outputs:
        assert {name: outputs[name].shape for name in outputs.files} == {"python.a.0": (2, 12)}


@pytest.mark.parametrize(
    "line",
    [
        "import nasgem_core.cells.cell",
        "from tasks import models",
        "import torchvision",
        "from safetensors import torch",
        "import importlib; importlib.import_module('nasgem_core')",
    ],
)
def test_a_file_that_needs_more_fails(tmp_path, line):
    done = run(tmp_path, line)
    assert done.returncode != 0
    assert "is shut out: an exported network must work without it" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "outputs.npz").exists()


def test_a_file_that_goes_around_the_finders_is_seen(tmp_path):
    sneaky = (
        "import sys, importlib.util as u\n"
        f"s = u.spec_from_file_location('nasgem_core.errors', {str(ROOT / 'nasgem_core' / 'errors.py')!r})\n"
        "sys.modules['nasgem_core.errors'] = m = u.module_from_spec(s); s.loader.exec_module(m)\n"
    )
    done = run(tmp_path, sneaky)
    assert done.returncode != 0 and "nasgem_core.errors was imported" in done.stderr


def test_a_detector_may_use_torchvision_and_is_given_the_threshold(tmp_path):
    inputs = {"picture.0": np.zeros((3, 2, 2), np.uint8), "threshold": np.float32(0.25)}
    done = run(tmp_path, "import torchvision.ops", DETECTOR, "detector", **inputs)
    assert (done.returncode, done.stderr) == (0, "")
    with np.load(tmp_path / "outputs.npz") as outputs:
        assert {name: outputs[name].tolist() for name in outputs.files} == {
            f"python.0.{place}": [0.25] for place in range(3)
        }
    done = run(tmp_path, "import safetensors", DETECTOR, "detector", **inputs)
    assert "safetensors is shut out" in done.stderr.splitlines()[-1]


def test_the_package_could_be_imported_otherwise(tmp_path):
    """Assert that this environment is one in which shutting it out matters, or that it is run from the folder."""
    done = subprocess.run([sys.executable, "-c", "import nasgem_core"], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0
