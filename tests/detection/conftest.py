import pytest

from tests.detection.coco_files import real_set, write_set


@pytest.fixture
def small(tmp_path):
    """Path of the annotations and folder of the images of a small set."""
    return write_set(tmp_path)


@pytest.fixture(scope="session")
def real(tmp_path_factory):
    """Folder of COCO's miniature."""
    return real_set(tmp_path_factory.mktemp("coco"))
