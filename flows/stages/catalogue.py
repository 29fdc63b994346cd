"""The stages by name, and the folders that they own; cheap to import."""

from pathlib import Path

from nasgem_core.errors import DataError

STAGE_NAMES = (
    "pairs",
    "labels",
    "encoder",
    "estimator",
    "bootstrap",
    "gemnet",
    "imagenet",
    "coco",
    "ablation",
    "benchmark",
    "report",
    "nasgem_bench",
)
"""In the order they depend on each other; the last stands apart."""
SHARED_STAGES = ("imagenet", "coco")
"""Stages whose trainings several processes of `torchrun` can share."""


def require_outside_stages(output: Path, remedy: str) -> None:
    """Refuse a place in a folder that stages write or read; raises `DataError` that ends in the remedy."""
    for name in (*STAGE_NAMES, "metrics", "raw", "tables"):
        folder = Path("data") / name
        if output.resolve().is_relative_to(folder.resolve()):
            raise DataError(f"output = {output}: {folder} is kept for the stages; {remedy}")
