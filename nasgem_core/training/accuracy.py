"""Top-1 and top-5 accuracy as counts, which add up exactly over batches of any size and any number of processes."""

import torch
from torch import Tensor

from nasgem_core.training.distributed import World

TOP = (1, 5)


class AccuracyCount:
    """Counts images and hits. An image with a negative label is padding and does not count."""

    def __init__(self) -> None:
        self._hits: list[Tensor] = []
        self._seen = 0

    def add(self, logits: Tensor, labels: Tensor) -> None:
        """Count a batch: logits [B, K], labels [B] int64."""
        real = labels >= 0
        logits, labels = logits[real], labels[real]
        # The rank of the label's logit. Of equal logits, the one with the lower index comes first, as in topk.
        own = logits.gather(1, labels[:, None])
        classes = torch.arange(logits.shape[1], device=logits.device)
        before = (logits > own) | ((logits == own) & (classes < labels[:, None]))
        # A network that has diverged outputs nan, which is never larger than another number: that is not a hit.
        rank = torch.where(own.isfinite().squeeze(1), before.sum(1), max(TOP))
        self._hits.append(torch.stack([(rank < k).sum() for k in TOP]))
        self._seen += len(labels)

    def shares(self, world: World) -> dict[str, float]:
        """Return {"top1", "top5", "images"} over the images of all processes; accuracies are fractions."""
        hits = torch.stack(self._hits).sum(0).tolist() if self._hits else [0] * len(TOP)
        *totals, seen = world.sum([*hits, self._seen])
        return {**{f"top{k}": total / max(seen, 1) for k, total in zip(TOP, totals, strict=True)}, "images": seen}
