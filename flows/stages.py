"""The names of the stages, in the order they depend on each other; cheap to import. The last stands apart."""

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
