"""The published networks in Tables 1 and 2 of the paper, and the source of each."""

from dataclasses import dataclass

TOLERANCE = 0.02
"""Share by which a rebuilt network may differ from a published figure without a note that explains it."""


@dataclass(frozen=True)
class ReportedNetwork:
    """One row of the tables; None where the paper gives no figure.

    Args:
        name: name in the catalogue.
        title: name in the paper.
        source: source of structure and channels, or for a missing network the places that were searched.
        encoder: encoder of the search, if it has one.
        top1_error: on ImageNet, percent.
        top5_error: on ImageNet, percent.
        params: millions.
        macs: millions, at 224x224.
        gpu_days: cost of the search.
        own_params: millions, from the network's own publication, if the paper gives none or those of another network.
        own_macs: millions, likewise.
        note: why the rebuilt network differs from one of these figures by more than `TOLERANCE`.
        missing: why the network cannot be rebuilt.
    """

    name: str
    title: str
    source: str
    encoder: str | None = None
    top1_error: float | None = None
    top5_error: float | None = None
    params: float | None = None
    macs: float | None = None
    gpu_days: float | None = None
    own_params: float | None = None
    own_macs: float | None = None
    note: str = ""
    missing: str = ""


_WITH_ELEMENTWISE = (
    'the publication also counts batch normalisation, ReLU and pools: "all" equals its figure to the last digit'
)

REPORTED = (
    ReportedNetwork(
        "mobilenet_v2_1_4",
        "MobileNetV2x1.4",
        "torchvision; own figures: tensorflow/models, slim, table of checkpoints",
        own_params=6.06,
        own_macs=582,
    ),
    ReportedNetwork(
        "mnasnet_1_3",
        "MnasNetx1.3",
        "torchvision (MnasNet-B1); own figures: its table of weights",
        own_params=6.282,
        own_macs=526,
    ),
    ReportedNetwork(
        "randwire_ws",
        "RandWire-WS",
        "Xie et al. 2019, Table 1 and section 3: WS(4, 0.75), 78 channels, seed 0",
        top1_error=25.3,
        top5_error=7.8,
        params=5.6,
        macs=583,
    ),
    ReportedNetwork(
        "darts",
        "DARTS",
        "chenxin061/pdarts, genotypes.py, DARTS_V2 (second order); 48 channels as in quark0/darts",
        top1_error=26.7,
        top5_error=8.7,
        params=4.7,
        macs=574,
        gpu_days=4.0,
        note="params agree; others count 523 to 545 M multiply-adds with the authors' own code (quark0/darts, issue "
        '46; the highest is our "all"); the origin of 574 M is not known',
    ),
    ReportedNetwork(
        "p_darts",
        "P-DARTS",
        "chenxin061/pdarts, genotypes.py, PDARTS (searched on CIFAR-10); 48 channels",
        top1_error=24.7,
        top5_error=7.5,
        params=5.1,
        macs=577,
        gpu_days=0.3,
        own_params=4.9,
        own_macs=557,
        note="the paper's row is the cell searched on CIFAR-100, which is not public; the rebuilt one was searched on "
        f"CIFAR-10, and its figures are in parentheses; {_WITH_ELEMENTWISE}",
    ),
    ReportedNetwork(
        "pc_darts",
        "PC-DARTS",
        "yuhuixu1993/PC-DARTS, genotypes.py, PC_DARTS_cifar (searched on CIFAR-10); 48 channels",
        top1_error=25.1,
        top5_error=7.8,
        params=5.3,
        macs=586,
        gpu_days=0.1,
        note=_WITH_ELEMENTWISE,
    ),
    ReportedNetwork(
        "pc_darts_imagenet",
        "PC-DARTS (ImageNet)",
        "yuhuixu1993/PC-DARTS, genotypes.py, PC_DARTS_image (searched on ImageNet); 48 channels; not in the paper",
        own_params=5.3,
        own_macs=597,
        note=_WITH_ELEMENTWISE,
    ),
    ReportedNetwork(
        "snas",
        "SNAS",
        "SNAS-Series/SNAS-Series, genotypes.py, SNAS_mild; 50 channels as in train_imagenet.py",
        top1_error=27.3,
        top5_error=9.2,
        params=4.3,
        macs=522,
        gpu_days=1.5,
        note="params agree; the published count exceeds ours by the same multiple of squared channels as that of DARTS "
        "(44 M at 48 channels, 48 M at 50), so it was probably counted in the same way",
    ),
    ReportedNetwork(
        "gdas",
        "GDAS",
        "D-X-Y/AutoDL-Projects, genotypes.py, GDAS_V1; 50 channels as in its README",
        top1_error=26.0,
        top5_error=8.5,
        params=5.3,
        macs=581,
        gpu_days=0.21,
    ),
    ReportedNetwork(
        "milenas",
        "MiLeNAS",
        "chaoyanghe/MiLeNAS, genotypes.py",
        top1_error=25.4,
        top5_error=7.9,
        params=4.9,
        macs=570,
        gpu_days=0.3,
        missing="its repository has more than forty cells and does not say which one was trained on ImageNet; at "
        "least four of them (V2_r3_e50, V2_r5_e50, r104_e200_50, r902_e200_42) have 4.93 M params and 554 M "
        "multiply-adds, about 570 M as its code counts them",
    ),
    ReportedNetwork(
        "bayesnas",
        "BayesNAS",
        "BayesNAS/BayesNAS, CNN/pre_trained/imagenet; 48 channels",
        top1_error=26.5,
        top5_error=8.9,
        params=3.9,
        gpu_days=0.2,
        note="the rebuilt network is the one that its authors released for ImageNet, which has 4.01 M params",
    ),
    ReportedNetwork(
        "naonet",
        "NAONet",
        "renqianluo/NAO_pytorch, NAO_V1, train_NAONet_A_imagenet.sh; 42 channels",
        encoder="LSTM",
        top1_error=25.7,
        top5_error=8.2,
        params=11.35,
        macs=584,
        gpu_days=200,
        note="params agree to every published digit; 584 M cannot be the multiply-adds of this network at 224x224: "
        "the plain 3x3 convolutions of its normal cells alone take 747 M",
    ),
    ReportedNetwork(
        "nge",
        "NGE",
        "Li, Gong and Zhu 2020, without code; a third party's code (ktxlh/nas-gnn) does not have the cells",
        encoder="GCN",
        top1_error=25.3,
        top5_error=7.9,
        params=5.0,
        macs=563,
        gpu_days=0.1,
        missing="no public source gives its cells",
    ),
    ReportedNetwork(
        "gates",
        "GATES",
        "walkerning/aw_nas has the encoder and its training, but not the cell trained on ImageNet",
        encoder="GATES",
        top1_error=24.1,
        params=5.6,
        missing="no public source gives its cells",
    ),
)
"""In the order of the tables."""
