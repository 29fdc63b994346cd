"""The stages by name; cheap to import."""

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
