import pytest
import torch
from PIL import Image

from nasgem_core.detection.annotation_file import read_annotations
from nasgem_core.detection.images import BrokenImageError, MeasuredImages
from nasgem_core.detection.reading import batches_of, readable_images, require_readable
from nasgem_core.errors import DataError


@pytest.mark.parametrize("workers", [0, 1])
def test_batches_come_in_order_and_errors_as_they_were_raised(small, workers):
    images = MeasuredImages(read_annotations(small[0]), small[1])
    batches = list(batches_of(images, [[2], [0, 1]], workers=workers))
    assert [[number for number, _ in batch] for batch in batches] == [[8], [11, 5]]
    assert torch.equal(batches[1][0][1], images[0][1])
    (small[1] / "b.png").write_bytes(b"no picture")
    with pytest.raises(BrokenImageError) as caught:
        list(batches_of(images, [[2], [0, 1]], workers=workers))
    assert str(caught.value).startswith(f"{small[1] / 'b.png'} cannot be read") and "\n" not in str(caught.value)


def test_broken_images_are_found_at_once(small):
    annotations = read_annotations(small[0])
    require_readable(annotations, small[1])
    assert readable_images(annotations, small[1]).tolist() == [0, 1, 2]
    content = (small[1] / "a.png").read_bytes()
    (small[1] / "a.png").write_bytes(content[: len(content) // 2])
    assert readable_images(annotations, small[1]).tolist() == [1, 2]
    with pytest.raises(DataError, match=r"a\.png cannot be read as an image"):
        require_readable(annotations, small[1])
    Image.new("RGB", (7, 7)).save(small[1] / "a.png")
    with pytest.raises(DataError, match=r"a\.png has 7 x 7 pixels"):
        readable_images(annotations, small[1])
