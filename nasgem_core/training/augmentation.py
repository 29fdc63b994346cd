"""Batches of normalised images, flipped and shifted on the device that holds them."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nasgem_core.networks.kernels import Array, compiled

MAX_SHIFT = 4
"""Pixels that an image is shifted by, at most, along each side."""


def draw_views(order: Tensor, batch_size: int, generator: torch.Generator | None) -> Tensor:
    """Return how each image of an epoch is seen, [steps, 4, B] int64: its number, first row, first column, flipped.

    Args:
        order: [N] numbers of the images in their order; those that do not fill a batch are left out.
        batch_size: B.
        generator: draws the shift and flip of each image, batch by batch; None leaves the images as they are.
    """
    steps = len(order) // batch_size
    views = torch.empty((steps, 4, batch_size), dtype=torch.int64)
    views[:, 0] = order[: steps * batch_size].view(steps, batch_size)
    views[:, 1:3], views[:, 3] = MAX_SHIFT, 0
    if generator is not None:
        for view in views:
            view[1:3] = torch.randint(0, 2 * MAX_SHIFT + 1, (2, batch_size), generator=generator)
            view[3] = torch.rand(batch_size, generator=generator) < 0.5
    return views


@dataclass(frozen=True)
class ImageTensor:
    """The images of one split on a device.

    Args:
        pixels: [N, H + 8, W + 8, 3] uint8, with a black border of 4 pixels around each image.
        labels: [N] int64.
        mean: [3] mean of each colour, for values in 0..255.
        std: [3] standard deviation of each colour, likewise.
    """

    pixels: Tensor
    labels: Tensor
    mean: Tensor
    std: Tensor

    @classmethod
    def from_arrays(
        cls,
        images: np.ndarray,
        labels: np.ndarray,
        moments: tuple[tuple[float, ...], tuple[float, ...]],
        device: torch.device,
    ) -> "ImageTensor":
        """Move images [N, H, W, 3] uint8 to `device`; `moments` are mean and deviation for values in [0, 1]."""
        padding = ((0, 0), (MAX_SHIFT, MAX_SHIFT), (MAX_SHIFT, MAX_SHIFT), (0, 0))
        mean, std = (torch.tensor(moment, dtype=torch.float32, device=device) * 255 for moment in moments)
        pixels = torch.from_numpy(np.pad(images, padding)).to(device)
        return cls(pixels, torch.from_numpy(labels).to(device), mean, std)

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, views: Tensor) -> Tensor:
        """Return images as [B, 3, H, W] float32.

        In memory, the batch is the last dimension on the CPU, and channels are the last one elsewhere: the layouts that
        are fastest there.

        Args:
            views: [4, B] of `draw_views`, on the device of the images.
        """
        if self.pixels.device.type != "cpu":
            return self.gathered(views)
        size = self.pixels.shape[1] - 2 * MAX_SHIFT
        images = torch.empty((3, size, size, views.shape[1]))
        _gather(self.pixels.numpy(), views.numpy(), self.mean.numpy(), self.std.numpy(), images.numpy())
        return images.permute(3, 0, 1, 2)

    def gathered(self, views: Tensor) -> Tensor:
        """Return the same images by operations that a CUDA graph can hold: none of them waits for the device."""
        index, top, left, flipped = (row[:, None] for row in views)
        places = torch.arange(self.pixels.shape[1] - 2 * MAX_SHIFT, device=views.device)
        rows = places + top
        columns = torch.where(flipped != 0, places.flip(0), places) + left
        chosen = self.pixels[index[:, :, None], rows[:, :, None], columns[:, None, :]]
        return ((chosen.float() - self.mean) / self.std).permute(0, 3, 1, 2)


@compiled
def _gather(pixels: Array, views: Array, mean: Array, std: Array, out: Array) -> None:
    """Write normalised images, seen as in views [4, B], to out [3, H, W, B]."""
    size = out.shape[1]
    for b in range(views.shape[1]):
        index, top, left, flipped = views[0, b], views[1, b], views[2, b], views[3, b]
        for h in range(size):
            for w in range(size):
                column = left + (size - 1 - w if flipped else w)
                for c in range(3):
                    out[c, h, w, b] = (pixels[index, top + h, column, c] - mean[c]) / std[c]
