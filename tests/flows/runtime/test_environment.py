import os

import pytest

from flows.runtime.environment import STATE, make_state_folder, prepare_environment
from nasgem_core.errors import NasgemError


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", {"PREFECT_HOME": "mine"})
    return tmp_path


def test_tools_keep_what_they_write_in_the_state_folder(here):
    (here / "params.yaml").touch()
    prepare_environment()
    assert (here / STATE).is_dir() and not list((here / STATE).iterdir())
    for name in ("NUMBA_CACHE_DIR", "DVC_SITE_CACHE_DIR", "MPLCONFIGDIR", "TORCH_HOME"):
        assert os.environ[name].startswith(str(here / STATE))
    assert os.environ["DVC_NO_ANALYTICS"] == "1" and os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"


def test_what_a_user_has_set_stays(here):
    (here / "params.yaml").touch()
    prepare_environment()
    assert os.environ["PREFECT_HOME"] == "mine"


def test_another_folder_is_refused(here):
    with pytest.raises(NasgemError, match=rf"^{here} does not contain params\.yaml: run nasgem in the folder"):
        prepare_environment()
    assert not list(here.iterdir())


def test_a_folder_that_cannot_be_written_is_named(here):
    STATE.write_text("a file where the folder should be")
    with pytest.raises(NasgemError, match=r"^cannot write to .*\.nasgem: .*; free space there or make the folder"):
        make_state_folder()
