import numpy as np
import torch

from nasgem_core.training.augmentation import ImageTensor, draw_views

MOMENTS = ((0.5, 0.4, 0.3), (0.2, 0.25, 0.3))


def image_tensor(count=200, size=10):
    images = np.random.default_rng(0).integers(1, 256, (count, size, size, 3), np.uint8)
    return images, ImageTensor.from_arrays(images, np.zeros(count, np.int64), MOMENTS, torch.device("cpu"))


def pixels(batch):
    mean, std = (torch.tensor(moment).view(3, 1, 1) for moment in MOMENTS)
    return ((batch * std + mean) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()


def test_without_a_generator_images_are_only_normalised():
    images, tensor = image_tensor()
    batch = tensor.batch(draw_views(torch.tensor([5, 0, 7]), 3, None)[0])
    assert batch.shape == (3, 3, 10, 10) and batch.dtype == torch.float32
    np.testing.assert_array_equal(pixels(batch), images[[5, 0, 7]])


def test_an_epoch_is_drawn_batch_by_batch_and_has_only_full_batches():
    views = draw_views(torch.arange(11), 4, torch.Generator().manual_seed(1))
    generator = torch.Generator().manual_seed(1)
    assert views.shape == (2, 4, 4) and views[:, 0].flatten().tolist() == list(range(8))
    for view in views:
        torch.testing.assert_close(view[1:3], torch.randint(0, 9, (2, 4), generator=generator))
        torch.testing.assert_close(view[3] == 1, torch.rand(4, generator=generator) < 0.5)


def test_the_form_for_a_gpu_gives_the_same_images():
    _, tensor = image_tensor()
    (views,) = draw_views(torch.randperm(200), 200, torch.Generator().manual_seed(0))
    torch.testing.assert_close(tensor.gathered(views), tensor.batch(views), rtol=1e-6, atol=1e-6)
    assert tensor.gathered(views).is_contiguous(memory_format=torch.channels_last)


def test_each_image_is_shifted_by_up_to_4_pixels_and_perhaps_flipped():
    images, tensor = image_tensor()
    batch = pixels(tensor.batch(draw_views(torch.arange(200), 200, torch.Generator().manual_seed(0))[0]))
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
