"""What runs are called."""

import re
from dataclasses import replace

import pytest

from nasgem_core.config.search import SearchConfig
from tasks.run.titles import dated, search_title

CONFIG = SearchConfig()


@pytest.mark.parametrize(
    ("content", "title"),
    [
        (b"# Parameters of a search, from the profile tiny; docs/parameters.md says more.\n", "cifar10_proxy tiny"),
        (b"seed: 0\n", "cifar10_proxy"),
        (b"\xff\xfe", "cifar10_proxy"),
        (None, "cifar10_proxy"),
    ],
)
def test_a_search_is_called_by_its_images_and_its_profile(tmp_path, content, title):
    if content is not None:
        (tmp_path / "params.yaml").write_bytes(content)
    assert search_title(CONFIG, tmp_path) == title


@pytest.mark.parametrize(("dataset", "name"), [("images/flowers/", "flowers"), ("/a/b", "b"), ("/", "/")])
def test_a_folder_is_called_by_its_own_name(tmp_path, dataset, name):
    config = replace(CONFIG, proxy=replace(CONFIG.proxy, dataset=dataset))
    assert search_title(config, tmp_path) == name


def test_runs_of_one_search_differ_by_the_time():
    assert re.fullmatch(r"flowers, \d{4}-\d\d-\d\d \d\d:\d\d", dated("flowers"))
