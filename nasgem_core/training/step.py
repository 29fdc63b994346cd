"""One step of a proxy training, and one validation, as functions of tensors.

Whatever changes from step to step (which images, how they are shifted and flipped, the learning rate, how many steps
were taken) is a tensor on the device, in the same memory each time, and nothing waits for the device. So a step can be
captured as a CUDA graph and replayed (`nasgem_core.training.replay`); on the CPU it is called as it is.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nasgem_core.training.augmentation import ImageTensor, draw_views
from nasgem_core.training.low_precision import LowPrecisionWeights


class Classifier:
    """A network on its device, and the precision that it is computed in.

    Args:
        network: from images [B, 3, H, W] to logits [B, K]. It is changed: its layout, and in 16 bits its parameters.
        dtype: of convolutions and dense layers, torch.float32 or torch.bfloat16.
        channels_last: whether channels are the innermost dimension of weights and images in memory. On the CPU images
            stay as they are otherwise, with the batch innermost.
    """

    def __init__(self, network: nn.Module, dtype: torch.dtype, *, channels_last: bool) -> None:
        self.network = network.to(memory_format=torch.channels_last) if channels_last else network
        self.device = next(network.parameters()).device
        self.dtype = dtype
        channels_first = None if self.device.type == "cpu" else torch.contiguous_format
        self._layout = torch.channels_last if channels_last else channels_first
        self.weights = None if dtype == torch.float32 else LowPrecisionWeights(network, dtype)
        if self.device.type == "cuda":
            _drop_counters(network)

    @property
    def parameters(self) -> list[nn.Parameter]:
        """What an optimiser changes, in 32 bits."""
        return list(self.network.parameters()) if self.weights is None else self.weights.parameters

    def logits(self, images: Tensor) -> Tensor:
        """Return the logits [B, K] of normalised images, as float32."""
        # Weights are cast already: a cache of casts would only keep what a graph must not depend on.
        reduced = self.dtype != torch.float32
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=reduced, cache_enabled=False):
            if self._layout is not None:
                images = images.contiguous(memory_format=self._layout)
            return self.network(images).float()


def _drop_counters(network: nn.Module) -> None:
    """Have batch normalisation not count its batches: that is a kernel each, and only `momentum=None` reads it."""
    for norm in network.modules():
        if isinstance(norm, nn.modules.batchnorm._NormBase) and norm.momentum is not None:
            norm.num_batches_tracked = None


class TrainingStep:
    """A step of Adam with an L2 penalty on the next batch of an epoch.

    Args:
        classifier: what is trained.
        images: the training images, on the same device.
        shape: steps per epoch, and images per step.
        weight_decay: factor of the penalty.
    """

    def __init__(
        self, classifier: Classifier, images: ImageTensor, shape: tuple[int, int], weight_decay: float
    ) -> None:
        self.classifier, self.images = classifier, images
        device, (steps, batch_size) = classifier.device, shape
        # On CUDA the kernel of Adam reads a rate of 32 bits.
        precise = torch.float64 if device.type == "cpu" else torch.float32
        self._views = torch.zeros((steps, 4, batch_size), dtype=torch.int64, device=device)
        self._rates = torch.zeros(steps, dtype=precise, device=device)
        self._place = torch.zeros(1, dtype=torch.int64, device=device)
        self._rate = torch.zeros((), dtype=precise, device=device)
        self.loss = torch.zeros((), device=device)
        """Sum of the losses of the epoch's steps so far."""
        self.optimiser = torch.optim.Adam(
            classifier.parameters, weight_decay=weight_decay, fused=True, capturable=device.type == "cuda"
        )
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate  # Adam itself would wait for the device to check it

    def begin(self, views: Tensor, rates: Sequence[float]) -> None:
        """Start an epoch.

        Args:
            views: [steps, 4, B] of `draw_views`.
            rates: the learning rate of each step.
        """
        self._views.copy_(views)
        self._rates.copy_(torch.tensor(rates, dtype=self._rates.dtype))
        self._place.zero_()
        self.loss.zero_()

    def __call__(self) -> None:
        """Take the next step."""
        self.classifier.network.train()
        views = self._views.index_select(0, self._place)[0]
        self._rate.copy_(self._rates.index_select(0, self._place)[0])
        labels = self.images.labels.index_select(0, views[0])
        loss = nn.functional.cross_entropy(self.classifier.logits(self.images.batch(views)), labels)
        # Of the network, and not of the optimiser, which has other weights in 16 bits: what a capture that failed has
        # left must not be added to.
        self.classifier.network.zero_grad(set_to_none=True)
        loss.backward()
        weights = self.classifier.weights
        if weights is not None:
            weights.take_gradients()
        self.optimiser.step()
        if weights is not None:
            weights.cast()
        self.loss += loss.detach()
        self._place += 1


class Validation:
    """Counts the images whose largest logit is that of their label.

    Args:
        classifier: what is validated.
        images: the validation images, on the same device.
        batch_size: images per pass, at most.
    """

    def __init__(self, classifier: Classifier, images: ImageTensor, batch_size: int) -> None:
        self.classifier, self.images = classifier, images
        (views,) = draw_views(torch.arange(len(images)), len(images), None)
        self._batches = [part.contiguous() for part in views.to(classifier.device).split(batch_size, dim=1)]
        self.correct = torch.zeros((), dtype=torch.int64, device=classifier.device)

    @torch.no_grad()
    def __call__(self) -> None:
        """Count again."""
        self.classifier.network.eval()
        self.correct.zero_()
        for views in self._batches:
            predicted = self.classifier.logits(self.images.batch(views)).argmax(dim=1)
            self.correct += (predicted == self.images.labels.index_select(0, views[0])).sum()
