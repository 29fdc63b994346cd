import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torchvision.transforms import functional

from nasgem_core.deployment.predicting import classify, find_objects, prepare, read_picture
from nasgem_core.errors import DataError
from tests.deployment.detectors import detector_spec
from tests.deployment.networks import card, gemnet_spec


def picture(width=60, height=40):
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


def test_a_picture_is_read_in_three_colours_and_upright(tmp_path):
    grey = picture().convert("L")
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn by 90 degrees
    grey.save(tmp_path / "turned.jpg", exif=exif)
    found = read_picture(tmp_path / "turned.jpg")
    assert (found.mode, found.size) == ("RGB", (40, 60))


def test_a_picture_of_sixteen_bits_is_that_of_eight(tmp_path):
    eight = np.asarray(picture().convert("L"))
    Image.fromarray(eight.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    assert np.array_equal(np.asarray(read_picture(tmp_path / "deep.png"))[..., 0], eight)


def test_what_is_no_picture_is_named(tmp_path):
    with pytest.raises(DataError, match=r"photo\.jpg is no file: name a picture"):
        read_picture(tmp_path / "photo.jpg")
    (tmp_path / "photo.jpg").write_text("hello")
    with pytest.raises(DataError, match=r"photo\.jpg cannot be read as a picture"):
        read_picture(tmp_path / "photo.jpg")
    picture().save(tmp_path / "whole.png")
    (tmp_path / "half.png").write_bytes((tmp_path / "whole.png").read_bytes()[:900])
    with pytest.raises(DataError, match=r"half\.png cannot be read as a picture"):
        read_picture(tmp_path / "half.png")


def test_a_picture_of_too_many_pixels_is_to_be_made_smaller(tmp_path, monkeypatch, recwarn):
    picture(1000, 3000).save(tmp_path / "huge.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1_000_000)
    with pytest.raises(DataError, match=r"huge\.png has more than 2 million pixels: make it smaller$"):
        read_picture(tmp_path / "huge.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2_000_000)
    assert read_picture(tmp_path / "huge.png").size == (1000, 3000) and not recwarn


def test_the_network_is_shown_the_normalised_centre():
    own = card(gemnet_spec())
    source = picture(64, 40)
    found = prepare(source, own)
    assert found.shape == (1, 3, 32, 32)
    centre = functional.to_tensor(source.resize((32, 32), Image.Resampling.BILINEAR, box=(14.5, 2.5, 49.5, 37.5)))
    torch.testing.assert_close(found[0], functional.normalize(centre, own.mean, own.std))


class Fixed(nn.Module):
    def forward(self, images):
        return torch.log(torch.tensor([[0.2, 0.7, 0.1]]))


def test_the_likeliest_classes_come_first():
    found = classify(Fixed(), card(gemnet_spec()), picture(), top=2)
    assert [guess.name for guess in found] == ["dog", "cat"]
    np.testing.assert_allclose([guess.probability for guess in found], [0.7, 0.2], rtol=1e-6)
    assert len(classify(Fixed(), card(gemnet_spec()), picture(), top=9)) == 3


class FixedDetector(nn.Module):
    lowest_score = 0.05

    def forward(self, images):
        assert images[0].shape == (3, 40, 60) and images[0].dtype == torch.uint8 and not self.training
        boxes = torch.tensor([[0.0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]])
        return [{"boxes": boxes, "labels": torch.tensor([1, 0, 1]), "scores": torch.tensor([0.4, 0.9, 0.6])}]


def test_objects_above_the_threshold_come_by_their_scores():
    found = find_objects(FixedDetector(), ("cat", "dog"), picture(), 0.5)
    assert found.names == ["cat", "dog"]
    np.testing.assert_allclose(found.scores, [0.9, 0.6], rtol=1e-6)
    assert found.boxes.tolist() == [[4, 5, 6, 7], [8, 9, 10, 11]]
    every = find_objects(FixedDetector(), ("cat", "dog"), picture(), 0.05)
    for threshold, names in ((0.05, ["cat", "dog", "dog"]), (0.7, ["cat"]), (0.5, found.names), (0.95, [])):
        few = every.above(threshold)
        assert few.names == names and len(few.boxes) == len(few.scores) == len(names)


def test_a_picture_that_is_too_thin_is_refused():
    with pytest.raises(DataError, match="the picture has 310 x 10 pixels: crop it"):
        find_objects(FixedDetector(), ("cat", "dog"), picture(310, 10), 0.5)


@pytest.mark.parametrize("kind", ["retinanet", "faster_rcnn"])
def test_a_low_threshold_shows_what_a_detector_would_pass_over(kind):
    torch.manual_seed(0)
    detector = detector_spec(kind=kind).build()
    detector.lowest_score = 0.5  # untrained ones score .01 and .33
    assert len(find_objects(detector, ("cat", "dog"), picture(), 0.5).names) == 0
    assert len(find_objects(detector, ("cat", "dog"), picture(), 0.001).names) > 0
