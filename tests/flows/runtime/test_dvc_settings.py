import stat
from pathlib import Path

import pytest

from flows.runtime.dvc_settings import LOCAL_SETTINGS, name_own_cache

OTHER = "[core]\n    site_cache_dir = {}\n['remote \"backup\"']\n    password = secret\n"


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".dvc").mkdir()
    return tmp_path / LOCAL_SETTINGS


@pytest.mark.parametrize("named", ["/gone/.nasgem/dvc", "/two words/.nasgem/dvc", '"/quoted/.nasgem/dvc"'])
def test_the_cache_of_a_folder_that_was_moved_or_copied_is_its_own(settings, named):
    settings.write_text(OTHER.format(named))
    settings.chmod(0o600)
    name_own_cache(Path(".nasgem"))
    assert settings.read_text() == OTHER.format(settings.parents[1] / ".nasgem" / "dvc")
    assert stat.S_IMODE(settings.stat().st_mode) == 0o600


@pytest.mark.parametrize("named", ["{here}/.nasgem/dvc", "{here}/link/.nasgem/dvc", "/a/cache/of/my/own", ""])
def test_other_settings_stay(settings, named):
    here = settings.parents[1]
    (here / "link").symlink_to(here)
    settings.write_text(OTHER.format(named.format(here=here)))
    before = settings.stat().st_ino
    name_own_cache(Path(".nasgem"))
    assert settings.stat().st_ino == before and named.format(here=here) in settings.read_text()


def test_without_settings_there_is_nothing_to_do(settings):
    name_own_cache(Path(".nasgem"))
    assert not settings.exists()
