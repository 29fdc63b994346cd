"""Links of the repository's pages become links of the site; code and links elsewhere stay."""

import pytest

from docs_site.links import site_links


@pytest.mark.parametrize(
    ("folder", "written", "shown"),
    [
        ("docs", "[a](method.md#cells)", "[a](method.md#cells)"),
        ("docs", "[a](#cells)", "[a](#cells)"),
        ("docs", "[a](../README.md#results)", "[a](index.md#results)"),
        ("docs", "[a](tour.ipynb), [b](../CONTRIBUTING.md)", "[a](tour.md), [b](contributing.md)"),
        ("docs", "[method.md](method.md#x), [b](method.md)", "[The method, step by step](method.md#x), [b](method.md)"),
        ("", "[docs/method.md](docs/method.md)", "[The method, step by step](method.md)"),
        ("docs", "see [the `example`](../examples/plugin)", "see the `example`"),
        (
            "docs",
            "[paper](https://doi.org/10.1609/aaai.v35i8.16872)",
            "[paper](https://doi.org/10.1609/aaai.v35i8.16872)",
        ),
        ("", "![a cell [drawn]](docs/images/best_cell.png)", "![a cell [drawn]](images/best_cell.png)"),
        ("", "[a](docs/method.md#x) and [b](LICENSE)", "[a](method.md#x) and b"),
        ("", "```\n[a](LICENSE)\n```\n[a](LICENSE)", "```\n[a](LICENSE)\n```\na"),
    ],
)
def test_links_lead_into_the_site(folder: str, written: str, shown: str):
    assert site_links(written, folder) == shown
