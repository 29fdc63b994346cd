import errno
import logging
import os
import stat

import pytest

from flows.runtime import environment
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
    folders = [here / STATE, *(path for path in (here / STATE).rglob("*"))]
    assert here / STATE / "dvc" / "repo" in folders, "DVC would make it for everybody"
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}
    for name in ("NUMBA_CACHE_DIR", "DVC_SITE_CACHE_DIR", "MPLCONFIGDIR", "TORCH_HOME"):
        assert os.environ[name].startswith(str(here / STATE))
    assert os.environ["DVC_NO_ANALYTICS"] == "1" and os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"


def test_telemetry_is_off_whatever_a_user_has_set_for_other_programs(here):
    (here / "params.yaml").touch()
    os.environ |= {"DO_NOT_TRACK": "0", "PREFECT_SERVER_ANALYTICS_ENABLED": "true", "MLFLOW_DISABLE_TELEMETRY": "false"}
    prepare_environment()
    from prefect._internal.analytics.enabled import is_telemetry_enabled

    assert not is_telemetry_enabled(), "Prefect would ask on the terminal, in workers, too"
    assert os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false" and os.environ["DVC_NO_ANALYTICS"] == "1"
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_libgomp_reads_its_setting_in_a_turkish_locale_too(here):
    """It ignores case, but there the small form of I has no dot; it would warn on the terminal."""
    (here / "params.yaml").touch()
    prepare_environment()
    assert os.environ["OMP_WAIT_POLICY"] == "passive"


def test_a_command_that_only_reads_keeps_caches_elsewhere_where_it_cannot_write(here, monkeypatch):
    (here / "params.yaml").touch()
    monkeypatch.setattr(os, "access", lambda *_: False)
    prepare_environment(only_reads=True)
    assert not (here / STATE).exists()
    for name in ("NUMBA_CACHE_DIR", "MPLCONFIGDIR"):
        assert not os.environ[name].startswith(str(here))


def test_a_command_that_only_reads_does_so_in_the_folder_of_another_user(here, monkeypatch):
    """Root may write there as well, and group members where the owner lets them."""
    (here / "params.yaml").touch()
    (here / STATE).mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: (here / STATE).stat().st_uid + 1)
    prepare_environment(only_reads=True)
    assert not list((here / STATE).iterdir()) and not os.environ["MPLCONFIGDIR"].startswith(str(here))
    with pytest.raises(NasgemError, match="belongs to user"):
        prepare_environment()


def test_dvc_makes_no_cache_at_the_place_that_a_folder_was_moved_from(here):
    (here / "params.yaml").touch()
    (here / ".dvc").mkdir()
    settings = here / ".dvc" / "config.local"
    settings.write_text("[core]\n    site_cache_dir = /moved/from/here/.nasgem/dvc\n")
    prepare_environment(only_reads=True)
    assert settings.read_text() == f"[core]\n    site_cache_dir = {here / STATE / 'dvc'}\n"


def test_settings_of_dvc_that_cannot_be_written_stop_no_command(here, monkeypatch):
    def full(state):
        raise OSError(errno.ENOSPC, "No space left on device")

    (here / "params.yaml").touch()
    monkeypatch.setattr(environment, "name_own_cache", full)
    prepare_environment(only_reads=True)
    assert os.environ["DVC_SITE_CACHE_DIR"] == str(here / STATE / "dvc")


def test_a_command_that_needs_no_project_leaves_nothing_in_another_folder(here):
    prepare_environment(only_reads=True, anywhere=True)
    assert not list(here.iterdir())
    assert not os.environ["MPLCONFIGDIR"].startswith(str(here))
    with pytest.raises(NasgemError, match="nasgem init"):
        prepare_environment(only_reads=True)


def test_a_server_that_takes_no_log_is_not_mentioned_on_the_terminal(here, monkeypatch, capfd):
    import asyncio

    from prefect.logging.handlers import APILogWorker

    monkeypatch.setattr(logging, "raiseExceptions", True)
    (here / "params.yaml").touch()
    prepare_environment()
    worker = object.__new__(APILogWorker)
    worker._client = None
    asyncio.run(worker._handle_batch([{}]))
    assert capfd.readouterr().err == ""


def test_what_a_user_has_set_stays(here):
    (here / "params.yaml").touch()
    prepare_environment()
    assert os.environ["PREFECT_HOME"] == "mine"


def test_dvc_is_never_led_to_a_folder_that_users_share(here, monkeypatch):
    (here / "params.yaml").touch()
    os.environ["DVC_SITE_CACHE_DIR"] = "shared"
    prepare_environment()
    assert os.environ["DVC_SITE_CACHE_DIR"] == str(here / STATE / "dvc")


@pytest.mark.parametrize("folder", [STATE, STATE / "prefect", STATE / "numba"])
def test_state_that_others_can_write_is_refused(here, folder):
    (here / "params.yaml").touch()
    prepare_environment()
    folder.chmod(0o777)
    with pytest.raises(NasgemError, match=rf"^{here / folder} can be written by other users"):
        prepare_environment()


def test_dvc_shares_no_cache_that_it_has_made_for_everybody(here):
    (here / "params.yaml").touch()
    prepare_environment()
    planted = here / STATE / "dvc" / "repo" / "links"
    planted.mkdir()
    planted.parent.chmod(0o777)
    prepare_environment()
    assert not planted.exists() and stat.S_IMODE(planted.parent.stat().st_mode) == 0o700


def test_another_folder_is_refused(here):
    with pytest.raises(NasgemError, match=rf"^{here} does not contain params\.yaml: run nasgem .*`nasgem init"):
        prepare_environment()
    assert not list(here.iterdir())


def test_a_folder_that_cannot_be_written_is_named(here):
    STATE.write_text("a file where the folder should be")
    with pytest.raises(NasgemError, match=r"^cannot write to .*\.nasgem: .*; free space there or make the folder"):
        make_state_folder()
