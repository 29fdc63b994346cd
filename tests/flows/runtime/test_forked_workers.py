import os
from multiprocessing import forkserver

import pytest

from flows.runtime import forked_workers


@pytest.mark.parametrize("before", [None, "", "1"])
def test_a_module_of_the_user_is_not_imported_in_place_of_ours(monkeypatch, before):
    seen = []
    monkeypatch.setattr(forkserver, "ensure_running", lambda: seen.append(os.environ["PYTHONSAFEPATH"]))
    if before is None:
        monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    else:
        monkeypatch.setenv("PYTHONSAFEPATH", before)
    forked_workers._ensure_running()
    assert seen == ["1"] and os.environ.get("PYTHONSAFEPATH") == before
