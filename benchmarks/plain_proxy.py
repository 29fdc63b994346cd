"""Proxy training as one would write it in PyTorch, to compare with: layers as modules, and images one at a time."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from nasgem_core.networks.cell_network import CellNetwork
from nasgem_core.training.image_set import ImageSet


class PlainNetwork(CellNetwork):
    """The same layers, run as modules."""

    def forward(self, images: Tensor) -> Tensor:
        return self.forward_modules(images)


class PlainImages(Dataset):
    """Flips, shifts, scales and normalises one image at a time."""

    def __init__(self, images: np.ndarray, labels: np.ndarray, source: ImageSet, augment: bool) -> None:
        self.images, self.labels, self.augment = images, labels, augment
        self.mean, self.std = (torch.tensor(moment).view(3, 1, 1) for moment in (source.mean, source.std))

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = torch.from_numpy(self.images[index]).permute(2, 0, 1).float() / 255
        if self.augment:
            size = image.shape[1]
            if torch.rand(()) < 0.5:
                image = image.flip(2)
            top, left = torch.randint(0, 9, (2,)).tolist()
            image = nn.functional.pad(image, (4, 4, 4, 4))[:, top : top + size, left : left + size]
        return (image - self.mean) / self.std, int(self.labels[index])


def first_images(images: ImageSet, train: int, validation: int) -> ImageSet:
    """Return the first images of both splits."""
    return ImageSet(
        images.train_images[:train],
        images.train_labels[:train],
        images.validation_images[:validation],
        images.validation_labels[:validation],
        images.classes,
    )
