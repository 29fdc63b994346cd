import numpy as np
import pytest

from nasgem_core.predictors.features.walks import BACKWARD, BY_WIDTH, FORWARD, channel_widths, step_chances

SIZE = 6
GRAPH = np.zeros((8, 8), dtype=np.uint8)
"""0 -> 1 -> 2 -> 5, 1 -> 3 -> 4 -> 5, 2 -> 4, 0 -> 4, 0 -> 5, and room for two vertices more."""
for _u, _v in ((0, 1), (1, 2), (2, 5), (1, 3), (3, 4), (4, 5), (2, 4), (0, 4), (0, 5)):
    GRAPH[_u, _v] = 1


def widths(divided: bool) -> np.ndarray:
    width = np.full(8, np.nan)
    channel_widths(GRAPH, SIZE, divided, width)
    return width[:SIZE]


def test_channels_are_divided_among_the_inputs_of_the_output():
    # 2 and 4 feed the output, 3 feeds 4, and 1 feeds 2 and 3.
    assert widths(True).tolist() == [1, 0.5, 0.5, 0.5, 0.5, 1]
    assert widths(False).tolist() == [1] * SIZE


@pytest.mark.parametrize("walk", [BACKWARD, FORWARD, BY_WIDTH])
def test_chances_of_a_walk_add_to_one_where_it_can_go_on(walk):
    chance = np.full((8, 8), np.nan)
    step_chances(GRAPH, SIZE, walk, widths(True), chance)
    own = chance[:SIZE, :SIZE]
    assert ((own > 0) == GRAPH[:SIZE, :SIZE]).all()
    if walk == FORWARD:
        assert own.sum(1).tolist() == pytest.approx([1, 1, 1, 1, 1, 0])
        assert own[0, 1] == own[0, 4] == own[0, 5] == pytest.approx(1 / 3)
    else:
        assert own.sum(0).tolist() == pytest.approx([0, 1, 1, 1, 1, 1])
    if walk == BACKWARD:
        assert own[0, 4] == own[2, 4] == own[3, 4] == pytest.approx(1 / 3)
    if walk == BY_WIDTH:  # the input has twice the channels of 2 and of 3
        assert [own[0, 4], own[2, 4], own[3, 4]] == pytest.approx([0.5, 0.25, 0.25])
