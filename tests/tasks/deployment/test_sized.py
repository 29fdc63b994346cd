"""Networks of a size that `nasgem latency --macs` measures."""

import pytest

from nasgem_core.backbones.costs import gemnet_costs
from nasgem_core.backbones.counting import count_costs
from nasgem_core.backbones.frame import Frame
from nasgem_core.backbones.layout import named_layout
from nasgem_core.cells.known_blocks import MOBILENET_V2_4, known_blocks
from nasgem_core.config.search import SearchConfig
from nasgem_core.errors import ParameterError
from tasks.deployment.sized import is_rival, listed_gemnet, listed_gemnet_samples, listed_rival

FRAME = Frame(named_layout("tiny", "mobile"), 4, (64, 64))


def macs(listed):
    spec = listed.spec
    return int(gemnet_costs(spec.cell, spec.layout, spec.channels, 4, (64, 64)).macs)


def test_rivals_and_cells_have_the_size():
    assert is_rival("mobilenet_v2") and not is_rival("darts")
    rival, gemnet = (
        listed_rival("mobilenet_v2", 19_000_000, FRAME),
        listed_gemnet("x", MOBILENET_V2_4.cell, 10**7, FRAME),
    )
    assert count_costs(rival.spec.build(), (64, 64)).macs == pytest.approx(19_000_000, rel=0.01)
    assert macs(gemnet) == pytest.approx(10**7, rel=0.01) and gemnet.key == MOBILENET_V2_4.cell.canonical_key


def test_samples_are_random_cells_and_known_blocks_around_the_size():
    config = SearchConfig()
    listed = listed_gemnet_samples(8, 19_000_000, FRAME, config)
    blocks = [block.title for block in known_blocks(config.cells)]
    assert [item.name for item in listed][: len(blocks)] == blocks and len(listed) == 8 + len(blocks)
    sizes = [macs(item) / 19e6 for item in listed]
    assert 0.33 < min(sizes) < 0.8 and 1.5 < max(sizes) < 3.04
    assert [item.spec for item in listed_gemnet_samples(8, 19_000_000, FRAME, config)] == [item.spec for item in listed]


def test_a_size_that_few_cells_can_have_is_refused():
    with pytest.raises(ParameterError, match=r"--macs: \d+ of 200 random cells have networks of this size; raise it"):
        listed_gemnet_samples(2, 10_000, FRAME, SearchConfig())
