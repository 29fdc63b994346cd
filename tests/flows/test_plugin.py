"""The package in `examples/plugin`, installed as a user does, through everything that its things can reach."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.flows.workspace import ROOT

EXAMPLE = ROOT / "examples" / "plugin"


def install(folder: Path) -> Path:
    """Install the example into a folder of its own, offline; return that folder."""
    shutil.copytree(EXAMPLE, folder / "source")  # a build leaves files in the source
    options = ["--no-index", "--no-deps", "--no-build-isolation", "--target", str(folder / "site")]
    command = [sys.executable, "-m", "pip", "install", "--quiet", *options, str(folder / "source")]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return folder / "site"


@pytest.mark.slow
@pytest.mark.nightly
def test_an_operation_of_a_plugin_goes_all_the_way(fresh, tmp_path):
    site = install(tmp_path)
    paths = {"PYTHONPATH": f"{fresh.code}:{site}"}

    def nasgem(*words: str) -> str:
        return fresh.succeed("nasgem", *words, **paths)

    fresh.configure("cells", operations=["conv1x1", "dilated3x3"])
    assert "known operations are conv1x1, " in fresh.refused("nasgem", "search")  # it is not installed
    nasgem("search")
    table = pd.read_parquet(fresh.root / "data/estimator/trained.parquet")
    (cell, *_) = [text for text in table["cell"] if '"dilated3x3"' in text]
    (fresh.root / "cell.json").write_text(cell)
    assert "dilated3x3" in nasgem("show", "cell.json")
    nasgem("latency", "cell.json", "--repeats", "2")
    nasgem("build", "cell.json", "--macs", "10M", "--layout", "cifar", "--output", "network.json")
    shown = nasgem("export", "network.json", "--output", "exported")
    assert all(form in shown for form in ("onnx", "python", "torch")) and "Not written" not in shown
    assert "def dilated3x3(" in (fresh.root / "exported/network.py").read_text()
    Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save(fresh.root / "photo.png")
    assert "probability" in nasgem("predict", "photo.png", "--model", "exported")
