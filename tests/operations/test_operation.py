import pytest
from torch import nn

from nasgem_core.errors import CellError
from nasgem_core.operations.operation import Operation


@pytest.mark.parametrize("name", ["input", ""])
def test_reserved_names_are_refused(name):
    with pytest.raises(CellError, match=f"operation name '{name}' is reserved: choose another name"):
        Operation(name, macs_per_pixel=max, params=max, layer=lambda c_in, c_out: nn.Identity())
