import numpy as np
import torch

from nasgem_core.training.augmentation import ImageTensor

MOMENTS = ((0.5, 0.4, 0.3), (0.2, 0.25, 0.3))


def image_tensor(count=200, size=10):
    images = np.random.default_rng(0).integers(1, 256, (count, size, size, 3), np.uint8)
    return images, ImageTensor.from_arrays(images, np.zeros(count, np.int64), MOMENTS, torch.device("cpu"))


def pixels(batch):
    mean, std = (torch.tensor(moment).view(3, 1, 1) for moment in MOMENTS)
    return ((batch * std + mean) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()


def test_without_a_generator_images_are_only_normalised():
    images, tensor = image_tensor()
    batch = tensor.batch(torch.tensor([5, 0, 7]), None)
    assert batch.shape == (3, 3, 10, 10) and batch.dtype == torch.float32
    np.testing.assert_array_equal(pixels(batch), images[[5, 0, 7]])


def test_each_image_is_shifted_by_up_to_4_pixels_and_perhaps_flipped():
    images, tensor = image_tensor()
    batch = pixels(tensor.batch(torch.arange(200), torch.Generator().manual_seed(0)))
    padded = np.pad(images, ((0, 0), (4, 4), (4, 4), (0, 0)))
    found = set()
    for image, result in zip(padded, batch, strict=True):
        options = {
            (top, left, flipped): image[top : top + 10, left : left + 10][:, :: -1 if flipped else 1]
            for top in range(9)
            for left in range(9)
            for flipped in (False, True)
        }
        matches = [option for option, expected in options.items() if np.array_equal(expected, result)]
        assert len(matches) == 1
        found.add(matches[0])
    assert {top for top, _, _ in found} == {left for _, left, _ in found} == set(range(9))
    assert {flipped for _, _, flipped in found} == {False, True}
