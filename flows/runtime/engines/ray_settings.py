"""How we use Ray: quietly, with a key that every machine of a cluster has, without usage reports and web pages."""

import os
import secrets
import tempfile
from functools import cache
from pathlib import Path

from flows.runtime.engines.cluster_key import read_key
from flows.runtime.engines.ray_tls import encrypt_ray
from flows.runtime.environment import STATE
from flows.runtime.private_file import make_private_file, read_private

KEY_FILE = STATE / "ray.key"
"""Whoever has this key can run code on all machines of the cluster, and nobody else."""

_SHORTEST = 32
"""Characters of a key."""
_SETTINGS = {
    "RAY_AUTH_MODE": "token",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_memory_monitor_refresh_ms": "0",  # it would kill trainings when other programs use the memory
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # workers see the GPUs that their machine has
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_DISABLE_IMPORT_WARNING": "1",
}


def quiet_ray(key: Path | None, host: str = "") -> None:
    """Set Ray up in this process and those that it starts, before it is imported.

    Args:
        key: file of the cluster's key; None for a cluster of this process alone, whose key is in no file.
        host: an address by which others reach this machine, if it does not know that itself.
    """
    os.environ |= _SETTINGS
    if key is None:
        os.environ["RAY_AUTH_TOKEN"] = _own_key()
        os.environ.pop("RAY_USE_TLS", None)
    else:
        os.environ.pop("RAY_AUTH_TOKEN", None)
        os.environ["RAY_AUTH_TOKEN_PATH"] = str(key.absolute())
        os.environ |= encrypt_ray(read_private(key).strip(), host)


@cache
def _own_key() -> str:
    """Return the key of this process: Ray reads it once."""
    return secrets.token_hex(32)


def make_ray_key(path: Path = KEY_FILE) -> None:
    """Make the key of a cluster if there is none."""
    make_private_file(path, lambda: secrets.token_hex(32))


def require_ray_key(address: str, path: Path = KEY_FILE) -> Path:
    """Return the file of the key; raises `NasgemError` if it is missing, damaged, or open to other users."""
    read_key(address, path, "a key", lambda text: len(text) >= _SHORTEST)
    return path


def private_temporary_folder() -> str:
    """Return a new folder of this user alone with a short name: Ray's sockets are in it, whose paths are limited."""
    return tempfile.mkdtemp(prefix="ray-", dir="/tmp")


def folder_for_ray(private: str) -> str:
    """Return what to name to Ray as its folder: it opens that one to everybody, but not the private one above."""
    return f"{private}/r"
