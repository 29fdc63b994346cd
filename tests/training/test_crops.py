import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import RandomResizedCrop
from torchvision.transforms import functional as F

from nasgem_core.training.crops import centre_crop, draw_uniforms, random_box, random_crop


def test_uniforms_depend_on_seed_epoch_and_image_alone():
    first = draw_uniforms(1, 2, np.arange(10))
    np.testing.assert_array_equal(draw_uniforms(1, 2, np.array([7, 3]))[1], first[3])
    others = [draw_uniforms(2, 2, np.arange(10)), draw_uniforms(1, 3, np.arange(10)), first[::-1]]
    assert all(not np.isin(other, first).any() for other in others[:2]) and len(np.unique(first)) == first.size


def test_uniforms_are_spread_evenly_and_unrelated():
    values = draw_uniforms(0, 0, np.arange(20_000), 4)
    assert values.min() >= 0 and values.max() < 1
    for column in values.T:
        assert np.histogram(column, 10, (0, 1))[0] == pytest.approx(2000, abs=200)
    assert np.abs(np.corrcoef(values.T) - np.eye(4)).max() < 0.03
    assert abs(np.corrcoef(values[:-1, 0], values[1:, 0])[0, 1]) < 0.03


@pytest.mark.parametrize(("width", "height"), [(64, 64), (100, 40)])
def test_boxes_have_the_law_of_torchvision(width, height):
    uniforms = draw_uniforms(0, 0, np.arange(4000))
    own = np.array([random_box(width, height, row, (0.3, 1.0)) for row in uniforms])
    assert (own[:, :2] >= 0).all() and (own[:, 2] <= width).all() and (own[:, 3] <= height).all()
    own = np.stack([own[:, 1], own[:, 0], own[:, 3] - own[:, 1], own[:, 2] - own[:, 0]], 1)
    image = torch.zeros(3, height, width)
    torch.manual_seed(0)
    theirs = np.array([RandomResizedCrop.get_params(image, [0.3, 1.0], [3 / 4, 4 / 3]) for _ in range(4000)])
    np.testing.assert_allclose(own.mean(0), theirs.mean(0), atol=0.04 * max(width, height) / 2)
    np.testing.assert_allclose(own.std(0), theirs.std(0), atol=0.04 * max(width, height) / 2)


@pytest.mark.parametrize(("size", "box"), [((10, 100), (0, 43, 10, 56)), ((100, 9), (44, 0, 56, 9))])
def test_an_image_too_narrow_for_any_crop_shows_its_middle(size, box):
    assert random_box(*size, np.full(41, 0.9), (1.0, 1.0)) == box


def test_half_of_the_crops_are_mirrored_and_the_whole_image_can_be_shown():
    pixels = np.arange(12 * 12 * 3, dtype=np.uint8).reshape(12, 12, 3)
    image = Image.fromarray(pixels)
    flips = 0
    for row in draw_uniforms(0, 0, np.arange(200)):
        row[1:40:4] = 0.5  # a square
        found = random_crop(image, 12, row, (1.0, 1.0))
        flipped = np.array_equal(found, pixels[:, ::-1])
        assert flipped or np.array_equal(found, pixels)
        flips += flipped
    assert 70 < flips < 130


def test_the_centre_is_what_resizing_and_cropping_give():
    pixels = np.random.default_rng(0).integers(0, 256, (48, 96, 3), np.uint8)
    image = Image.fromarray(pixels)
    np.testing.assert_array_equal(centre_crop(image, 48, 1.0), pixels[:, 24:72])
    expected = np.asarray(F.center_crop(F.resize(image, 32), [28, 28])).astype(int)
    difference = np.abs(centre_crop(image, 28, 0.875).astype(int) - expected)
    assert difference.mean() < 1 and difference[1:-1, 1:-1].max() < 12
