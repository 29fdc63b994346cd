"""Batches of normalised images, flipped and shifted on the device that holds them."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nasgem_core.networks.kernels import Array, compiled

MAX_SHIFT = 4
"""Pixels that an image is shifted by, at most, along each side."""


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

    def batch(self, index: Tensor, generator: torch.Generator | None) -> Tensor:
        """Return images `index` [B] as [B, 3, H, W] float32.

        In memory, channels are the last dimension on a GPU and the batch is the last one on the CPU: the layouts that
        are fastest there.

        Args:
            index: numbers of the images, on the CPU.
            generator: draws the flip and shift of each image; None leaves the images as they are.
        """
        device, count = self.pixels.device, len(index)
        size = self.pixels.shape[1] - 2 * MAX_SHIFT
        steps = torch.arange(size)
        if generator is None:
            rows = columns = (steps + MAX_SHIFT).expand(count, size)
        else:
            shifts = torch.randint(0, 2 * MAX_SHIFT + 1, (2, count, 1), generator=generator)
            flipped = torch.rand((count, 1), generator=generator) < 0.5
            rows = steps + shifts[0]
            columns = torch.where(flipped, size - 1 - steps, steps) + shifts[1]
        if device.type == "cpu":
            images = torch.empty((3, size, size, count))
            arrays = (array.numpy() for array in (index, rows.contiguous(), columns.contiguous(), self.mean, self.std))
            _gather(self.pixels.numpy(), *arrays, images.numpy())
            return images.permute(3, 0, 1, 2)
        index, rows, columns = (part.to(device, non_blocking=True) for part in (index, rows, columns))
        chosen = self.pixels[index[:, None, None], rows[:, :, None], columns[:, None, :]]
        return ((chosen.float() - self.mean) / self.std).permute(0, 3, 1, 2)


@compiled
def _gather(pixels: Array, index: Array, rows: Array, columns: Array, mean: Array, std: Array, out: Array) -> None:
    """Write normalised images `index` [B], read at `rows` [B, H] and `columns` [B, W], to out [3, H, W, B]."""
    for b in range(len(index)):
        for h in range(rows.shape[1]):
            for w in range(columns.shape[1]):
                for c in range(3):
                    out[c, h, w, b] = (pixels[index[b], rows[b, h], columns[b, w], c] - mean[c]) / std[c]
