"""The images of proxy training, as every stage and command opens them."""

from functools import lru_cache
from pathlib import Path

from nasgem_core.config.search import ProxyConfig
from nasgem_core.errors import DataError
from nasgem_core.training.image_set import ImageSet
from nasgem_core.training.proxy_images import load_images
from tasks.run.placement import Placement


def open_unchanged_images(config: ProxyConfig, images_hash: str, placement: Placement) -> ImageSet:
    """Return the images that a search began with; raises `DataError` where they are others now."""
    images = open_images(config, placement.images)
    if images.content_hash != images_hash:
        raise DataError(f"the images of {config.dataset} changed while the search was running: start it again")
    return images


@lru_cache(maxsize=2)
def open_images(config: ProxyConfig, folder: str) -> ImageSet:
    """Load the images once per process."""
    return load_images(config, Path(folder))
