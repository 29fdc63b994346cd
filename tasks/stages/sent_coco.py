"""Images with annotations in COCO's format that a machine was sent."""

from dataclasses import replace
from pathlib import Path

from nasgem_core.config.transfer import CocoConfig
from tasks.stages.coco_data import VALIDATION, CocoData, read_data
from tasks.stages.sent_folder import pack_files, unchanged


def data_digest(data: CocoData) -> str:
    """Return the digests of what is trained on and of what is measured, in one word."""
    return f"{data.train.digest}-{data.measured[VALIDATION].digest}"


def unchanged_data(config: CocoConfig, folder: str, digest: str) -> CocoData:
    """Return the data of a search from its folder, or what was sent to this machine in its place.

    Raises:
        OtherImagesError: this machine has other data, or none.
    """

    def read(place: Path) -> CocoData:
        return read_data(replace(config, dataset=str(place)))

    return unchanged(folder, digest, read, data_digest)


def pack_coco(config: CocoConfig) -> bytes:
    """Return annotations and images as `pack_files` does; an image that is missing is missing there too."""
    root, data = Path(config.dataset), read_data(config)
    sets = {config.train: data.train.annotations, config.validation: data.measured[VALIDATION].annotations}
    names = [f"annotations/instances_{split}.json" for split in sets]
    names += [f"{split}/{name}" for split, annotations in sets.items() for name in annotations.file_names]
    return pack_files(data_digest(data), root, {name: root / name for name in names if (root / name).is_file()})
