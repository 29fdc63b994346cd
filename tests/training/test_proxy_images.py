import shutil
import socket
from pathlib import Path

import numpy as np
import pytest

from nasgem_core.config.search import ProxyConfig
from nasgem_core.errors import DataError, ParameterError
from nasgem_core.training import proxy_images
from nasgem_core.training.proxy_images import _stratified, load_images

RAW = Path(__file__).parents[2] / "data" / "raw"
FILE = "cifar10_proxy.npz"


def small_arrays(**changes):
    generator = np.random.default_rng(0)
    arrays = {
        "train_images": generator.integers(0, 256, (12, 32, 32, 3), np.uint8),
        "train_labels": np.arange(12, dtype=np.uint8) % 3,
        "validation_images": generator.integers(0, 256, (6, 32, 32, 3), np.uint8),
        "validation_labels": np.arange(6, dtype=np.uint8) % 3,
        "train_index": np.arange(12, dtype=np.int32),
        "validation_index": np.arange(12, 18, dtype=np.int32),
        "classes": np.array(["a", "b", "c"]),
    }
    return arrays | changes


def load_small(folder, **changes):
    arrays = small_arrays(**changes)
    np.savez(folder / FILE, **{key: value for key, value in arrays.items() if value is not None})
    return load_images(ProxyConfig(), folder)


def test_bundled_images_are_a_balanced_tenth_of_cifar10():
    images = load_images(ProxyConfig(), RAW)
    assert images.train_images.shape == (5000, 32, 32, 3) and images.validation_images.shape == (2000, 32, 32, 3)
    assert np.bincount(images.train_labels).tolist() == [500] * 10
    assert np.bincount(images.validation_labels).tolist() == [200] * 10
    assert images.classes[0] == "airplane" and images.train_labels.dtype == np.int64


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_labels": None}, "lacks an array"),
        ({"train_images": np.zeros((12, 32, 32), np.uint8)}, r"train_images have shape \(12, 32, 32\)"),
        ({"train_images": np.zeros((12, 32, 32, 3))}, "type float64: must be square"),
        ({"validation_images": np.zeros((6, 16, 16, 3), np.uint8)}, "both splits must have the same size"),
        ({"train_labels": np.zeros(11, np.uint8)}, "give one integer per image"),
        ({"validation_labels": np.full(6, 3, np.uint8)}, r"validation_labels are in 3\.\.3: must be in 0\.\.2"),
        ({"validation_index": np.arange(11, 17)}, "image 11 is in both splits"),
        ({"classes": np.array([{}], dtype=object)}, "truncated or not an npz file"),
    ],
)
def test_a_foreign_file_is_named_with_what_is_wrong_and_a_remedy(tmp_path, changes, message):
    with pytest.raises(DataError, match=message) as caught:
        load_small(tmp_path, **changes)
    assert str(tmp_path / FILE) in str(caught.value) and "restore the bundled file" in str(caught.value)


@pytest.mark.parametrize("length", [0, 10, 3000, 20_000])
def test_a_truncated_file_is_named(tmp_path, length):
    load_small(tmp_path)
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DataError, match="truncated or not an npz file"):
        load_images(ProxyConfig(), tmp_path)


def test_flipped_bytes_inside_the_file_are_found(tmp_path):
    load_small(tmp_path)
    content = bytearray((tmp_path / FILE).read_bytes())
    content[5000:5004] = bytes(255 - byte for byte in content[5000:5004])
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(DataError, match="truncated or not an npz file"):
        load_images(ProxyConfig(), tmp_path)


def test_where_the_folder_has_no_file_the_one_of_the_package_is_read(tmp_path):
    assert load_images(ProxyConfig(), tmp_path).content_hash == load_images(ProxyConfig(), RAW).content_hash
    load_small(tmp_path)
    assert len(load_images(ProxyConfig(), tmp_path).train_labels) == 12


def test_a_missing_file_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(proxy_images, "IMAGES", tmp_path / "package")
    with pytest.raises(DataError, match="is missing"):
        load_images(ProxyConfig(), tmp_path)


def test_cifar10_at_another_size_is_refused():
    with pytest.raises(ParameterError, match=r"proxy.image_size = 64: cifar10_proxy has images of 32 pixels"):
        load_images(ProxyConfig(image_size=64), RAW)


def test_cifar10_without_a_network_says_where_to_put_the_archive(tmp_path, monkeypatch):
    def no_network(*arguments, **options):
        raise OSError("no network")

    monkeypatch.setattr(socket, "create_connection", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    with pytest.raises(DataError, match=r"could not be downloaded .*: put cifar-10-python.tar.gz there"):
        load_images(ProxyConfig(dataset="cifar10"), tmp_path)
    shutil.rmtree(tmp_path)


def test_validation_images_are_drawn_evenly_and_always_the_same():
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(10), 50))
    mask = _stratified(labels, 50)
    assert np.bincount(labels[mask]).tolist() == [5] * 10
    assert np.array_equal(mask, _stratified(labels, 50)) and not np.array_equal(mask, _stratified(labels, 50, seed=1))
