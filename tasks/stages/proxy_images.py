"""The images of proxy training, as every stage and command opens them."""

from functools import lru_cache
from pathlib import Path

from nasgem_core.config.search import ProxyConfig
from nasgem_core.errors import DataError
from nasgem_core.training.image_set import ImageSet
from nasgem_core.training.proxy_images import load_images
from tasks.run.placement import Placement
from tasks.stages.sent_images import OtherImagesError, sent_images, was_sent


def open_unchanged_images(config: ProxyConfig, images_hash: str, placement: Placement) -> ImageSet:
    """Return the images that a search began with, or those of a search on another machine that were sent to this one.

    Raises:
        OtherImagesError: this machine has others, or none.
        DataError: the images that were sent are damaged.
    """
    try:
        images = open_images(config, placement.images)
        if images.content_hash == images_hash:
            return images
        problem = f"the images of {config.dataset} changed while the search was running: start it again"
    except DataError as error:
        problem = str(error)
    if not was_sent(images_hash):
        raise OtherImagesError(problem)
    return _open_sent(images_hash)


@lru_cache(maxsize=2)
def open_images(config: ProxyConfig, folder: str) -> ImageSet:
    """Load the images once per process."""
    return load_images(config, Path(folder))


@lru_cache(maxsize=1)
def _open_sent(images_hash: str) -> ImageSet:
    """Read images that were sent once per process; raises `DataError` if there are none."""
    return sent_images(images_hash)
