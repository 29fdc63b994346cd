import numpy as np

from nasgem_core.benchmarks.nasbench201 import _KERNEL_SIZES
from nasgem_core.benchmarks.nasbench201_costs import nasbench201_costs
from tests.benchmarks.official import official


def test_extremes_are_the_published_ones():
    # The README of the benchmark: 220.12 M multiply-adds and 1.53 M parameters where every edge is a 3x3 convolution.
    params, macs = nasbench201_costs(np.array([[3] * 6, [0] * 6, [1] * 6, [4] * 6]), _KERNEL_SIZES)
    assert params.tolist() == [1_531_546, 73_306, 73_306, 73_306]
    assert macs[0] == 220_119_680 and len(set(macs[1:])) == 1


def test_params_are_the_benchmarks_own_on_every_row():
    with np.load(official("nasbench201.npz")) as archive:
        operations, expected = archive["edge_ops"], archive["c10_params_M"]
    np.testing.assert_allclose(nasbench201_costs(operations, _KERNEL_SIZES)[0] / 1e6, expected, rtol=1e-12)
