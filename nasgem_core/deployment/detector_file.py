"""The Python file of a detector: torch and torchvision alone, every number read off the detector itself."""

import contextlib
from collections.abc import Sequence
from typing import Any

from torch import nn

from nasgem_core.backbones import gemnet_modules
from nasgem_core.backbones.spec import GEMNetSpec
from nasgem_core.deployment.card import check_name
from nasgem_core.deployment.cell_source import cell_source
from nasgem_core.deployment.python_file import Definition, compose
from nasgem_core.deployment.standalone import detector as alone
from nasgem_core.deployment.standalone.gemnet import GEMNetMaps
from nasgem_core.deployment.standalone.traced import place
from nasgem_core.deployment.traced import traced_class
from nasgem_core.detection.detector import Detector
from nasgem_core.detection.spec import DetectorSpec
from nasgem_core.errors import DataError
from nasgem_core.training.image_reading import STANDALONE

_HEAD = '''"""{name}: a detector exported by nasgem. It needs torch and torchvision alone.

torchvision has what torch lacks: the choice among boxes that overlap (non-maximum suppression), maps cut to boxes
(RoIAlign), and the heads of detectors. `prepare` needs numpy and Pillow too.

    import torch
    from network import CATEGORIES, build, prepare  # with the folder of this file on sys.path, as the current one is
    from PIL import Image

    detector = build()                # reads weights.safetensors next to this file
    image = prepare(Image.open("photo.jpg"))
    with torch.no_grad():
        (found,) = detector([image])  # a list of images [3, H, W] of any sizes: uint8, or floats in 0..1
    found["boxes"]                    # [n, 4]: left, top, right and bottom, in pixels of the image
    found["labels"]                   # [n]: CATEGORIES[label] is the name, CATEGORY_IDS[label] the id in COCO's files
    found["scores"]                   # [n]: highest first

Images are resized and normalised inside. What is found has a score above SCORE_THRESHOLD, and is at most DETECTIONS
objects an image. After `detector.train()` it takes targets as well and returns losses.
"""
'''
_PREPARE = '''def prepare(picture: Any) -> Tensor:
    """Return a picture of PIL as an image for the detector, [3, H, W] uint8, upright and in RGB."""
    import numpy as np

    return torch.from_numpy(np.array(upright(picture))).permute(2, 0, 1)
'''
_IMPORTS = ("from torchvision import ops", "from torchvision.models import detection")


def detector_file(spec: DetectorSpec, detector: Detector) -> str:
    """Return one Python file that rebuilds a detector with torch and torchvision.

    It holds the backbone as the file of a classifier does: a cell as data, or traced layers.

    Raises:
        DataError: the name is none, or tracing the backbone meets what is not torch's own.
    """
    name = check_name(spec.name)
    data, definitions, body = _backbone(spec, detector)
    data |= {
        "CATEGORIES": [category.name for category in spec.categories],
        "CATEGORY_IDS": [category.id for category in spec.categories],
    }
    kind = alone.retinanet if spec.settings.kind == "retinanet" else alone.faster_rcnn
    positional, options = _numbers(detector)
    data |= positional | dict(options.values())
    words = [body, "len(CATEGORIES)", *positional]
    words += [f"{option}={constant}" for option, (constant, _) in options.items()]
    construct = f"{kind.__name__}(\n" + "".join(f"        {word},\n" for word in words) + "    )"
    parts = (alone.Pyramid, alone.normalisation, alone.Detector, kind, *STANDALONE, _PREPARE)
    return compose(_HEAD.format(name=name), data, (*definitions, *parts), construct, _IMPORTS)


def _backbone(spec: DetectorSpec, detector: Detector) -> tuple[dict[str, Any], Sequence[Definition], str]:
    """Return constants, definitions and the expression that builds the backbone of them."""
    own = spec.backbone
    if isinstance(own, GEMNetSpec):
        layout = own.layout
        numbers = {"channels": own.channels, **layout.numbers(own.cell), "feature_stages": layout.feature_stages}
        with contextlib.suppress(DataError):
            graph = cell_source(own.cell)
            data = {**graph.data, **{keyword.upper(): value for keyword, value in numbers.items()}}
            body = graph.construct(GEMNetMaps, {keyword: keyword.upper() for keyword in numbers}, indent=8)
            return data, (*graph.definitions, *gemnet_modules.DEFINITIONS, GEMNetMaps), body
    return {}, (place, traced_class(detector.pyramid.body, spec.name, "forward_features")), "Network()"


def _numbers(detector: Detector) -> tuple[dict[str, Any], dict[str, tuple[str, Any]]]:
    """Return the constants that build a detector in their order, and those that have names, by option."""
    network, pyramid, settings = detector.network, detector.pyramid, detector.settings
    two_stages = settings.kind == "faster_rcnn"
    anchors = (network.rpn if two_stages else network).anchor_generator
    groups = [layer.num_groups for layer in pyramid.fpn.modules() if isinstance(layer, nn.GroupNorm)]
    maps = [pyramid.body.feature_info[level] for level in pyramid.levels]
    positional: dict[str, Any] = {
        "LEVELS": pyramid.levels,
        "LEVEL_CHANNELS": [info.channels for info in maps],
        "PYRAMID_CHANNELS": pyramid.out_channels,
        "GROUPS": groups[0] if groups else 0,
        "ANCHOR_SIDES": anchors.sizes,
        "ANCHOR_ASPECTS": anchors.aspect_ratios[0],
    }
    judge = network
    if two_stages:
        judge = network.roi_heads
        pool = judge.box_roi_pool
        positional |= {
            "STRIDES": [info.stride for info in maps],
            "POOLED": pool.output_size[0],
            "POOLED_SAMPLES": pool.sampling_ratio,
            "CANONICAL_SIDE": pool.canonical_scale,
            "BOX_CHANNELS": judge.box_head.fc6.out_features,
        }
    transform, box = network.transform, "box_" if two_stages else ""
    options = {
        "min_size": ("SHORT_SIDE", transform.min_size[0]),
        "max_size": ("LONG_SIDE", transform.max_size),
        "size_divisible": ("SIDES_DIVISIBLE_BY", transform.size_divisible),
        "image_mean": ("MEAN", transform.image_mean),
        "image_std": ("STD", transform.image_std),
        f"{box}score_thresh": ("SCORE_THRESHOLD", detector.lowest_score),
        f"{box}nms_thresh": ("NMS_THRESHOLD", judge.nms_thresh),
        "box_detections_per_img" if two_stages else "detections_per_img": ("DETECTIONS", judge.detections_per_img),
    }
    if two_stages:
        options["box_batch_size_per_image"] = ("SAMPLED_PROPOSALS", judge.fg_bg_sampler.batch_size_per_image)
        options["rpn_nms_thresh"] = ("PROPOSAL_NMS_THRESHOLD", network.rpn.nms_thresh)
        options["rpn_pre_nms_top_n_test"] = ("CANDIDATES", network.rpn._pre_nms_top_n["testing"])
        options["rpn_post_nms_top_n_test"] = ("PROPOSALS", network.rpn._post_nms_top_n["testing"])
    else:
        options["topk_candidates"] = ("CANDIDATES", network.topk_candidates)
    return positional, options
