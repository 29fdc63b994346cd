"""docs/api.md lists the public names, and each gets its reference."""

from importlib import import_module
from pathlib import Path

import pytest

import nasgem
from docs_site.reference import listed_names, with_reference

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
NAMES = listed_names(TEXT)


def test_every_name_of_the_package_is_listed_first():
    own = [name.removeprefix("nasgem.") for name in NAMES if name.startswith("nasgem.")]
    assert sorted(own) == nasgem.__all__ and NAMES[: len(own)] == [f"nasgem.{name}" for name in own]
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_listed_name_is_there_and_public(name: str):
    module, _, attribute = name.rpartition(".")
    assert hasattr(import_module(module), attribute) and not attribute.startswith("_")


def test_each_name_gets_its_reference_below_its_table():
    text = with_reference("# P\n\n## A\n\n| `nasgem.Cell` | one |\n\n## B\n\n| `nasgem_core.a.b` | two |\n")
    assert text.index("::: nasgem.Cell\n") < text.index("## B") < text.index("::: nasgem_core.a.b\n")
    assert with_reference(TEXT).count("\n::: ") == len(NAMES)
