import os
import stat

import pytest

from flows.runtime.private_folder import make_private, make_private_cache
from nasgem_core.errors import NasgemError


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o027, 0o077])
def test_a_new_folder_is_its_owners_alone_whatever_the_umask(tmp_path, umask):
    before = os.umask(umask)
    try:
        make_private(tmp_path / "new")
    finally:
        os.umask(before)
    assert mode(tmp_path / "new") == 0o700


@pytest.mark.parametrize("earlier", [0o755, 0o711, 0o750, 0o500])
def test_what_others_could_only_read_is_closed(tmp_path, earlier):
    (tmp_path / "old").mkdir()
    (tmp_path / "old").chmod(earlier)
    make_private(tmp_path / "old")
    assert mode(tmp_path / "old") == 0o700


@pytest.mark.parametrize("earlier", [0o777, 0o1777, 0o775, 0o720, 0o702])
@pytest.mark.parametrize("through_a_link", [False, True])
def test_what_others_could_write_into_is_refused(tmp_path, earlier, through_a_link):
    folder = tmp_path / "old"
    folder.mkdir()
    folder.chmod(earlier)
    named = tmp_path / "link" if through_a_link else folder
    if through_a_link:
        named.symlink_to(folder)
    message = rf"^{named} can be written by other users, .*: move it away, or, .* run `chmod -R go-rwx {named}`$"
    with pytest.raises(NasgemError, match=message):
        make_private(named)
    assert mode(folder) == earlier


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
@pytest.mark.parametrize("cache", [False, True])
def test_a_folder_of_another_user_is_refused(tmp_path, cache):
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o700)
    os.chown(folder, 65533, 65533)
    with pytest.raises(NasgemError, match=rf"^{folder} belongs to user 65533, who could change .* move that one away"):
        (make_private_cache if cache else make_private)(folder)


def test_a_cache_that_others_could_write_into_begins_again(tmp_path):
    cache = tmp_path / "repo"
    cache.mkdir()
    (cache / "cache.db").touch()
    cache.chmod(0o777)
    make_private_cache(cache)
    assert mode(cache) == 0o700 and not list(cache.iterdir())
    (cache / "cache.db").touch()
    make_private_cache(cache)
    assert (cache / "cache.db").exists()


def test_a_file_in_its_place_is_an_error_of_the_system(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        make_private(tmp_path / "file")
