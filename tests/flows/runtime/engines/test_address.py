import pytest

from flows.runtime.engines.address import require_scheduler
from nasgem_core.errors import NasgemError


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:1", "tcp://127.0.0.1", "tcp://127.0.0.1:99999999", "127.0.0.1:1", "[::1]:1", "head"]
)
def test_a_scheduler_that_is_not_there_is_named(address):
    with pytest.raises(NasgemError) as refused:
        require_scheduler(address)
    assert str(refused.value).startswith(f"nothing listens at {address} (")
    assert "start `nasgem scheduler` there" in str(refused.value)
