from dataclasses import dataclass, fields

import pytest

from nasgem_core.config.checked_fields import as_in, bounded, describe, require_distinct, require_order, require_pair
from nasgem_core.errors import ParameterError


@dataclass(frozen=True)
class Kettle:
    litres: float = bounded(1.5, low=0.1, high=5.0)
    """How much it holds.

    In use, a little less."""
    watts: int = bounded(2000, low=100, high=3000)
    colour: str = "red"
    """Of the lid"""


@dataclass(frozen=True)
class Kitchen:
    litres: float = as_in(Kettle, "litres", 2.0)
    colour: str = as_in(Kettle, "colour")
    """Of the walls."""


def test_a_description_is_the_first_line_below_a_field():
    assert describe(Kettle) == {"litres": "How much it holds", "watts": "", "colour": "Of the lid"}


def test_a_field_can_be_declared_as_in_another_class():
    litres, colour = fields(Kitchen)
    assert (Kitchen().litres, Kitchen().colour) == (2.0, "red")
    assert (litres.metadata["low"], litres.metadata["high"]) == (0.1, 5.0)
    assert describe(Kitchen) == {"litres": "How much it holds", "colour": "Of the walls"}
    assert "low" not in colour.metadata


def test_values_that_do_not_go_together_are_named():
    require_pair("p", (1, 1), positive=True)
    with pytest.raises(ParameterError, match=r"p = \[2, 1\]: the first value may not exceed"):
        require_pair("p", (2, 1), positive=False)
    with pytest.raises(ParameterError, match=r"p = \[0, 1\]: values must be above 0"):
        require_pair("p", (0, 1), positive=True)
    require_order("a", 1, "b", 1)
    with pytest.raises(ParameterError, match="a = 2: must not exceed b = 1"):
        require_order("a", 2, "b", 1)
    require_distinct("n", ("a", "b"), "name")
    with pytest.raises(ParameterError, match=r"n = \['a', 'a'\]: name each name once"):
        require_distinct("n", ("a", "a"), "name")
