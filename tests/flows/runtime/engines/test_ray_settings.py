import os
import shutil
import stat

import pytest

from flows.runtime.engines.ray_settings import (
    folder_for_ray,
    make_ray_key,
    private_temporary_folder,
    quiet_ray,
    require_ray_key,
)
from nasgem_core.errors import NasgemError


def test_the_key_is_the_owners_alone(tmp_path):
    key = tmp_path / "ray.key"
    make_ray_key(key)
    text = key.read_text()
    make_ray_key(key)
    assert key.read_text() == text and len(text) == 64 and stat.S_IMODE(key.stat().st_mode) == 0o600
    assert require_ray_key("head:6379", key) == key


@pytest.mark.parametrize(
    ("content", "mode", "reason"),
    [
        (None, 0, "the cluster at head:6379 asks for a key, and .* is missing: copy "),
        ("0" * 64, 0o644, "is not a file that its owner alone can read and write: copy "),
        ("short", 0o600, "does not hold a key: copy "),
    ],
)
def test_a_key_that_cannot_be_used_is_named(tmp_path, content, mode, reason):
    key = tmp_path / "ray.key"
    if content is not None:
        key.write_text(content)
        key.chmod(mode)
    with pytest.raises(NasgemError, match=reason):
        require_ray_key("head:6379", key)


def test_ray_reports_nothing_asks_for_the_key_and_encrypts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".nasgem").mkdir(mode=0o700)
    tls = ("RAY_USE_TLS", "RAY_TLS_SERVER_CERT", "RAY_TLS_SERVER_KEY", "RAY_TLS_CA_CERT")
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", *tls):
        monkeypatch.setenv(name, "")
    quiet_ray(None)
    assert (os.environ["RAY_USAGE_STATS_ENABLED"], os.environ["RAY_AUTH_MODE"]) == ("0", "token")
    first = os.environ["RAY_AUTH_TOKEN"]
    quiet_ray(None)
    assert len(first) == 64 and os.environ["RAY_AUTH_TOKEN"] == first, "Ray reads it once per process"
    assert "RAY_USE_TLS" not in os.environ
    make_ray_key(tmp_path / "ray.key")
    quiet_ray(tmp_path / "ray.key")
    assert "RAY_AUTH_TOKEN" not in os.environ and os.environ["RAY_AUTH_TOKEN_PATH"] == str(tmp_path / "ray.key")
    assert os.environ["RAY_USE_TLS"] == "1" and all(os.path.isfile(os.environ[name]) for name in tls[1:])


def test_its_sockets_are_in_a_folder_of_the_owner():
    folder = private_temporary_folder()
    from ray._common.utils import try_to_create_directory

    try_to_create_directory(folder_for_ray(folder))  # as Ray does
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700 and len(folder_for_ray(folder)) < 40
    shutil.rmtree(folder)
