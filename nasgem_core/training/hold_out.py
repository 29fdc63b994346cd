"""Training images that are held out to choose how to train, so that the validation images are left for the result."""

import numpy as np

from nasgem_core.errors import ParameterError
from nasgem_core.seeding import derive_seed
from nasgem_core.training.image_files import ImageFiles

_TUNING_REMEDY = "leave nothing to choose, by one learning rate and no finalists"


def hold_out(
    files: ImageFiles, share: float, seed: int, *, field: str = "tuning_share", remedy: str = _TUNING_REMEDY
) -> tuple[ImageFiles, ImageFiles]:
    """Return the images of a split without some, and those: of each class the same share, at least one image.

    Args:
        files: the split.
        share: of the images of a class that are held out, above 0 and below 1.
        seed: which images these are; a pure function of it.
        field: the parameter that `share` is, for the message.
        remedy: what to do, other than to add images, where a class has a single one.

    Raises:
        ParameterError: a class has a single image, so that none would be left to train on.
    """
    random = np.random.default_rng(derive_seed(seed, "held out"))
    held = np.zeros(len(files), dtype=bool)
    for label, name in enumerate(files.classes):
        own = np.flatnonzero(files.labels == label)
        if len(own) < 2:
            raise ParameterError(
                f"{field} = {share}: {files.folder / name} has one image, so none can be held out to judge a training "
                f"by: add images, or {remedy}"
            )
        count = min(max(1, round(share * len(own))), len(own) - 1)
        held[random.permutation(own)[:count]] = True
    return files.subset(~held), files.subset(held)
