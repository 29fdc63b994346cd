import os
import stat
import threading

import pytest

from flows.runtime.secret import SECRET_FILE, kept_secret, new_secret
from nasgem_core.errors import NasgemError


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_it_is_made_once_for_its_owner_alone(umask):
    before = os.umask(umask)
    try:
        first = kept_secret()
    finally:
        os.umask(before)
    assert first == kept_secret() and stat.S_IMODE(SECRET_FILE.stat().st_mode) == 0o600
    user, _, password = first.partition(":")
    assert user == "nasgem" and len(password) == 43 and os.listdir(SECRET_FILE.parent) == ["auth"]
    assert new_secret() != new_secret() != first


def test_two_that_make_it_at_once_have_the_same():
    found = []
    threads = [threading.Thread(target=lambda: found.append(kept_secret())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len(set(found)) == 1


def test_one_of_the_users_own_is_taken():
    SECRET_FILE.parent.mkdir(parents=True)
    SECRET_FILE.write_text("me:a long enough one".replace(" ", "-") + "\n")
    SECRET_FILE.chmod(0o600)
    assert kept_secret() == "me:a-long-enough-one"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o666])
def test_one_that_others_can_read_is_refused(mode):
    kept_secret()
    SECRET_FILE.chmod(mode)
    with pytest.raises(NasgemError, match=rf"^{SECRET_FILE} is not a file that its owner alone can read .*: delete it"):
        kept_secret()


def test_a_link_or_a_pipe_in_its_place_is_refused(here):
    kept_secret()
    SECRET_FILE.rename(here / "elsewhere")
    SECRET_FILE.symlink_to(here / "elsewhere")
    with pytest.raises(NasgemError, match=r"cannot be read .*: delete it"):
        kept_secret()
    SECRET_FILE.unlink()
    os.mkfifo(SECRET_FILE, 0o600)
    with pytest.raises(NasgemError, match="is not a file"):
        kept_secret()


@pytest.mark.parametrize("content", ["", "nasgem:", "nasgem:short", "no password", "nasgem:with blanks in it all"])
def test_what_is_no_password_is_refused(content):
    kept_secret()
    SECRET_FILE.write_text(content)
    with pytest.raises(NasgemError, match="does not hold USER:PASSWORD"):
        kept_secret()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_that_of_another_user_is_refused():
    kept_secret()
    os.chown(SECRET_FILE, 65533, 65533)
    with pytest.raises(NasgemError, match="is not a file that its owner alone can read"):
        kept_secret()
