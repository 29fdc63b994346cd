"""The script next to an exported ONNX file says what `nasgem predict` says, without nasgem."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from nasgem_core.deployment.export import export_network
from nasgem_core.deployment.form import ONNX_APP
from nasgem_core.deployment.predicting import classify, read_picture
from tests.deployment.networks import card, gemnet_spec

_PIXELS = np.random.default_rng(0).integers(0, 256, (70, 90, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Return a folder with an export as ONNX, and its network and card."""
    folder, spec = tmp_path_factory.mktemp("app") / "exported", gemnet_spec()
    network = spec.build().eval()
    export_network(card(spec), network.state_dict(), folder, ("onnx",))
    return folder, network, card(spec)


@pytest.fixture(params=["turned.jpg", "deep.png"])
def picture(request, tmp_path):
    """Return a picture that a camera has turned, or one of 16 bits."""
    path = tmp_path / request.param
    if path.suffix == ".jpg":
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.fromarray(_PIXELS).save(path, exif=exif)
    else:
        Image.fromarray(_PIXELS[..., 0].astype(np.uint16) * 257).save(path)
    return path


def test_the_script_says_what_predict_says(exported, picture):
    folder, network, described = exported
    command = [sys.executable, "-I", str(folder / ONNX_APP), str(picture)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder).stdout.splitlines()
    guesses = classify(network, described, read_picture(picture), 3)
    assert [line.split("  ")[1] for line in shown] == [guess.name for guess in guesses]
    found = [float(line.split("  ")[2]) for line in shown]
    assert found == pytest.approx([guess.probability for guess in guesses], abs=2e-4)
    assert "nasgem_core" not in (folder / ONNX_APP).read_text()
