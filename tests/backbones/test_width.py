from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasgem_core.backbones.costs import gemnet_costs
from nasgem_core.backbones.layout import IMAGE_SIZES, IMAGENET, LAYOUTS, TINY
from nasgem_core.backbones.skeleton import MOBILE
from nasgem_core.backbones.width import fit_to_budget
from nasgem_core.counts import count_text
from nasgem_core.errors import ParameterError
from tests.backbones.budgets import named_in
from tests.backbones.cells import INVERTED_RESIDUAL, random_cell, sampled_cells

CELLS = sampled_cells(400)


def fitted(cell, macs, layout=IMAGENET, classes=1000, size=(224, 224)):
    spec = fit_to_budget("fitted", cell, layout, num_classes=classes, image_size=size, macs=macs)
    costs = gemnet_costs(spec.cell, spec.layout, spec.channels, spec.num_classes, spec.image_size)
    return spec, int(costs.macs)


@given(index=st.integers(0, 399), macs=st.integers(463_000_000, 2_000_000_000))
def test_sampled_cells_meet_the_budgets_of_the_paper_and_larger_ones(index, macs):
    spec, found = fitted(CELLS[index], macs)
    assert 0.99 * macs <= found <= macs
    assert all(channels % 8 == 0 for channels in spec.channels)


@given(
    index=st.integers(0, 399),
    layout=st.sampled_from(list(LAYOUTS.values())),
    macs=st.integers(10_000_000, 500_000_000),
    size=st.tuples(st.integers(32, 400), st.integers(32, 400)),
)
def test_no_budget_is_exceeded_and_one_below_the_smallest_network_is_refused(index, layout, macs, size):
    cell = CELLS[index]
    smallest = gemnet_costs(cell, layout, (8,) * 6, 100, size).macs
    if macs < smallest:
        with pytest.raises(ParameterError, match="cannot be met: the networks of this cell") as refused:
            fitted(cell, macs, layout, 100, size)
        named = named_in(refused.value)
        assert smallest <= named <= 1.001 * smallest
        assert fitted(cell, named, layout, 100, size)[1] <= named
    else:
        spec, found = fitted(cell, macs, layout, 100, size)
        assert smallest <= found <= macs
        assert spec.layout == layout and spec.image_size == size


def test_one_width_is_kept_where_it_meets_the_budget():
    cell = CELLS[0]
    wanted = IMAGENET.skeleton.channels(20)
    macs = int(gemnet_costs(cell, IMAGENET, wanted, 1000, (224, 224)).macs)
    spec, found = fitted(cell, macs)
    assert (spec.channels, found) == (wanted, macs)
    assert spec.layout.skeleton.channels(spec.width) == wanted


def test_refined_stages_stay_near_their_shares_of_the_width():
    distances = []
    for cell in CELLS[:60]:
        spec, _ = fitted(cell, 463_000_000)
        shares = IMAGENET.skeleton.channels(spec.width)
        distances.append(max(abs(a - b) for a, b in zip(spec.channels, shares, strict=True)))
    assert sum(distance == 0 for distance in distances) > 10
    assert sum(distance > 8 for distance in distances) < 6


@pytest.mark.parametrize("layout", list(LAYOUTS.values()), ids=lambda layout: layout.name)
def test_a_budget_out_of_reach_is_refused_with_bounds_that_can_be_met(layout):
    size = (IMAGE_SIZES[layout.name],) * 2
    for cell in CELLS[:12]:
        smallest = int(gemnet_costs(cell, layout, (8,) * 6, 1000, size).macs)
        bounds = []
        for macs in (463, 10**17):
            with pytest.raises(
                ParameterError, match=rf"macs = {count_text(macs)} cannot be met: .*{layout.name}"
            ) as caught:
                fitted(cell, macs, layout, size=size)
            bounds.append(named_in(caught.value))
        assert smallest <= bounds[0] <= 1.001 * smallest
        for named in bounds:
            assert fitted(cell, named, layout, size=size)[1] <= named


def test_a_budget_in_a_gap_between_the_smallest_networks_gives_the_smaller_one():
    cell = random_cell(0, vertices=4)
    around = sorted(
        int(gemnet_costs(cell, IMAGENET, channels, 2, (224, 224)).macs)
        for channels in ((8,) * 6, (8, 8, 8, 8, 8, 16), (8, 8, 8, 8, 16, 8), (16, 8, 8, 8, 8, 8), (8, 8, 8, 16, 8, 8))
    )
    assert fitted(cell, int(np.sqrt(around[0] * around[1])), classes=2)[1] == around[0]


@pytest.mark.parametrize("multiple", [4, 2])
def test_finer_channels_meet_every_small_budget(multiple):
    layout = replace(TINY, skeleton=replace(MOBILE, channel_multiple=multiple))
    for macs in range(15_000_000, 25_000_000, 250_000):
        spec, found = fitted(INVERTED_RESIDUAL, macs, layout, 20, (64, 64))
        assert 0.99 * macs <= found <= macs
        assert all(channels % multiple == 0 for channels in spec.channels)
