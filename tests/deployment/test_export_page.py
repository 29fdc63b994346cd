"""The examples of docs/export.md for exported networks give what `nasgem predict` and `nasgem detect` give."""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image

from nasgem_core.deployment.detector_program import INPUTS, canvas_of, detector_program
from nasgem_core.deployment.detectors import load_detector
from nasgem_core.deployment.folders import write_network
from nasgem_core.deployment.originals import CANVAS_KEY, Classifier
from nasgem_core.deployment.predicting import classify, find_objects, prepare, read_picture
from nasgem_core.deployment.programs import CARD_KEY, capture, save_onnx, save_program
from nasgem_core.deployment.sources import source_of
from tests.deployment.detectors import detector_spec, detector_weights
from tests.deployment.networks import card, gemnet_spec, images, loaded, photo, trained

PAGE = Path(__file__).parents[2] / "docs/export.md"


def example(*words):
    """Return the block of the page that holds all words."""
    blocks = [block for block in PAGE.read_text(encoding="utf-8").split("```\n") if block.startswith("import ")]
    (found,) = [block for block in blocks if all(word in block for word in words)]
    return found


def run(block):
    """Return the names that a block leaves."""
    names = {}
    exec(block, names)
    return names


class Session:
    """A detector's own pass in place of its ONNX file, whose conversion takes a minute; another test compares both."""

    def __init__(self, detector, notes):
        self.program, _ = detector_program(detector)
        self.custom_metadata_map = notes

    def get_modelmeta(self):
        return self

    def run(self, outputs, inputs):
        assert [inputs[name].dtype for name in INPUTS] == [np.float32, np.int64, np.float32] and outputs is None
        with torch.no_grad():
            return [found.numpy() for found in self.program(*(torch.from_numpy(inputs[name]) for name in INPUTS))]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Go to a folder with a photograph that has a camera's note, and an empty folder `exported`."""
    picture = photo()
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(tmp_path / "photo.jpg", exif=exif)
    (tmp_path / "exported").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    sys.path.insert(0, "")
    (tmp_path / "upright.py").write_text(example("getexif"))
    for name in ("network", "upright"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield tmp_path
    for name in ("network", "upright"):
        sys.modules.pop(name, None)


def exported(place, kind):
    """Write a classifier's forms as an export does, and return what `nasgem predict` says of the photograph."""
    spec = gemnet_spec()
    network, own = trained(spec), card(spec)
    notes = {CARD_KEY: own.to_json()}
    if kind == "python":
        write_network(place / "exported", own.to_json(), network.state_dict())
        (place / "exported/network.py").write_text(source_of(own, spec, network))
    else:
        program = capture(network, own.name, (images(spec),), ({0: torch.export.Dim("batch")},))
        if kind == "onnx":
            save_onnx(program, own.name, place / "exported/network.onnx", notes, Classifier.ports)
        else:
            save_program(program, own.name, place / "exported/network.pt2", notes)
    guesses = classify(network, own, read_picture(place / "photo.jpg"), 3)
    by_name = {guess.name: guess.probability for guess in guesses}
    return [by_name[name] for name in own.classes], own


def test_the_python_file_says_what_predict_says(place, capsys):
    expected, own = exported(place, "python")
    names = run(example("from network"))
    np.testing.assert_allclose(names["probabilities"], expected, rtol=0, atol=1e-6)
    assert capsys.readouterr().out.strip() == own.classes[int(np.argmax(expected))]


DEEP = np.linspace(0, 65535, 48).astype(np.uint16).reshape(6, 8)
SAVED = {
    "deep.png": Image.fromarray(DEEP),
    "deep.tif": Image.fromarray(DEEP),
    "palette.png": photo(60, 40).convert("P"),
    "alpha.png": photo(60, 40).convert("RGBA"),
    "grey_alpha.png": photo(60, 40).convert("LA"),
    "print.jpg": photo(60, 40).convert("CMYK"),
    "print.tif": photo(60, 40).convert("CMYK"),
    "black.png": photo(60, 40).convert("1"),
    "web.webp": photo(60, 40).convert("RGBA"),
}


@pytest.mark.parametrize("turn", range(9))
def test_every_way_in_sees_the_same_pixels(place, turn):
    (place / "deep.pgm").write_bytes(b"P5 8 6 65535\n" + DEEP.astype(">u2").tobytes())
    exif = Image.Exif()
    exif[0x0112] = turn
    for name, picture in SAVED.items():
        picture.save(place / name, exif=exif)
    note = b"Exif\0\0II*\0\x08\0\0\0\x02\0\x12\x01\x03\0\x01\0\0\0%c\0\0\0\x1a\x01\x02\0\x04\0\0\0abc\0\0\0\0\0" % turn
    photo(60, 40).save(place / "damaged.jpg", exif=note)  # a resolution that is text
    spec = gemnet_spec()
    own = card(spec)
    alone, recipe = loaded(source_of(own, spec, trained(spec)), place), run(example("getexif"))["upright"]
    for name in (*SAVED, "deep.pgm", "damaged.jpg"):
        expected = read_picture(place / name)
        with Image.open(place / name) as picture:
            assert torch.equal(alone.prepare(picture)[None], prepare(expected, own)), name
        assert np.array_equal(np.asarray(recipe(place / name)), np.asarray(expected)), name
        assert np.asarray(expected).std() > 20, name


@pytest.mark.slow
def test_the_onnx_file_says_what_predict_says(place, capsys):
    expected, own = exported(place, "onnx")
    logits = torch.from_numpy(run(example("onnxruntime", "centre_share"))["logits"])
    np.testing.assert_allclose(logits.softmax(dim=1)[0], expected, rtol=0, atol=1e-5)
    assert capsys.readouterr().out.strip() == own.classes[int(np.argmax(expected))]


@pytest.mark.slow
def test_a_program_tells_its_card(place):
    _, own = exported(place, "torch")
    names = run(example("network.pt2"))
    assert names["texts"] == {"card.json": own.to_json()}
    assert names["network"](images(gemnet_spec())).shape == (2, 3)


@pytest.mark.parametrize("kind", ["retinanet", "faster_rcnn"])
def test_the_onnx_file_finds_what_detect_finds(kind, place, monkeypatch):
    spec = detector_spec(kind=kind, square=True)
    detector = load_detector(spec, detector_weights(spec))
    picture = read_picture(place / "photo.jpg")
    scores = find_objects(detector, ("cat", "dog"), picture, 0.0).scores[:20]
    gap = 3 + np.argmax(scores[3:-1] - scores[4:])
    threshold = (scores[gap] + scores[gap + 1]) / 2
    expected = find_objects(detector, ("cat", "dog"), picture, threshold)
    notes = {CARD_KEY: spec.to_json(), CANVAS_KEY: json.dumps(canvas_of(detector))}
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda path: Session(detector, notes))
    block = example("onnxruntime", "canvas")
    assert block.count("np.array(0.5, np.float32)") == 1
    names = run(block.replace("np.array(0.5,", f"np.array({threshold!r},"))
    assert names["names"] == expected.names and len(expected.names) > 3
    np.testing.assert_allclose(names["scores"], expected.scores, rtol=0, atol=1e-5)
    np.testing.assert_allclose(names["boxes"], expected.boxes, rtol=0, atol=0.1)
