from nasgem_core.backbones.frame import Frame
from nasgem_core.backbones.layout import TINY


def test_a_frame_read_from_a_document_equals_the_one_written():
    assert Frame(TINY, 10, [64, 64]) == Frame(TINY, 10, (64, 64)) and hash(Frame(TINY, 10, [64, 64]))
